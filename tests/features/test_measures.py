"""Each measure on a case worked by hand: what oracle and engine could both get wrong."""

import math

import pytest

from features.composites import exchange, knowledge, stage, trust
from features.declaration import Signal
from features.interactions import Interaction
from features.measures import MEASURES
from features.offers import Offer, Value
from features.signals import attribute, calendar, days, interactions, offer_attribute, ratio
from tests.engines import ago, at, bits, missing, row_of, value_of
from tests.strategies import AS_OF, DAY

ALL, VALUE, NEGATIVE = interactions(), interactions(role="value"), interactions(role="negative")
# Bought 20, 14, 12 and 4 days ago: gaps of 6, 2 and 8 days, silent for 4.
BOUGHT = {20: 10.0, 14: None, 12: 30.0, 4: 20.0}
HISTORY = [
    Interaction("c", AS_OF - ago * DAY, AS_OF - ago * DAY, "purchase", amount=amount)
    for ago, amount in BOUGHT.items()
]
MEAN_GAP = 16 / 3


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (VALUE.count(why="w"), 4.0),
        (VALUE.count(days(12), why="w"), 2.0),
        (VALUE.reached(4, why="w"), 1.0),
        (VALUE.reached(5, why="w"), 0.0),
        (VALUE.reached(3, days(13), why="w"), 0.0),
        (VALUE.sum("amount", why="w"), 60.0),
        (VALUE.sum("amount", days(14), why="w"), 50.0),
        (VALUE.days_since_last(why="w"), 4.0),
        (VALUE.days_since_first(why="w"), 20.0),
        (VALUE.gap_ratio(why="w"), 0.75),
        (VALUE.mean("amount", why="w"), 20.0),
        (VALUE.mean("amount", days(13), why="w"), 25.0),
        (VALUE.minimum("amount", why="w"), 10.0),
        (VALUE.maximum("amount", days(5), why="w"), 20.0),
        (VALUE.last("amount", why="w"), 20.0),
        (VALUE.mean("amount", days(3), why="w"), math.nan),
        (VALUE.gap_mean(why="w"), MEAN_GAP),
        (VALUE.gap_longest(why="w"), 8.0),
        (VALUE.gap_percentile(why="w"), 1 / 3),
        (
            VALUE.gap_std(why="w"),
            math.sqrt(((6 - MEAN_GAP) ** 2 + (2 - MEAN_GAP) ** 2 + (8 - MEAN_GAP) ** 2) / 3),
        ),
        (VALUE.decayed_count(days(4), why="w"), 2**-5 + 2**-3.5 + 2**-3 + 2**-1),
        (VALUE.decayed_sum("amount", days(4), why="w"), 10 / 32 + 30 / 8 + 20 / 2),
        (VALUE.trend(days(7), why="w"), (1 - 2) / 3),
        (VALUE.trend(days(2), why="w"), -1.0),
        (VALUE.trend(days(1), why="w"), math.nan),
        (VALUE.trend_long_run(days(5), why="w"), (1 / 5 - 4 / 20) / (1 / 5 + 4 / 20)),
        (VALUE.trend_long_run(days(21), why="w"), math.nan),
    ],
    ids=lambda value: value[0].name if isinstance(value, tuple) else None,
)
def test_by_hand(signals: tuple[Signal, ...], expected: float) -> None:
    assert value_of(signals, HISTORY) == pytest.approx(expected, rel=1e-12, nan_ok=True)


