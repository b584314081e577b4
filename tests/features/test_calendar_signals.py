"""The calendar worked by hand: local days, weekdays and hours, over changes of the clock.

New York put its clock on by an hour on 12 March 2017 at 07:00 UTC, and back on 5 November at
06:00 UTC. Lord Howe goes by half an hour: back on 1 April at 15:00 UTC, on on 30 September 2017
at 15:30 UTC.
"""

from datetime import datetime

import pytest

from features import clock
from features.signals import calendar, days, interactions
from tests.engines import at, row_of, value_of

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
ALL = interactions()
PARTS = tuple(
    signal
    for part in ("weekday", "hour", "day_of_month", "month")
    for signal in calendar(part, why="w")
)
SATURDAY, SUNDAY, MONDAY, WEDNESDAY = 5.0, 6.0, 0.0, 2.0


def utc(text: str) -> int:
    return clock.to_instant(datetime.fromisoformat(text), "UTC")


@pytest.mark.parametrize(
    ("what", "zone", "instant", "expected"),
    [
        ("before midnight", "UTC", "2017-12-31T23:59:59.999999", [SUNDAY, 23.0, 31.0, 12.0]),
        ("midnight", "UTC", "2018-01-01T00:00:00", [MONDAY, 0.0, 1.0, 1.0]),
        ("still the old year", NEW_YORK, "2018-01-01T04:59:59.999999", [SUNDAY, 23.0, 31.0, 12.0]),
        ("the new year", NEW_YORK, "2018-01-01T05:00:00", [MONDAY, 0.0, 1.0, 1.0]),
        ("before the hour skipped", NEW_YORK, "2017-03-12T06:59:59.999999", [SUNDAY, 1, 12, 3]),
        ("after the hour skipped", NEW_YORK, "2017-03-12T07:00:00", [SUNDAY, 3, 12, 3]),
        ("summer's midnight", NEW_YORK, "2017-03-13T04:00:00", [MONDAY, 0, 13, 3]),
        ("the hour repeated", NEW_YORK, "2017-11-05T05:00:00", [SUNDAY, 1, 5, 11]),
        ("its last moment", NEW_YORK, "2017-11-05T05:59:59.999999", [SUNDAY, 1, 5, 11]),
        ("the same hour again", NEW_YORK, "2017-11-05T06:00:00", [SUNDAY, 1, 5, 11]),
        ("its last moment again", NEW_YORK, "2017-11-05T06:59:59.999999", [SUNDAY, 1, 5, 11]),
        ("the hour after it", NEW_YORK, "2017-11-05T07:00:00", [SUNDAY, 2, 5, 11]),
        ("winter's midnight is later", NEW_YORK, "2017-11-06T04:59:59.999999", [SUNDAY, 23, 5, 11]),
        ("winter's midnight", NEW_YORK, "2017-11-06T05:00:00", [MONDAY, 0, 6, 11]),
        ("01:59 in summer", LORD_HOWE, "2017-04-01T14:59:59.999999", [SUNDAY, 1, 2, 4]),
        ("01:30 in winter", LORD_HOWE, "2017-04-01T15:00:00", [SUNDAY, 1, 2, 4]),
        ("02:00 only half an hour later", LORD_HOWE, "2017-04-01T15:30:00", [SUNDAY, 2, 2, 4]),
        ("01:59 in winter", LORD_HOWE, "2017-09-30T15:29:59.999999", [SUNDAY, 1, 1, 10]),
        ("02:30 in summer", LORD_HOWE, "2017-09-30T15:30:00", [SUNDAY, 2, 1, 10]),
        ("03:00 half an hour later", LORD_HOWE, "2017-09-30T16:00:00", [SUNDAY, 3, 1, 10]),
        ("a leap day", LORD_HOWE, "2016-02-28T13:00:00", [MONDAY, 0, 29, 2]),
        ("before 1970", "UTC", "1969-12-31T23:59:59.999999", [WEDNESDAY, 23, 31, 12]),
    ],
)
def test_the_instants_calendar_by_the_projects_clock(
    what: str, zone: str, instant: str, expected: list[float]
) -> None:
    assert row_of(PARTS, [], utc(instant), zone=zone) == expected, what


