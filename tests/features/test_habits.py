"""Habits and comparisons: favourites, repeats, and what came after what."""

import math

import pytest

from features.declaration import Signal
from features.interactions import Interaction
from features.signals import days, interactions
from tests.engines import ago, at, missing, row_of, value_of
from tests.strategies import AS_OF, DAY

ALL, VALUE = interactions(), interactions(role="value")
# AS_OF is midnight, the first moment of a Monday, UTC.


def on_channels(*channels: str | None) -> list[Interaction]:
    """One interaction a day, the last one yesterday."""
    n = len(channels)
    return [at(ago(n - i), channel=channel) for i, channel in enumerate(channels)]


@pytest.mark.parametrize(
    ("what", "channels", "favourite", "share"),
    [
        ("the most frequent, wherever it is", ("a", "a", "b"), "a", 2 / 3),
        ("of two, the one seen last", ("a", "b"), "b", 1 / 2),
        ("of two, the one seen last", ("b", "a", "a", "b"), "b", 1 / 2),
        ("of two, the one seen last, whatever came after", ("a", "b", "a", "b", "c"), "b", 2 / 5),
        ("missing ones are left out", (None, "a", None, None), "a", 1.0),
        ("only missing ones", (None, None), None, math.nan),
        ("an empty text is a category", ("", "", "a"), "", 2 / 3),
    ],
)
def test_the_favourite_is_the_most_frequent_and_of_several_the_one_seen_last(
    what: str, channels: tuple[str | None, ...], favourite: str | None, share: float
) -> None:
    history = on_channels(*channels)
    assert value_of(ALL.favourite("channel", why="w"), history) == favourite, what
    got = value_of(ALL.favourite_share("channel", why="w"), history)
    assert got == pytest.approx(share, rel=1e-15, nan_ok=True), what


def test_at_one_moment_the_canonical_order_says_which_favourite_was_seen_last() -> None:
    tied = [
        at(ago(1), channel="b", interaction_id="1"),
        at(ago(1), channel="a", interaction_id="2"),
    ]
    assert value_of(ALL.favourite("channel", why="w"), tied) == "a"
    assert value_of(ALL.favourite("channel", why="w"), tied[::-1]) == "a"


def test_a_favourite_that_was_recorded_late_is_none_yet() -> None:
    history = [at(ago(3), channel="a"), at(ago(2), channel="b", recorded_at=AS_OF)]
    assert value_of(ALL.favourite("channel", why="w"), history) == "a"
    assert value_of(ALL.favourite("channel", why="w"), history, AS_OF + 1) == "b"