KNOWLEDGE = knowledge({"city": False}, why="w")
# What each measure says of a customer without history: counts and sums are 0, the rest missing.
WITHOUT_HISTORY: dict[str, tuple[tuple[Signal, ...], Value]] = {
    "count": (VALUE.count(days(7), why="w"), 0.0),
    "reached": (VALUE.reached(1, why="w"), 0.0),
    "trend": (VALUE.trend(days(7), why="w"), None),
    "trend_long_run": (VALUE.trend_long_run(days(7), why="w"), None),
    "decayed_count": (VALUE.decayed_count(days(7), why="w"), 0.0),
    "decayed_sum": (VALUE.decayed_sum("amount", days(7), why="w"), 0.0),
    "erosion": (NEGATIVE.erosion(days(7), why="w"), 1.0),
    "count_since": (VALUE.count_since("negative", why="w"), 0.0),
    "count_after": (VALUE.count_after("negative", 7, why="w"), 0.0),
    "sum": (VALUE.sum("amount", why="w"), 0.0),
    "mean": (VALUE.mean("amount", why="w"), None),
    "minimum": (VALUE.minimum("amount", why="w"), None),
    "maximum": (VALUE.maximum("amount", why="w"), None),
    "last": (VALUE.last("amount", why="w"), None),
    "days_since_last": (VALUE.days_since_last(why="w"), None),
    "days_since_first": (VALUE.days_since_first(why="w"), None),
    "gap_mean": (VALUE.gap_mean(why="w"), None),
    "gap_ratio": (VALUE.gap_ratio(why="w"), None),
    "gap_std": (VALUE.gap_std(why="w"), None),
    "gap_longest": (VALUE.gap_longest(why="w"), None),
    "gap_percentile": (VALUE.gap_percentile(why="w"), None),
    "distinct": (ALL.distinct("channel", why="w"), 0.0),
    "favourite": (ALL.favourite("channel", why="w"), None),
    "favourite_share": (ALL.favourite_share("channel", why="w"), None),
    "fit": (ALL.fit("hour", why="w"), None),
    "repeated": (ALL.repeated("topic", 7, why="w"), 0.0),
    "case_contacts": (ALL.of_cases("case_contacts", why="w"), None),
    "case_contacts_most": (ALL.of_cases("case_contacts_most", why="w"), 0.0),
    "handovers": (ALL.of_cases("handovers", why="w"), 0.0),
    "handovers_most": (ALL.of_cases("handovers_most", why="w"), 0.0),
    "cases_open": (ALL.of_cases("cases_open", why="w"), 0.0),
    "oldest_open_case": (ALL.of_cases("oldest_open_case", why="w"), None),
    "cases_reopened": (ALL.of_cases("cases_reopened", why="w"), 0.0),
    "unresolved_share": (ALL.of_cases("unresolved_share", why="w"), None),
    "resolution_mean": (ALL.of_cases("resolution_mean", why="w"), None),
    "resolution_longest": (ALL.of_cases("resolution_longest", why="w"), None),
    "promises_kept": (ALL.of_cases("promises_kept", why="w"), 0.0),
    "promises_broken": (ALL.of_cases("promises_broken", why="w"), 0.0),
    "promise_erosion": (ALL.promise_erosion(days(7), why="w"), 1.0),
    "attribute": (attribute("city", why="w"), None),
    "offer_attribute": (offer_attribute("type", why="w"), None),
    "calendar": (calendar("weekday", why="w"), 0.0),
    "ratio": (
        ratio(NEGATIVE.count(why="w"), ALL.count(why="w"), prior=(0.25, 4.0), why="w"),
        0.25,
    ),
    "known": ((Signal("known", "w", parts=attribute("city", why="w")),), 0.0),
    "saturation": (KNOWLEDGE, 0.0),
    "trust": (trust(why="w"), 0.5),
    "exchange": (exchange(why="w"), 0.0),
    "stage": (stage(KNOWLEDGE, trust(why="w"), exchange(why="w"), why="w"), None),
}


@pytest.mark.parametrize("measure", MEASURES)
def test_of_a_customer_without_history_counts_are_zero_and_the_rest_is_missing(
    measure: str,
) -> None:
    signals, expected = WITHOUT_HISTORY[measure]
    got = value_of(signals, [])
    assert missing(got) if expected is None else got == expected


def test_one_purchase_has_no_gap_and_two_have_no_spread() -> None:
    signals = (*VALUE.gap_longest(why="w"), *VALUE.gap_std(why="w"), *VALUE.gap_mean(why="w"))
    assert all(map(missing, row_of(signals, HISTORY[:1])))
    longest, spread, mean = row_of(signals, HISTORY[:2])
    assert (longest, mean) == (6.0, 6.0)
    assert missing(spread)


