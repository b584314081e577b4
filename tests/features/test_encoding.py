"""What the kernel is handed: arrays no larger than what the signals read of them."""

from dataclasses import replace

import numpy as np
import pytest

from features import batch, chunks, online
from features.arrays import DAY as DAY_ROW
from features.declaration import Signal
from features.encoding import local_codes
from features.interactions import Interaction
from features.measures import CODE_COLUMNS
from features.offers import Offer
from features.plan import compile_plan
from features.signals import interactions
from tests import engines
from tests.engines import ago, at, history_of, row_of, spine_of
from tests.strategies import AS_OF, DAY, ROLES

ALL = interactions()
YEAR_1 = -719_162 * DAY
OFFERS = [Offer("o1", topics=frozenset({"TEA"})), Offer("o2", topics=frozenset({"never"}))]
HISTORY = [
    *(at(ago(n), topic="TEA", case_id=f"k{n}", offer_id=f"o{n}") for n in range(1, 30)),
    at(ago(3), topic="MILK"),
    at(ago(2), topic=None),
]


@pytest.mark.parametrize(
    ("what", "signals", "width"),
    [
        ("no signal is keyed", ALL.distinct("topic", why="w"), 0),
        ("keyed by the offer alone", ALL.count(same="offer", why="w"), 0),
        ("as wide as the topics", ALL.count(same="topic", why="w"), 2),
        (
            "whatever else has categories",
            (
                *ALL.count(same="topic", why="w"),
                *ALL.distinct("case_id", why="w"),
                *ALL.distinct("day", why="w"),
                *ALL.count(same="offer", why="w"),
            ),
            2,
        ),
    ],
)
def test_the_table_of_offers_is_as_wide_as_topics_only(
    what: str, signals: tuple[Signal, ...], width: int
) -> None:
    encoded = online.encode(compile_plan(signals, ROLES), HISTORY, AS_OF, (), OFFERS)
    assert encoded.offers.topics.shape == (2, width), what


def test_a_topic_met_after_other_categories_is_within_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a later chunk its code is high: above those of all topics of the first."""
    monkeypatch.setattr(chunks, "CHUNK", 1)
    signals = (*ALL.count(same="topic", why="w"), *ALL.favourite("channel", why="w"))
    plan = compile_plan(signals, ROLES)
    offer = OFFERS[0]
    first = [at(ago(n), channel=f"c{n}", topic=f"t{n}") for n in range(1, 9)]
    last = [at(ago(1), channel="new", topic="TEA"), at(ago(2), topic="other")]
    customers: engines.Customers = {"a": (_of("a", first), []), "b": (_of("b", last), [])}
    rows = [("a", AS_OF, offer), ("b", AS_OF, offer)]
    values = batch.compute(plan, history_of(customers, rows), spine_of(rows))
    assert [values.row(n) for n in range(2)] == [[0.0, "c1"], [1.0, "new"]]


def test_codes_of_days_are_as_few_as_days() -> None:
    signals = ALL.distinct("day", why="w")
    history = [at(YEAR_1), at(ago(2)), at(ago(2) + 1), at(ago(1))]
    encoded = online.encode(compile_plan(signals, ROLES), history, AS_OF)
    assert encoded.histories.n_codes <= len(history)
    assert row_of(signals, history) == [3.0]


@pytest.mark.parametrize("first", [YEAR_1, ago(400), ago(3)])
def test_codes_of_days_tell_days_apart_however_far_apart_they_are(first: int) -> None:
    signals = (
        *ALL.distinct("day", why="w"),
        *ALL.favourite_share("day", why="w"),
        *ALL.repeated("day", 1, why="w"),
    )
    plan = compile_plan(signals, ROLES)
    history = [at(first), at(ago(0)), *(at(ago(2) + n) for n in range(3))]
    occurred = np.array([item.occurred_at for item in history], dtype=np.int64)
    codes = np.full((len(CODE_COLUMNS), len(history)), -1, dtype=np.int32)
    local_codes(plan, occurred, codes)
    found = codes[DAY_ROW].tolist()
    assert len({found[0], found[1], found[2]}) == 3
    assert len(set(found[2:])) == 1
    assert set(found) <= set(range(len(history)))
    assert row_of(signals, history, AS_OF + DAY) == [3.0, 0.6, 2.0]


def test_cases_are_counted_apart_from_other_codes() -> None:
    signals = (*ALL.distinct("offer_id", why="w"), *ALL.of_cases("cases_open", why="w"))
    history = [at(ago(n), offer_id=f"o{n}", case_id=f"k{n % 3}") for n in range(1, 30)]
    encoded = online.encode(compile_plan(signals, ROLES), history, AS_OF)
    assert (encoded.histories.n_codes, encoded.histories.n_cases) == (29, 3)
    assert row_of(signals, history) == [29.0, 3.0]
    without = online.encode(compile_plan(signals[:1], ROLES), history, AS_OF)
    assert without.histories.n_cases == 0


def _of(customer: str, items: list[Interaction]) -> list[Interaction]:
    return [replace(item, customer_id=customer) for item in items]
