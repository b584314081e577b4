"""Zones: guessed from the offsets that times are written with."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import duckdb
import pyarrow as pa
import pytest

from features import clock
from features.sources.zones import zone_of


def year(zone: tzinfo) -> list[str]:
    start = datetime(2024, 1, 1, 12, tzinfo=UTC)
    return [(start + timedelta(days=n)).astimezone(zone).isoformat() for n in range(365)]


def guessed(times: list[str]) -> str | None:
    with duckdb.connect() as connection:
        connection.from_arrow(pa.table({"at": times})).create("given")
        return zone_of(connection, "given", "at")


@pytest.mark.parametrize(
    "name", ["America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata"]
)
def test_offsets_that_change_with_a_zone_are_its_own(name: str) -> None:
    assert guessed(year(clock.zone(name))) == name


def test_an_offset_that_never_changes_is_that_of_a_zone_without_summer_time() -> None:
    assert guessed(year(timezone(timedelta(hours=-5)))) == "America/Bogota"


def test_offsets_of_one_winter_are_those_of_the_first_zone_that_has_them() -> None:
    assert guessed(year(timezone(timedelta(hours=-5)))[:50]) == "America/New_York"


@pytest.mark.parametrize("offset", ["Z", "+00:00"])
def test_utc_says_nothing_of_where_people_live(offset: str) -> None:
    assert guessed([f"2024-01-{1 + n % 28:02}T10:00:00{offset}" for n in range(60)]) is None


def test_offsets_of_many_zones_are_of_none() -> None:
    offsets = ["-08:00", "+01:00", "+09:00"]
    assert guessed([f"2024-01-{1 + n % 28:02}T10:00:00{offsets[n % 3]}" for n in range(60)]) is None


def test_instants_of_a_database_have_no_offset_of_their_own() -> None:
    times = pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 9)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        connection.from_arrow(pa.table({"at": times})).create("given")
        assert zone_of(connection, "given", "at") is None