def test_a_favourite_weekday_and_hour_are_numbers() -> None:
    # Saturday 16:00 and 16:59, Sunday 09:00.
    history = [at(ago(2) + 16 * DAY // 24), at(ago(2) + 17 * DAY // 24 - 1), at(ago(0.625))]
    signals = (
        *ALL.favourite("weekday", why="w"),
        *ALL.favourite("hour", why="w"),
        *ALL.favourite_share("weekday", why="w"),
    )
    assert row_of(signals, history) == [5.0, 16.0, 2 / 3]


def test_distinct_counts_each_value_once_and_no_missing_one() -> None:
    history = [
        at(ago(4), channel="web", topic="TEA", case_id="k1", offer_id="o1"),
        at(ago(3), channel="app", topic="TEA", case_id="k2"),
        at(ago(3) + 1, channel="web", topic=None, case_id="k1"),
        at(ago(1), channel="", topic="TEA", case_id=None),
    ]
    signals = tuple(
        signal
        for column in ("channel", "topic", "case_id", "offer_id", "day", "weekday", "hour")
        for signal in ALL.distinct(column, why="w")
    )
    # On days 4, 3 (twice) and 1 ago: Thursday, Friday, Sunday; all in the hour from midnight.
    assert row_of(signals, history) == [3.0, 1.0, 2.0, 1.0, 3.0, 3.0, 1.0]


def test_a_fit_is_the_share_on_the_instants_weekday_or_in_its_hour() -> None:
    # As of Monday 00:30: a Monday at 00:10, a Monday at 12:00, a Tuesday at 00:59.
    as_of = AS_OF + DAY // 48
    history = [
        at(AS_OF - 7 * DAY + DAY // 144),
        at(AS_OF - 7 * DAY + DAY // 2),
        at(AS_OF - 6 * DAY + DAY // 24 - 1),
    ]
    assert value_of(ALL.fit("weekday", why="w"), history, as_of) == 2 / 3
    assert value_of(ALL.fit("hour", why="w"), history, as_of) == 2 / 3
    assert value_of(ALL.fit("hour", why="w"), history, as_of - DAY // 24) == 0.0


@pytest.mark.parametrize(
    ("what", "gap", "repeated"),
    [
        ("at once", 0, 1.0),
        ("exactly within", 7 * DAY, 1.0),
        ("a microsecond too late", 7 * DAY + 1, 0.0),
    ],
)
def test_a_repeat_comes_within_so_many_days_both_ends_included(
    what: str, gap: int, repeated: float
) -> None:
    history = [at(ago(9), topic="TEA"), at(ago(9) + gap, topic="TEA")]
    assert value_of(ALL.repeated("topic", 7, why="w"), history) == repeated, what


def test_a_repeat_is_of_the_same_topic_and_counts_from_the_nearest_one_before() -> None:
    history = [
        at(ago(20), topic="TEA"),
        at(ago(14), topic="TEA"),  # 6 days after: again
        at(ago(13), topic="MILK"),
        at(ago(12), topic=None),
        at(ago(11), topic=None),  # of no topic: never again
        at(ago(6), topic="TEA"),  # 8 days after: not
        at(ago(5), topic="MILK"),  # 8 days after: not
        at(ago(4), topic="TEA"),  # 2 days after: again
    ]
    assert value_of(ALL.repeated("topic", 7, why="w"), history) == 2.0
    assert value_of(ALL.repeated("topic", 8, why="w"), history) == 4.0


def test_what_is_repeated_must_itself_be_among_the_interactions_of_role_and_window() -> None:
    history = [
        at(ago(8), "complaint", topic="TEA"),
        at(ago(5), topic="TEA"),
        at(ago(1), topic="TEA"),
    ]
    repeated = [
        ALL.repeated("topic", 30, why="w"),
        VALUE.repeated("topic", 30, why="w"),
        ALL.repeated("topic", 30, days(5), why="w"),
        ALL.repeated("topic", 30, days(4), why="w"),
    ]
    assert [value_of(signals, history) for signals in repeated] == [2.0, 1.0, 1.0, 0.0]


def test_count_since_counts_what_comes_after_the_latest_of_the_other_role() -> None:
    history = [
        at(ago(9)),
        at(ago(8), "complaint"),
        at(ago(7)),
        at(ago(5), "complaint"),
        at(ago(4)),
        at(ago(3), "renewal"),
    ]
    assert value_of(VALUE.count_since("negative", why="w"), history) == 2.0
    assert value_of(VALUE.count_since("negative", why="w"), history[:3]) == 1.0
    assert value_of(VALUE.count_since("negative", why="w"), history[:2]) == 0.0


def test_count_since_counts_all_in_the_window_when_there_was_none_of_the_other_role() -> None:
    history = [at(ago(9)), at(ago(6)), at(ago(1))]
    assert value_of(VALUE.count_since("negative", why="w"), history) == 3.0
    assert value_of(VALUE.count_since("negative", days(7), why="w"), history) == 2.0
    assert value_of(VALUE.count_since("contact", why="w"), history) == 3.0


def test_the_other_role_is_looked_for_before_the_window_too() -> None:
    history = [at(ago(20), "complaint"), at(ago(9)), at(ago(6))]
    assert value_of(VALUE.count_since("negative", days(7), why="w"), history) == 1.0
    after = VALUE.count_after("negative", 15, days(7), why="w")
    assert value_of(after, history) == 1.0


def tied(first: str, second: str) -> list[Interaction]:
    return [at(ago(1), first, interaction_id="1"), at(ago(1), second, interaction_id="2")]


@pytest.mark.parametrize("within", [1, 30])
def test_at_one_moment_the_canonical_order_says_what_came_after(within: int) -> None:
    signals = (
        *VALUE.count_since("negative", why="w"),
        *VALUE.count_after("negative", within, why="w"),
    )
    assert row_of(signals, tied("complaint", "purchase")) == [1.0, 1.0]
    assert row_of(signals, tied("purchase", "complaint")) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("what", "gap", "counted"),
    [
        ("a microsecond after", 1, 1.0),
        ("exactly within", 2 * DAY, 1.0),
        ("a microsecond too late", 2 * DAY + 1, 0.0),
    ],
)
def test_count_after_includes_exactly_the_days_given(what: str, gap: int, counted: float) -> None:
    history = [at(ago(5), "complaint"), at(ago(5) + gap)]
    assert value_of(VALUE.count_after("negative", 2, why="w"), history) == counted, what


def test_count_after_counts_each_once_however_many_came_before_it() -> None:
    history = [
        at(ago(10)),  # before any complaint
        at(ago(9), "complaint"),
        at(ago(8), "complaint"),
        at(ago(7.5)),  # after both: once
        at(ago(6.5)),  # after the second: once
        at(ago(3)),  # 5 days after the second: too late
    ]
    assert value_of(VALUE.count_after("negative", 2, why="w"), history) == 2.0


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (interactions(role="negative").count_after("negative", 1, why="w"), 2.0),
        (interactions(role="negative").count_since("negative", why="w"), 0.0),
    ],
)
def test_of_one_role_an_interaction_does_not_come_after_itself(
    signals: tuple[Signal, ...], expected: float
) -> None:
    history = [at(ago(day), "complaint") for day in (9, 8, 7, 3)]
    assert value_of(signals, history) == expected


def test_what_is_missing_in_a_habit_stays_missing() -> None:
    history = [at(ago(1))]
    signals = (*ALL.favourite("topic", why="w"), *ALL.favourite_share("topic", why="w"))
    assert all(map(missing, row_of(signals, history)))
