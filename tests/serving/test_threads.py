"""Many threads at a time: every answer is the one that a single thread gives, while models swap."""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features import clock
from features.interactions import Interaction
from features.settings import Settings
from serving import answers
from serving.live import LiveScorer
from serving.schemas import ChurnRequest
from serving.scorer import Scorer
from serving.store import Store
from tests.registries import copy_of, crown, register, source_of
from training.bundle import load_bundle, save_bundle

CALLS = max(40_000, int(os.environ.get("RAPPORT_EXAMPLES", "0")))
THREADS, ALTERNATELY = 16, ("1", "2")
Question = ChurnRequest | int
"""What is asked: a request, or the reasons of the row of that number, from both models."""


@pytest.fixture
def live(shop: Settings, store: Store, tmp_path: Path) -> LiveScorer:
    """Models of a registry of the test's own, with a second version that answers otherwise."""
    folder = tmp_path / "own"
    folder.mkdir()
    own = copy_of(shop, folder)
    source = source_of(own, "churn", tmp_path / "other")
    first = load_bundle(source / "artifacts" / "bundle")
    bent = replace(first.calibrator, shift=first.calibrator.shift + 0.5)
    other = replace(first, calibrator=bent, card=replace(first.card, base_rate=0.5))
    save_bundle(other, source / "artifacts" / "bundle")
    assert register(own, "churn", str(source)) == "2"
    crown(own, "churn", "1")
    return LiveScorer(own, store)


def questions(store: Store) -> list[Question]:
    """Return requests by stored and by given histories, as of one instant, and rows of signals."""
    as_of = clock.isoformat(store.as_of())
    customers = store.customers()[:60]
    stored = [{"customers": customers[n : n + 2], "reasons": n % 21} for n in range(0, 60, 2)]
    given = [
        {
            "histories": [
                {
                    "customer_id": customer,
                    "interactions": [
                        {
                            "kind": item.kind,
                            "occurred_at": clock.isoformat(item.occurred_at),
                            "amount": item.amount,
                        }
                        for item in items[:20]
                    ],
                }
            ]
        }
        for customer, (items, _) in store.histories(customers[::3]).items()
    ]
    requests = [ChurnRequest.model_validate({**plain, "as_of": as_of}) for plain in stored + given]
    return [*requests, *range(50)]


def answer(scorer: Scorer, question: Question) -> str:
    """Return all that a scorer says to a question, to the last bit."""
    if isinstance(question, ChurnRequest):
        return answers.churn(scorer, question).model_dump_json()
    assert scorer.offer_model is not None
    told = []
    for bundle in (scorer.churn_model.bundle, scorer.offer_model.bundle):
        dice = np.random.default_rng(question)
        row = dice.choice([0.0, 1.0, 7.0, 90.0, np.nan], (1, len(bundle.plan.signals)))
        explained = bundle.explain(row)
        told += [explained.probability.tobytes().hex(), explained.effects.tobytes().hex()]
    return " ".join(told)


@pytest.mark.parametrize("calls", [2_000, pytest.param(CALLS, marks=pytest.mark.slow)])
def test_every_answer_is_that_of_one_thread_while_models_swap(
    live: LiveScorer, store: Store, calls: int
) -> None:
    asked, settings = questions(store), live._settings
    expected: dict[str, list[str]] = {}
    for version in ALTERNATELY:
        crown(settings, "churn", version)
        live.refresh()
        expected[version] = [answer(live.scorer, question) for question in asked]
    assert expected["1"][0] != expected["2"][0]
    wrong: list[int] = []
    done = threading.Event()

    def work(number: int) -> Counter[str]:
        dice = random.Random(number)
        mine: Counter[str] = Counter()
        for _ in range(calls // THREADS):
            place, scorer = dice.randrange(len(asked)), live.scorer
            version = scorer.churn_model.version
            if answer(scorer, asked[place]) != expected[version][place]:
                wrong.append(place)
            mine[version] += 1
        return mine

    def swap() -> int:
        """Swap to and fro, and record more, which no answer as of before it may show."""
        swaps = 0
        while not done.wait(0.05):
            crown(settings, "churn", ALTERNATELY[swaps % 2])
            swaps += live.refresh()
            now = store.now()
            store.record([Interaction(c, now, now, "purchase") for c in store.customers()[:60]])
        return swaps

    with ThreadPoolExecutor(THREADS + 1) as pool:
        swapping = pool.submit(swap)
        try:
            given = sum(pool.map(work, range(THREADS)), Counter[str]())
        finally:
            done.set()
        assert swapping.result() >= 2
    assert wrong == []
    assert given.total() == calls // THREADS * THREADS
    assert set(given) == set(ALTERNATELY)
