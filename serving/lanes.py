"""Lanes: in which threads answers are computed, so that few compute at the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

A = TypeVar("A")
Lane = Literal["short", "long", "offers"]
WAITING = 4
"""Short answers at a time where each waits for a database elsewhere."""
SHORT, FEW = 10, 2_000
"""Customers whose scores are a short answer, and interactions where these are given."""


class Lanes:
    """Threads in which answers are computed, each lane's in the order in which they were asked.

    Threads of one interpreter that compute get in each other's way: eight at a time gave two
    thirds of the answers that one gives after another (``docs/serving-speed.md``). Long answers
    and decisions, which wait for the disk, have lanes of their own, so that short ones do not wait
    for them.

    Args:
        embedded: whether the store is a part of this process: nothing waits for a database then.
    """

    def __init__(self, embedded: bool = True) -> None:
        width: dict[Lane, int] = {"short": 1 if embedded else WAITING, "long": 2, "offers": 2}
        self._threads = {
            lane: ThreadPoolExecutor(n, thread_name_prefix=lane) for lane, n in width.items()
        }

    async def run(self, lane: Lane, compute: Callable[..., A], *given: Any) -> A:
        """Compute something in a lane."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads[lane], compute, *given)
