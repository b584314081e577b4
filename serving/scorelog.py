"""The log of scores: what was said of whom, by which model, written beside the answers."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

EVERY = 0.2
"""Seconds between two writes: a score's answer does not wait for the disk."""
MOST, PART = 200_000, 10_000
"""Rows that may wait for a store that does not answer, and that are written at a time."""
LOGGER = logging.getLogger(__name__)


class ScoreLog:
    """Writes rows from a thread of its own, in order; ``close`` writes what is left.

    What was answered in the last moments before a process is killed may be missing.

    Args:
        write: writes rows durably, whole or not at all.
    """

    def __init__(self, write: Callable[[Sequence[dict[str, Any]]], None]) -> None:
        self._write = write
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._some, self._end, self._alone = threading.Event(), threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._failing = False

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Have rows written soon."""
        if self._thread is None:
            with self._alone:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, daemon=True, name="scores")
                    self._thread.start()
        self._waiting.extend(rows)
        self._some.set()

    def close(self) -> None:
        """Write what is left, and end."""
        self._end.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._end.is_set():
            self._some.wait()
            self._end.wait(EVERY)
            self._some.clear()
            self._flush_all()
            if self._waiting:
                self._some.set()
        self._flush_all()  # what came, or failed, after the last look

    def _flush_all(self) -> None:
        while self._waiting and self._flush():
            continue

    def _flush(self) -> bool:
        """Write some rows; where that fails they wait, and it is told once."""
        rows = [self._waiting.popleft() for _ in range(min(PART, len(self._waiting)))]
        try:
            self._write(rows)
        except SQLAlchemyError as error:
            self._waiting.extendleft(reversed(rows))
            if not self._failing:
                LOGGER.error("scores cannot be logged: %s", type(error.__cause__ or error).__name__)
            self._failing = True
            return False
        self._failing = False
        return True
