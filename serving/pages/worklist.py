"""The worklist: who is most at risk, counted over everybody by a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from serving.scorer import Scorer
from training.risks import ChurnScore

EVERY, LISTED = 900.0, 25
REST = 9
"""Times as long as the last counting took are waited at least: a tenth of one core at most."""
AGAIN, BREATH = 10.0, 0.02
LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """Those most at risk at an instant (microseconds UTC), by a scorer's models.

    ``paying`` says that they are those whom contacting pays; else money is not stated.
    """

    as_of: int
    scores: list[ChurnScore]
    paying: bool
    customers: int
    version: str


class Worklist:
    """Keeps the list of those most at risk, for pages to show without waiting.

    Nothing is counted before somebody looks. From then on the list is renewed every so often while
    it is looked at, and when the models are others.

    Args:
        scorer: gives the scorer that serves.
        every: seconds between two countings, at least.
    """

    def __init__(self, scorer: Callable[[], Scorer], every: float = EVERY) -> None:
        self._scorer, self._every = scorer, every
        self._listed: Listed | None = None
        self._counting = self._failed = False
        self._wanted, self._changed = threading.Event(), threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def counting(self) -> bool:
        """Whether a list is being made."""
        return self._counting

    @property
    def failed(self) -> bool:
        """Whether the last list could not be made; it is tried again."""
        return self._failed

    def look(self) -> Listed | None:
        """Return the newest list, ``None`` before the first is made; and have it kept new."""
        self._wanted.set()
        return self._listed

    def start(self) -> None:
        """Count from now on, when somebody looks, until ``close``."""
        self._thread = threading.Thread(target=self._count_on, daemon=True, name="worklist")
        self._thread.start()

    def renew(self) -> None:
        """Count anew what was counted by other models."""
        self._changed.set()
        if self._listed is not None:
            self._wanted.set()

    def close(self) -> None:
        """Stop counting."""
        self._stop.set()
        self._wanted.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def count(self) -> None:
        """Make the list once."""
        self._counting = True
        try:
            self._listed = self._made(self._scorer())
            self._failed = False
        except _Stopped:
            return
        except Exception as error:  # the thread must outlive whatever the store does
            LOGGER.error("the worklist was not counted: %s", type(error).__name__)
            self._failed = True
        finally:
            self._counting = False

    def _made(self, scorer: Scorer) -> Listed:
        customers, paying = scorer.store.customers(), scorer.states_money
        as_of, scores = scorer.at_risk(customers, LISTED, 1, self._breathe, paying)
        model = scorer.churn_model
        return Listed(as_of, scores, paying, len(customers), f"{model.name} {model.version}")

    def _count_on(self) -> None:
        while True:
            self._wanted.wait()
            if self._stop.is_set():
                return
            self._wanted.clear()
            self._changed.clear()
            began = time.monotonic()
            self.count()
            took = time.monotonic() - began
            self._changed.wait(AGAIN if self._failed else max(self._every, REST * took))

    def _breathe(self, done: int) -> None:
        """Let those who wait for an answer go first, and end where the service does."""
        if self._stop.wait(BREATH):
            raise _Stopped


class _Stopped(Exception):
    """The service ends."""
