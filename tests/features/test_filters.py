"""Which interactions a signal takes: by role, kind, channel, topic, comparison and offer."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from features.declaration import Signal
from features.interactions import Interaction
from features.measures import MEASURES
from features.offers import Offer, Value
from features.signals import Interactions, days, interactions
from tests.engines import ago, at, missing, row_of, value_of
from tests.strategies import SIGNALS

# The roles of the tests: value is purchase and renewal, detail is item, negative is complaint.
HISTORY = [
    at(ago(5), "purchase", channel="web", topic="TEA", amount=1.0),
    at(ago(4), "renewal", channel="web", topic="MILK", amount=2.0),
    at(ago(3), "complaint", channel="phone", topic="TEA", amount=4.0),
    at(ago(2), "item", topic="TEA", amount=8.0),
    at(ago(1), "unheard_of", channel="", topic="", amount=16.0),
]


@pytest.mark.parametrize(
    ("what", "chosen", "total"),
    [
        ("everything, kinds of no role too", interactions(), 31.0),
        ("all kinds of a role", interactions(role="value"), 3.0),
        ("a role that no kind has", interactions(role="contact"), 0.0),
        ("one kind", interactions(kind="renewal"), 2.0),
        ("a kind of no role", interactions(kind="unheard_of"), 16.0),
        ("a kind that never occurs", interactions(kind="swap"), 0.0),
        ("a kind in a role", interactions(role="value", kind="renewal"), 2.0),
        ("a kind outside the role", interactions(role="value", kind="complaint"), 0.0),
        ("a channel, not a missing one", interactions(channel="web"), 3.0),
        ("a channel that never occurs", interactions(channel="fax"), 0.0),
        ("a topic", interactions(topic="TEA"), 13.0),
        ("a text as channel is not the same as topic", interactions(channel="TEA"), 0.0),
        ("a role on a channel", interactions(role="value", channel="web"), 3.0),
        ("a role on a topic", interactions(role="value", topic="TEA"), 1.0),
        ("a channel and a topic", interactions(channel="web", topic="MILK"), 2.0),
        (
            "all at once",
            interactions(role="value", channel="web", topic="TEA", where=("amount", "<", 2.0)),
            1.0,
        ),
    ],
)
def test_filters_take_what_they_name(what: str, chosen: Interactions, total: float) -> None:
    assert value_of(chosen.sum("amount", why="w"), HISTORY) == total, what


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("<", 1.0, 0.0, 0.0),
        ("<=", 1.0, 1.0, 0.0),
        (">", 0.0, 0.0, 1.0),
        (">=", 0.0, 1.0, 1.0),
        ("==", 0.0, 1.0, 0.0),
        ("!=", 1.0, 0.0, 1.0),
    ],
)
def test_a_comparison_holds_below_at_and_above_its_bound(
    comparison: str, below: float, equal: float, above: float
) -> None:
    signals = interactions(where=("rating", comparison, 0.5)).count(why="w")
    got = [value_of(signals, [at(ago(1), rating=rating)]) for rating in (0.25, 0.5, 0.75)]
    assert got == [below, equal, above]


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_never_holds_of_a_missing_value(comparison: str) -> None:
    history = [at(ago(1), rating=None, resolved=None)]
    for column in ("rating", "resolved", "points"):
        signals = interactions(where=(column, comparison, 0.0)).count(why="w")
        assert value_of(signals, history) == 0.0, column


def test_resolved_compares_as_one_or_zero() -> None:
    history = [at(ago(3), resolved=True), at(ago(2), resolved=False), at(ago(1))]
    signals = (
        *interactions(where=("resolved", "==", 1.0)).count(why="w"),
        *interactions(where=("resolved", "<", 0.5)).count(why="w"),
        *interactions(where=("resolved", "!=", 1.0)).days_since_last(why="w"),
    )
    assert row_of(signals, history) == [1.0, 1.0, 2.0]


def test_a_further_column_can_be_compared() -> None:
    history = [at(ago(2), number={"points": 10.0}), at(ago(1), number={"points": 9.0})]
    assert value_of(interactions(where=("points", ">", 9.5)).count(why="w"), history) == 1.0


ITEMS = [
    at(ago(9), "item", topic="TEA", offer_id="o1", amount=1.0),
    at(ago(6), "item", topic="MILK", offer_id="o2", amount=2.0),
    at(ago(4), "item", topic=None, offer_id=None, amount=4.0),
    at(ago(2), "item", topic="TEA", offer_id="o2", amount=8.0),
    at(ago(1), "purchase", topic="MILK", offer_id="o1", amount=16.0),
]
DETAIL = interactions(role="detail")


def about(signals: Sequence[Signal], *topics: str, offer_id: str = "o1") -> Value:
    return value_of(signals, ITEMS, offer=Offer(offer_id, topics=frozenset(topics)))


def test_a_signal_keyed_by_topic_takes_what_shares_one_of_the_offers_topics() -> None:
    total = DETAIL.sum("amount", same="topic", why="w")
    assert about(total, "TEA") == 9.0
    assert about(total, "MILK") == 2.0
    assert about(total, "TEA", "MILK") == 11.0
    assert about(total, "BREAD") == 0.0
    assert about(total) == 0.0


def test_a_signal_keyed_by_topic_still_looks_at_its_role_and_window_alone() -> None:
    assert about(DETAIL.count(days(7), same="topic", why="w"), "TEA") == 1.0
    assert about(DETAIL.days_since_last(same="topic", why="w"), "MILK") == 6.0
    assert about(interactions().days_since_last(same="topic", why="w"), "MILK") == 1.0
    assert missing(about(DETAIL.mean("amount", days(5), same="topic", why="w"), "MILK"))
    assert about(DETAIL.decayed_count(days(3), same="topic", why="w"), "MILK") == 0.25


def test_a_signal_keyed_by_offer_takes_what_is_about_the_offer_itself() -> None:
    total = interactions().sum("amount", same="offer", why="w")
    assert about(total, "MILK") == 17.0
    assert about(total, "MILK", offer_id="o2") == 10.0
    assert about(total, "MILK", offer_id="never seen") == 0.0
    assert about(interactions().days_since_last(same="offer", why="w"), offer_id="o2") == 2.0


@pytest.mark.parametrize(
    ("same", "expected"),
    [("topic", [1.0, 0.0, 1.0, 8.0, 8.0, 5.0]), ("offer", [1.0, 0.0, 2.0, 4.0, 4.0, 4.0])],
)
def test_every_keyed_measure_takes_what_is_about_the_offer(
    same: str, expected: list[float]
) -> None:
    """Of HISTORY, TEA are 1.0, 4.0 and 8.0 of days 5, 3 and 2; about the offer 2.0 and 4.0 of
    days 4 and 3."""
    anything, history = (
        interactions(),
        [replace(item, offer_id="o1") if item.amount in (2.0, 4.0) else item for item in HISTORY],
    )
    signals = (
        *anything.reached(2, same=same, why="w"),
        *anything.reached(4, same=same, why="w"),
        *anything.minimum("amount", same=same, why="w"),
        *anything.maximum("amount", same=same, why="w"),
        *anything.last("amount", same=same, why="w"),
        *anything.days_since_first(same=same, why="w"),
    )
    offer = Offer("o1", topics=frozenset({"TEA"}))
    assert row_of(signals, history, offer=offer) == expected
    assert all(missing(value) for value in row_of(signals, history))


def test_a_keyed_decayed_sum_by_hand() -> None:
    decayed = interactions().decayed_sum("amount", days(1), same="topic", why="w")
    offer = Offer("o1", topics=frozenset({"TEA"}))
    assert value_of(decayed, HISTORY, offer=offer) == 1 / 32 + 4 / 8 + 8 / 4


def test_every_measure_that_can_be_keyed_can_be_declared_so() -> None:
    held = {s.measure for s in SIGNALS if s.same == "topic"}
    assert held == {name for name, measure in MEASURES.items() if measure.keyed}


def test_two_offers_beside_each_other_keep_their_own_values() -> None:
    offers = [Offer("o1", topics=frozenset({"TEA"})), Offer("o2", topics=frozenset({"MILK"}))]
    signals = (
        *DETAIL.sum("amount", same="topic", why="w"),
        *DETAIL.sum("amount", same="offer", why="w"),
        *DETAIL.sum("amount", why="w"),
    )
    assert [row_of(signals, ITEMS, offer=offer) for offer in offers] == [
        [9.0, 1.0, 15.0],
        [2.0, 10.0, 15.0],
    ]


def test_a_late_recording_is_filtered_like_any_other() -> None:
    history: list[Interaction] = [
        at(ago(3), "purchase", channel="web", recorded_at=ago(1)),
        at(ago(2), "purchase", channel="phone"),
        at(ago(2), "complaint", channel="web"),
    ]
    web = interactions(role="value", channel="web").count(why="w")
    assert value_of(web, history, ago(1.5)) == 0.0
    assert value_of(web, history) == 1.0
