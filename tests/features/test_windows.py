"""When an interaction counts: the edges of a window, and the moment at which it was recorded.

One probe at a time: where it counts, each measure has the value given here, else the other one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import pytest

from features.declaration import Signal
from features.interactions import Interaction
from features.measures import MEASURES
from features.offers import Value
from features.signals import days, interactions
from tests.engines import HOUR, ago, at, bits, value_of
from tests.strategies import AS_OF, DAY

WEEK = days(7)
ALL, VALUE = interactions(), interactions(role="value")
Beside = Callable[[int], list[Interaction]]


def alone(probe: int) -> list[Interaction]:
    """Nothing beside the probe."""
    return []


def complaint_before(probe: int) -> list[Interaction]:
    return [at(probe - HOUR, "complaint")]


def same_topic_later(probe: int) -> list[Interaction]:
    return [at(AS_OF - 1, topic="TEA", interaction_id="2")]


def other_channel_later(probe: int) -> list[Interaction]:
    return [at(AS_OF - 1, "contact", case_id="k", channel="web", interaction_id="2")]


def unresolved_later(probe: int) -> list[Interaction]:
    return [at(AS_OF - 1, "contact", case_id="k", resolved=False, interaction_id="2")]


@dataclass(frozen=True)
class Case:
    """What a measure is with the probe and without it."""

    signals: Sequence[Signal]
    counted: Value
    otherwise: Value
    beside: Beside = alone

    def value(self, occurred_at: int, recorded_at: int | None = None) -> Value:
        probe = at(
            occurred_at,
            recorded_at=recorded_at,
            interaction_id="1",
            amount=5.0,
            channel="phone",
            topic="TEA",
            case_id="k",
            resolved=self.resolved,
            due_at=occurred_at,
        )
        return value_of(self.signals, [probe, *self.beside(occurred_at)])

    @property
    def resolved(self) -> bool:
        says_no = ("cases_open", "unresolved_share", "promises_broken")
        return self.signals[0].measure not in says_no


CASES = {
    "count": Case(VALUE.count(WEEK, why="w"), 1.0, 0.0),
    "reached": Case(VALUE.reached(1, WEEK, why="w"), 1.0, 0.0),
    "count_since": Case(VALUE.count_since("negative", WEEK, why="w"), 1.0, 0.0, complaint_before),
    "count_after": Case(
        VALUE.count_after("negative", 1, WEEK, why="w"), 1.0, 0.0, complaint_before
    ),
    "sum": Case(VALUE.sum("amount", WEEK, why="w"), 5.0, 0.0),
    "mean": Case(VALUE.mean("amount", WEEK, why="w"), 5.0, nan),
    "minimum": Case(VALUE.minimum("amount", WEEK, why="w"), 5.0, nan),
    "maximum": Case(VALUE.maximum("amount", WEEK, why="w"), 5.0, nan),
    "last": Case(VALUE.last("amount", WEEK, why="w"), 5.0, nan),
    "distinct": Case(ALL.distinct("topic", WEEK, why="w"), 1.0, 0.0),
    "favourite": Case(ALL.favourite("channel", WEEK, why="w"), "phone", None),
    "favourite_share": Case(ALL.favourite_share("hour", WEEK, why="w"), 1.0, nan),
    "repeated": Case(ALL.repeated("topic", 7, WEEK, why="w"), 1.0, 0.0, same_topic_later),
    "case_contacts": Case(ALL.of_cases("case_contacts", WEEK, why="w"), 1.0, nan),
    "case_contacts_most": Case(ALL.of_cases("case_contacts_most", WEEK, why="w"), 1.0, 0.0),
    "handovers": Case(ALL.of_cases("handovers", WEEK, why="w"), 1.0, 0.0, other_channel_later),
    "handovers_most": Case(
        ALL.of_cases("handovers_most", WEEK, why="w"), 1.0, 0.0, other_channel_later
    ),
    "cases_open": Case(ALL.of_cases("cases_open", WEEK, why="w"), 1.0, 0.0),
    "cases_reopened": Case(
        ALL.of_cases("cases_reopened", WEEK, why="w"), 1.0, 0.0, unresolved_later
    ),
    "unresolved_share": Case(ALL.of_cases("unresolved_share", WEEK, why="w"), 1.0, nan),
    "resolution_mean": Case(ALL.of_cases("resolution_mean", WEEK, why="w"), 0.0, nan),
    "resolution_longest": Case(ALL.of_cases("resolution_longest", WEEK, why="w"), 0.0, nan),
    "promises_kept": Case(ALL.of_cases("promises_kept", WEEK, why="w"), 1.0, 0.0),
    "promises_broken": Case(ALL.of_cases("promises_broken", WEEK, why="w"), 1.0, 0.0),
}
BY_HAND = {"trend", "trend_long_run", "fit", "oldest_open_case"}
"""Measures whose value depends on where in the window the probe lies; each has its own test."""


def test_every_measure_with_a_window_is_tested_on_its_edges() -> None:
    windowed = {measure.name for measure in MEASURES.values() if measure.windowed}
    assert windowed == set(CASES) | BY_HAND


@pytest.mark.parametrize("measure", CASES)
def test_a_window_begins_on_its_far_edge_and_ends_before_as_of(measure: str) -> None:
    case = CASES[measure]
    assert bits([case.value(AS_OF)]) == bits([case.otherwise]), "exactly at as_of"
    assert bits([case.value(AS_OF - 1)]) == bits([case.counted]), "a microsecond before as_of"
    assert bits([case.value(AS_OF - 7 * DAY)]) == bits([case.counted]), "on the far edge"
    assert bits([case.value(AS_OF - 7 * DAY - 1)]) == bits([case.otherwise]), "beyond the far edge"


@pytest.mark.parametrize("measure", CASES)
def test_what_is_recorded_at_as_of_or_later_is_not_known_yet(measure: str) -> None:
    case = CASES[measure]
    assert bits([case.value(ago(3), AS_OF - 1)]) == bits([case.counted]), "recorded just before"
    assert bits([case.value(ago(3), AS_OF)]) == bits([case.otherwise]), "recorded at as_of"
    assert bits([case.value(ago(3), AS_OF + DAY)]) == bits([case.otherwise]), "recorded later"


@pytest.mark.parametrize(
    ("what", "occurred_at", "trend"),
    [
        ("at as_of: not yet known", AS_OF, nan),
        ("a microsecond before as_of: begun", AS_OF - 1, 1.0),
        ("on the far edge of the window: begun", AS_OF - 7 * DAY, 1.0),
        ("a microsecond beyond it: stopped", AS_OF - 7 * DAY - 1, -1.0),
        ("on the far edge of the window before: stopped", AS_OF - 14 * DAY, -1.0),
        ("a microsecond beyond that: neither", AS_OF - 14 * DAY - 1, nan),
    ],
)
def test_a_trend_compares_a_window_with_the_one_before(
    what: str, occurred_at: int, trend: float
) -> None:
    assert bits([value_of(VALUE.trend(WEEK, why="w"), [at(occurred_at)])]) == bits([trend]), what


@pytest.mark.parametrize(
    ("what", "first", "expected"),
    [
        ("as old as the window: its own rate, 2 in 7 days twice", AS_OF - 7 * DAY, 0.0),
        ("a microsecond younger: too young to tell", AS_OF - 7 * DAY + 1, nan),
        # 1 in 7 days against 2 in 28 days: 4/28 against 2/28
        ("four windows old", AS_OF - 28 * DAY, (4 - 2) / (4 + 2)),
    ],
)
def test_a_long_run_trend_needs_a_history_as_long_as_the_window(
    what: str, first: int, expected: float
) -> None:
    history = [at(first), at(ago(1))]
    value = value_of(VALUE.trend_long_run(WEEK, why="w"), history)
    assert value == pytest.approx(expected, rel=1e-15, nan_ok=True), what


def test_a_long_run_trend_of_a_window_without_any_is_minus_one() -> None:
    assert value_of(VALUE.trend_long_run(WEEK, why="w"), [at(AS_OF - 7 * DAY - 1)]) == -1.0


def test_trends_leave_out_what_was_recorded_late() -> None:
    history = [at(ago(8)), at(ago(3), recorded_at=AS_OF)]
    assert value_of(VALUE.trend(WEEK, why="w"), history) == -1.0
    assert value_of(VALUE.trend_long_run(WEEK, why="w"), history) == -1.0


def test_a_fit_looks_at_the_window_alone() -> None:
    # AS_OF is the first moment of a Monday.
    fit = ALL.fit("weekday", WEEK, why="w")
    a_week_ago, on_tuesday = at(AS_OF - 7 * DAY), at(ago(6))
    assert value_of(fit, [a_week_ago, on_tuesday]) == 0.5
    assert value_of(fit, [at(AS_OF - 7 * DAY - 1), on_tuesday]) == 0.0
    assert value_of(fit, [at(AS_OF - 1)]) == 0.0
    assert bits([value_of(fit, [at(AS_OF)])]) == bits([nan])


def test_the_age_of_an_open_case_counts_from_its_first_contact_in_the_window() -> None:
    oldest = ALL.of_cases("oldest_open_case", WEEK, why="w")
    later = at(ago(2), case_id="k")
    assert value_of(oldest, [at(AS_OF - 7 * DAY, case_id="k"), later]) == 7.0
    assert value_of(oldest, [at(AS_OF - 7 * DAY - 1, case_id="k"), later]) == 2.0
    assert value_of(oldest, [at(AS_OF - 1, case_id="k")]) == 1 / DAY
    assert bits([value_of(oldest, [at(AS_OF, case_id="k")])]) == bits([nan])


@pytest.mark.parametrize(
    ("signals", "just_before"),
    [
        (VALUE.days_since_last(why="w"), 1 / DAY),
        (VALUE.days_since_first(why="w"), 1 / DAY),
        (VALUE.decayed_count(days(1), why="w"), 1.0),
        (VALUE.decayed_sum("amount", days(1), why="w"), 1.0),
        (interactions(kind="purchase").erosion(days(1), why="w"), 0.5),
    ],
    ids=lambda value: value[0].name if isinstance(value, tuple) else None,
)
def test_the_whole_history_too_ends_before_as_of(
    signals: tuple[Signal, ...], just_before: float
) -> None:
    nothing = value_of(signals, [])
    value = value_of(signals, [at(AS_OF - 1, amount=1.0)])
    assert value == pytest.approx(just_before, rel=1e-10)
    assert bits([value_of(signals, [at(AS_OF, amount=1.0)])]) == bits([nothing])
    late = at(AS_OF - DAY, amount=1.0, recorded_at=AS_OF)
    assert bits([value_of(signals, [late])]) == bits([nothing])


def test_what_is_recorded_before_it_happens_counts_only_once_it_has_happened() -> None:
    booked = at(AS_OF, recorded_at=ago(5))
    assert value_of(VALUE.count(why="w"), [booked]) == 0.0
    assert value_of(VALUE.count(why="w"), [booked], AS_OF + 1) == 1.0


def test_one_late_recording_hides_itself_alone() -> None:
    late = at(ago(3), recorded_at=AS_OF + DAY)
    history = [at(ago(4)), late, at(ago(2))]
    assert value_of(VALUE.count(WEEK, why="w"), history) == 2.0
    assert value_of(VALUE.count(WEEK, why="w"), history, AS_OF + DAY) == 2.0
    assert value_of(VALUE.count(WEEK, why="w"), history, AS_OF + DAY + 1) == 3.0


def test_others_that_were_recorded_late_are_not_compared_with_yet() -> None:
    late = at(ago(3), "complaint", recorded_at=AS_OF)
    history = [late, at(ago(2.5))]
    assert value_of(VALUE.count_after("negative", 1, why="w"), history) == 0.0
    assert value_of(VALUE.count_after("negative", 1, why="w"), history, AS_OF + 1) == 1.0
    earlier = at(ago(3.5))
    since = VALUE.count_since("negative", why="w")
    assert value_of(since, [earlier, *history]) == 2.0
    assert value_of(since, [earlier, *history], AS_OF + 1) == 1.0


def test_others_that_happen_at_as_of_or_later_are_not_compared_with() -> None:
    history = [at(ago(2)), at(AS_OF, "complaint"), at(AS_OF + DAY, "complaint")]
    assert value_of(VALUE.count_since("negative", why="w"), history) == 1.0
    assert value_of(VALUE.count_since("negative", why="w"), history, AS_OF + 1) == 0.0
