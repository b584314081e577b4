"""The clock: how local time becomes UTC, by hand and against Python's own conversion."""

import os
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import clock
from features.errors import SettingsError

EXAMPLES = int(os.environ.get("RAPPORT_EXAMPLES", "200"))
ZONES = (
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Noronha",
    "UTC",
)


def wall(text: str) -> int:
    """The microseconds of a time by the wall clock."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def converted(text: str, zone: str) -> str:
    """One time through the array conversion, which must agree with the scalar one."""
    (instant,) = clock.local_to_utc(np.array([wall(text)], dtype=np.int64), zone).tolist()
    assert instant == clock.to_instant(datetime.fromisoformat(text), zone)
    return clock.isoformat(instant)


@pytest.mark.parametrize(
    ("what", "zone", "local", "instant"),
    [
        ("winter", "America/New_York", "2017-01-15T12:00:00", "2017-01-15T17:00:00Z"),
        ("summer", "America/New_York", "2017-07-15T12:00:00", "2017-07-15T16:00:00Z"),
        ("last before", "America/New_York", "2017-03-12T01:59:59", "2017-03-12T06:59:59Z"),
        ("skipped", "America/New_York", "2017-03-12T02:00:00", "2017-03-12T07:00:00Z"),
        ("skipped, late", "America/New_York", "2017-03-12T02:59:59", "2017-03-12T07:59:59Z"),
        ("first after", "America/New_York", "2017-03-12T03:00:00", "2017-03-12T07:00:00Z"),
        ("repeated", "America/New_York", "2017-11-05T01:00:00", "2017-11-05T05:00:00Z"),
        ("repeated, late", "America/New_York", "2017-11-05T01:59:59", "2017-11-05T05:59:59Z"),
        ("after repeat", "America/New_York", "2017-11-05T02:00:00", "2017-11-05T07:00:00Z"),
        ("last before", "Europe/London", "2017-03-26T00:59:59", "2017-03-26T00:59:59Z"),
        ("skipped", "Europe/London", "2017-03-26T01:30:00", "2017-03-26T01:30:00Z"),
        ("first after", "Europe/London", "2017-03-26T02:00:00", "2017-03-26T01:00:00Z"),
        ("repeated", "Europe/London", "2017-10-29T01:30:00", "2017-10-29T00:30:00Z"),
        ("after repeat", "Europe/London", "2017-10-29T02:00:00", "2017-10-29T02:00:00Z"),
        ("half an hour", "Australia/Lord_Howe", "2017-04-02T01:45:00", "2017-04-01T14:45:00Z"),
        ("by quarters", "Asia/Kathmandu", "2017-01-01T05:45:00", "2017-01-01T00:00:00Z"),
        ("a day skipped", "Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"),
    ],
)
def test_local_times_by_hand(what: str, zone: str, local: str, instant: str) -> None:
    assert converted(local, zone) == instant, what


def test_a_repeated_time_is_its_first_occurrence_whatever_the_fold_says() -> None:
    second = datetime(2017, 11, 5, 1, 30, fold=1)
    assert clock.isoformat(clock.to_instant(second, "America/New_York")) == "2017-11-05T05:30:00Z"


def test_a_time_with_its_own_zone_ignores_the_projects() -> None:
    aware = datetime(2017, 7, 1, 12, tzinfo=clock.zone("Europe/London"))
    assert clock.isoformat(clock.to_instant(aware, "America/New_York")) == "2017-07-01T11:00:00Z"


moments = st.datetimes(datetime(1975, 1, 1), datetime(2035, 12, 31))


@cache
def changes(zone: str) -> list[datetime]:
    """The local times in the six hours before which the zone's clock changes."""
    times = [datetime(1975, 1, 1) + timedelta(hours=6 * k) for k in range(61 * 1461)]
    offsets = [time.replace(tzinfo=clock.zone(zone)).utcoffset() for time in times]
    return [times[i] for i in range(1, len(times)) if offsets[i - 1] != offsets[i]] or times[:1]


@st.composite
def local_times(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    """A zone and local times, half of them within hours of a change of its clock."""
    zone = draw(st.sampled_from(ZONES))
    minutes = st.integers(-9 * 60, 3 * 60).map(lambda m: timedelta(minutes=m))
    near = st.builds(datetime.__add__, st.sampled_from(changes(zone)), minutes)
    return zone, draw(st.lists(near | moments, max_size=30))


@settings(max_examples=EXAMPLES, deadline=None)
@given(local_times())
def test_arrays_convert_like_each_of_their_times(case: tuple[str, list[datetime]]) -> None:
    zone, times = case
    local = np.array([wall(time.isoformat()) for time in times], dtype=np.int64)
    aware = [time.replace(tzinfo=clock.zone(zone), fold=0).astimezone(UTC) for time in times]
    expected = [wall(time.replace(tzinfo=None).isoformat()) for time in aware]
    assert clock.local_to_utc(local, zone).tolist() == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(moments, st.sampled_from(ZONES))
def test_an_instant_survives_the_way_to_a_local_time_and_back(moment: datetime, zone: str) -> None:
    instant = clock.to_instant(moment, "UTC")
    assert clock.to_instant(clock.to_datetime(instant, zone), "UTC") == instant
    assert clock.to_instant(datetime.fromisoformat(clock.isoformat(instant)), zone) == instant


@pytest.mark.parametrize("name", ["Europe/Londn", "", "Europe", "tzdata.zi", "\0"])
def test_an_unknown_zone_is_told(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        clock.zone(name)
    assert repr(name) in str(error.value)
    assert "Europe/London" in error.value.remedy
