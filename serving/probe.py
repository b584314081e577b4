"""The store's pulse: whether it answers, and how long ago it last moved on."""

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from serving.metrics import meters
from serving.store import Store

EVERY, PATIENCE = 2.0, 5.0
LOGGER = logging.getLogger(__name__)


class Pulse:
    """Asks the store from a thread of its own, so that readiness need not wait for it.

    A store that does not come back with an answer is one that does not answer.

    Args:
        store: who is asked.
        every: seconds between two questions.
        patience: seconds without an answer before it counts as gone.
    """

    def __init__(self, store: Store, every: float = EVERY, patience: float = PATIENCE) -> None:
        self._store, self._every, self._patience = store, every, patience
        self._answered = float("-inf")
        self._failed = True
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def beats(self) -> bool:
        """Whether the store answered lately."""
        late = time.monotonic() - self._answered > self._every + self._patience
        return not (self._failed or late)

    def start(self) -> None:
        """Ask from now on, until ``close``."""
        self._thread = threading.Thread(target=self._ask_on, daemon=True, name="pulse")
        self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def ask(self) -> None:
        """Ask once."""
        try:
            last = self._store.last_recorded()
        except SQLAlchemyError as error:
            if self.beats:
                LOGGER.error("the store does not answer: %s", type(error).__name__)
            self._failed = True
            return
        self._answered, self._failed = time.monotonic(), False
        meters().lag.set(max(self._store.now() - last, 0) / 1e6)

    def _ask_on(self) -> None:
        self.ask()
        while not self._stop.wait(self._every):
            self.ask()