@pytest.mark.parametrize(
    ("what", "zone", "instants", "n_days"),
    [
        (
            "local midnight parts two days",
            NEW_YORK,
            ["2017-07-02T03:59:59.999999", "2017-07-02T04:00"],
            2,
        ),
        ("midnight in Greenwich does not", NEW_YORK, ["2017-07-01T23:59", "2017-07-02T00:00"], 1),
        ("it does there", "UTC", ["2017-07-01T23:59", "2017-07-02T00:00"], 2),
        (
            "the day of 25 hours, from end to end",
            NEW_YORK,
            ["2017-11-05T04:00:00", "2017-11-06T04:59:59.999999"],
            1,
        ),
        ("the day after it", NEW_YORK, ["2017-11-05T04:00:00", "2017-11-06T05:00:00"], 2),
        (
            "the day of 23 hours, from end to end",
            NEW_YORK,
            ["2017-03-12T05:00:00", "2017-03-13T03:59:59.999999"],
            1,
        ),
        ("the day after it", NEW_YORK, ["2017-03-12T05:00:00", "2017-03-13T04:00:00"], 2),
        (
            "the day of 23 hours and a half",
            LORD_HOWE,
            ["2017-09-30T13:30:00", "2017-10-01T12:59:59.999999"],
            1,
        ),
        ("the day before it", LORD_HOWE, ["2017-09-30T13:29:59", "2017-09-30T13:30:00"], 2),
        ("the day after it", LORD_HOWE, ["2017-10-01T12:59:59", "2017-10-01T13:00:00"], 2),
        (
            "both times that the clock shows 01:30",
            NEW_YORK,
            ["2017-11-05T05:30", "2017-11-05T06:30"],
            1,
        ),
        ("three days before 1970", "UTC", ["1969-12-30", "1969-12-31T23:59", "1970-01-01"], 3),
    ],
)
def test_interactions_fall_on_local_days(
    what: str, zone: str, instants: list[str], n_days: int
) -> None:
    history = [at(utc(instant)) for instant in instants]
    value = value_of(ALL.distinct("day", why="w"), history, utc("2018-01-01"), zone=zone)
    assert value == n_days, what


def test_the_repeated_hour_is_one_hour_of_habit() -> None:
    history = [at(utc("2017-11-05T05:30:00")), at(utc("2017-11-05T06:30:00"))]
    signals = (
        *ALL.favourite("hour", why="w"),
        *ALL.favourite_share("hour", why="w"),
        *ALL.distinct("hour", why="w"),
    )
    as_of = utc("2018-01-01")
    assert row_of(signals, history, as_of, zone=NEW_YORK) == [1.0, 1.0, 1.0]
    assert row_of(signals, history, as_of, zone="UTC") == [6.0, 0.5, 2.0]
    # 16:30 and 17:30 there, in summer time
    assert row_of(signals, history, as_of, zone=LORD_HOWE) == [17.0, 0.5, 2.0]


def test_a_favourite_weekday_is_the_local_one() -> None:
    # Twice on Saturday evening in New York, which is Sunday in Greenwich; once on Wednesday.
    history = [
        at(utc(text)) for text in ("2017-07-02T00:30", "2017-07-09T03:30", "2017-07-05T12:00")
    ]
    favourite, as_of = ALL.favourite("weekday", why="w"), utc("2018-01-01")
    assert value_of(favourite, history, as_of, zone=NEW_YORK) == SATURDAY
    assert value_of(favourite, history, as_of, zone="UTC") == SUNDAY


def test_a_fit_compares_local_time_with_local_time_over_a_change_of_the_clock() -> None:
    # Noon in New York is 16:00 UTC in summer, 17:00 UTC in winter.
    summer, winter = at(utc("2017-07-05T16:30:00")), at(utc("2017-12-06T17:30:00"))
    fit = (*ALL.fit("hour", why="w"), *ALL.fit("weekday", why="w"))
    # 13 December 2017 is a Wednesday, like both.
    as_of = utc("2017-12-13T17:00:00")
    assert row_of(fit, [summer, winter], as_of, zone=NEW_YORK) == [1.0, 1.0]
    assert row_of(fit, [summer, winter], as_of, zone="UTC") == [0.5, 1.0]
    on_tuesday_evening = utc("2017-12-13T04:59:59")
    assert row_of(fit, [summer, winter], on_tuesday_evening, zone=NEW_YORK) == [0.0, 0.0]


def test_windows_are_days_of_24_hours_whatever_the_clock_does() -> None:
    # The 5th of November had 25 hours: its first hour is not in the last day before its end.
    end = utc("2017-11-06T05:00:00")
    first_hour, second_hour = at(utc("2017-11-05T04:59:59.999999")), at(utc("2017-11-05T05:00:00"))
    count = ALL.count(days(1), why="w")
    assert value_of(count, [first_hour, second_hour], end, zone=NEW_YORK) == 1.0
    # The 12th of March had 23: the last hour of the 11th is.
    end = utc("2017-03-13T04:00:00")
    assert value_of(count, [at(utc("2017-03-12T04:00:00"))], end, zone=NEW_YORK) == 1.0


def test_repeats_of_a_local_day_are_counted_by_the_projects_clock() -> None:
    history = [at(utc("2017-07-02T03:30:00")), at(utc("2017-07-02T04:30:00"))]
    repeated, as_of = ALL.repeated("day", 1, why="w"), utc("2018-01-01")
    assert value_of(repeated, history, as_of, zone=NEW_YORK) == 0.0
    assert value_of(repeated, history, as_of, zone="UTC") == 1.0
