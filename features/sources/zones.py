"""Zones: in which time zone a business may live whose times have their offsets."""

import duckdb

from features import clock
from features.sources.parsing import instants_of, quoted
from features.sources.tables import first_row

SAMPLE = 5_000
FITS = 0.99
"""The share of times whose offset must be that of the zone at the time."""
KNOWN = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    *("America/Toronto", "America/Halifax", "America/Phoenix", "America/Bogota"),
    *("America/Mexico_City", "America/Sao_Paulo", "America/Caracas", "America/Anchorage"),
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Istanbul", "Asia/Dubai"),
    *("Asia/Karachi", "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Singapore"),
    *("Asia/Tokyo", "Australia/Sydney", "Australia/Brisbane", "Pacific/Auckland"),
    *("Africa/Johannesburg", "Africa/Lagos"),
)
"""Zones of many people; of two that fit, the first is proposed."""


def zone_of(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> str | None:
    """Return a zone that has the offsets which times in text are written with.

    ``None`` where they are those of UTC or of no one zone, or where a database keeps instants.
    """
    (kind,) = first_row(
        connection, f"SELECT any_value(typeof({quoted(column)})) FROM {quoted(table)}"
    )
    if kind != "VARCHAR":
        return None
    read = instants_of(column, "VARCHAR")
    offset = f"regexp_extract(trim({quoted(column)}::VARCHAR), '[+-]\\d\\d:?(\\d\\d)?$')"
    rows = connection.execute(
        f"SELECT ({read.value}) AS at, {offset} AS offset FROM {quoted(table)} "
        f"WHERE ({read.value}) IS NOT NULL USING SAMPLE {SAMPLE} ROWS (reservoir, 1)"
    ).fetchall()
    times = [(at, _minutes(offset)) for at, offset in rows]
    if not any(minutes for _, minutes in times):
        return None
    return next((zone for zone in KNOWN if _fits(zone, times)), None)


def _minutes(offset: str) -> int:
    """Return the minutes of an offset such as ``-05:00``; of ``Z`` none."""
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:]) if offset else 0
    return -minutes if offset.startswith("-") else minutes


def _fits(zone: str, times: list[tuple[int, int]]) -> bool:
    said = (clock.to_datetime(at, zone).utcoffset() for at, _ in times)
    right = [
        each is not None and each.total_seconds() == 60 * minutes
        for each, (_, minutes) in zip(said, times, strict=True)
    ]
    return sum(right) >= FITS * len(right)