def test_a_gap_as_long_as_the_silence_is_not_shorter_than_it() -> None:
    history = [at(ago(day)) for day in (12, 8, 4)]
    assert value_of(VALUE.gap_percentile(why="w"), history) == 0.0
    assert value_of(VALUE.gap_percentile(why="w"), history, AS_OF + 1) == 1.0


def test_all_at_one_moment_have_no_rhythm_to_measure_silence_by() -> None:
    twice = [at(ago(3)), at(ago(3))]
    assert value_of(VALUE.gap_mean(why="w"), twice) == 0.0
    assert missing(value_of(VALUE.gap_ratio(why="w"), twice))
    assert value_of(VALUE.gap_percentile(why="w"), twice) == 1.0


def test_the_latest_value_that_is_there_is_the_last_one() -> None:
    assert value_of(VALUE.last("amount", why="w"), HISTORY[:2]) == 10.0


def test_values_that_are_missing_are_no_least_and_no_greatest() -> None:
    history = [at(ago(3)), at(ago(2), amount=-4.0), at(ago(1))]
    signals = (*VALUE.minimum("amount", why="w"), *VALUE.maximum("amount", why="w"))
    assert row_of(signals, history) == [-4.0, -4.0]


def test_a_further_column_is_measured_like_the_amount() -> None:
    history = [at(ago(2), number={"points": 3.0, "stars": 9.0}), at(ago(1), number={"stars": 1.0})]
    signals = (*ALL.sum("points", why="w"), *ALL.last("points", why="w"))
    assert row_of(signals, history) == [3.0, 3.0]


@pytest.mark.parametrize(
    ("age_in_days", "remains"), [(0, 1.0), (7, 0.5), (14, 0.25), (21, 0.125), (70, 2**-10)]
)
def test_what_decays_counts_half_as_much_with_every_half_life(
    age_in_days: int, remains: float
) -> None:
    # A microsecond old at the least: what happens at as_of is not known.
    history = [at(AS_OF - age_in_days * DAY - (age_in_days == 0), amount=-8.0)]
    signals = (
        *VALUE.decayed_count(days(7), why="w"),
        *VALUE.decayed_sum("amount", days(7), why="w"),
    )
    assert row_of(signals, history) == pytest.approx([remains, -8.0 * remains], rel=1e-11)


@pytest.mark.parametrize(
    ("days_ago", "left"),
    [
        ((10,), 0.75),
        ((20,), 0.875),
        ((30,), 0.9375),
        ((20, 10), 0.65625),
        ((10, 10, 10), 0.421875),
    ],
)
def test_each_bad_experience_takes_half_and_gives_half_of_it_back_with_every_half_life(
    days_ago: tuple[int, ...], left: float
) -> None:
    history = [at(ago(day), "complaint") for day in days_ago]
    assert value_of(NEGATIVE.erosion(days(10), why="w"), history) == pytest.approx(left, rel=1e-14)


def test_negative_zero_is_zero() -> None:
    history = [at(ago(2), amount=-0.0, number={"points": -0.0}), at(ago(1), amount=-0.0)]
    signals = (
        *VALUE.sum("amount", why="w"),
        *VALUE.mean("amount", why="w"),
        *VALUE.minimum("amount", why="w"),
        *VALUE.last("amount", why="w"),
        *ALL.maximum("points", why="w"),
        *VALUE.decayed_sum("amount", days(7), why="w"),
        *interactions(where=("amount", ">=", 0.0)).count(why="w"),
        *interactions(where=("points", "==", 0.0)).count(why="w"),
    )
    assert bits(row_of(signals, history)) == bits([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 1.0])


def test_an_offer_that_nothing_was_about_is_counted_as_zero_and_without_one_it_is_missing() -> None:
    signals = (
        *ALL.count(same="topic", why="w"),
        *ALL.count(same="offer", why="w"),
        *ALL.days_since_last(same="offer", why="w"),
        *offer_attribute("topics", number=True, why="w"),
    )
    history = [at(ago(1), topic="TEA", offer_id="other")]
    about = row_of(signals, history, offer=Offer("o1", topics=frozenset({"MILK"})))
    assert bits(about) == bits([0.0, 0.0, math.nan, 1.0])
    assert all(map(missing, row_of(signals, history)))
