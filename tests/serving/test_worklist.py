"""The worklist: counted when somebody looks, again when the models are others, never in the way."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serving.pages import worklist as module
from serving.pages.worklist import Worklist
from serving.scorer import Scorer


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


@pytest.fixture
def worklist(scorer: Scorer) -> Iterator[Worklist]:
    made = Worklist(lambda: scorer, every=1_000.0)
    yield made
    made.close()


def test_nothing_is_counted_before_somebody_looks(worklist: Worklist) -> None:
    worklist.start()
    time.sleep(0.2)
    assert (worklist._listed, worklist.counting) == (None, False)
    assert worklist.look() is None
    until(worklist.look)
    found = worklist.look()
    assert found is not None
    assert (len(found.scores), found.paying) == (25, False)
    risks = [score.probability for score in found.scores]
    assert risks == sorted(risks, reverse=True)
    assert {score.status for score in found.scores} == {"in_cohort"}


def test_other_models_make_another_list(worklist: Worklist) -> None:
    worklist.start()
    worklist.renew()  # there is nothing to renew yet
    worklist.look()
    until(worklist.look)
    first = worklist.look()
    assert worklist.look() is first
    worklist.renew()
    until(lambda: worklist.look() is not first)


def test_it_is_renewed_while_it_is_looked_at(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REST", 0)
    worklist = Worklist(lambda: scorer, every=0.01)
    worklist.start()
    seen: set[int] = set()

    def look() -> bool:
        found = worklist.look()
        seen.update([id(found)] if found else [])
        return len(seen) > 2

    until(look)
    until(lambda: not (worklist.counting or worklist._wanted.is_set()))
    last = worklist._listed
    time.sleep(0.2)
    assert worklist._listed is last  # nobody looked
    worklist.close()


def test_a_store_that_fails_is_told_and_asked_again(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    broken = threading.Event()
    broken.set()

    def given() -> Scorer:
        if broken.is_set():
            raise OSError("customer 0001")
        return scorer

    told: list[Any] = []
    monkeypatch.setattr(module.LOGGER, "error", lambda *said: told.append(said))
    worklist = Worklist(given)
    worklist.start()
    worklist.look()
    until(lambda: worklist.failed)
    assert told[0] == ("the worklist was not counted: %s", "OSError")
    broken.clear()
    until(worklist.look)
    assert not worklist.failed
    worklist.close()


def test_it_stops_in_the_middle_of_counting(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    breathe = Worklist._breathe

    def slow(self: Worklist, done: int) -> None:
        begun.set()
        time.sleep(0.2)
        breathe(self, done)

    monkeypatch.setattr(Worklist, "_breathe", slow)
    worklist = Worklist(lambda: scorer)
    worklist.start()
    worklist.look()
    assert begun.wait(30)
    worklist.close()
    assert worklist._thread is not None
    assert not worklist._thread.is_alive()
    assert worklist._listed is None
