"""Instants and time zones: the one place that says how local time becomes UTC.

Instants are integers: microseconds since 1970-01-01T00:00:00Z. A naive time is read in the
project's time zone; a time that a clock change repeats is its first occurrence, one that it
skips is read with the offset in force before the change (PEP 495, ``fold=0``). Zones come from
the pinned ``tzdata`` package, never from the machine, so that every machine agrees.
"""

import importlib.resources
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import tzdata

from features.errors import SettingsError

DAY = 86_400_000_000
HOUR = 3_600_000_000
THURSDAY = 3
"""The weekday of 1970-01-01, when Monday is 0."""
EVER = -(2**63)
"""The instant before all others: since when an undated fact is known."""
TZDATA_VERSION: str = tzdata.IANA_VERSION

Instants = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = -62_135_510_400_000_000, 253_402_214_400_000_000
"""A day within the years 1 to 9999, for a zone may shift the local time beyond them."""


@cache
def zone(name: str) -> ZoneInfo:
    """Return the time zone called ``name`` from the pinned database.

    Raises:
        SettingsError: no such zone.
    """
    path = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError) as error:
        raise SettingsError(
            "[project] timezone",
            repr(name),
            "a name of the IANA time zone database",
            "Write for example 'Europe/London' or 'UTC'.",
        ) from error


def to_instant(moment: datetime, zone_name: str) -> int:
    """Return the instant of ``moment``, read in the zone when it is naive.

    >>> to_instant(datetime(2018, 1, 1), "America/New_York")
    1514782800000000
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone(zone_name), fold=0)
    return (aware - _EPOCH) // _MICROSECOND


def to_datetime(instant: int, zone_name: str = "UTC") -> datetime:
    """Return the instant as an aware datetime in the zone.

    >>> to_datetime(1514782800000000, "America/New_York").isoformat()
    '2018-01-01T00:00:00-05:00'
    """
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment if zone_name == "UTC" else moment.astimezone(zone(zone_name))


def isoformat(instant: int) -> str:
    """Return the instant in ISO 8601, UTC, as the API writes it.

    >>> isoformat(1514782807000000)
    '2018-01-01T05:00:07Z'
    """
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def local_to_utc(local: Instants, zone_name: str) -> Instants:
    """Turn naive local times into instants.

    Args:
        local: microseconds since 1970-01-01T00:00:00 by the wall clock, shape ``(n,)``.
        zone_name: the zone whose wall clock it is.
    """
    if zone_name == "UTC" or len(local) == 0:
        return local
    changes, offsets = _transitions(zone_name, np.concatenate((local - DAY, local + DAY)))
    thresholds = changes + np.maximum(offsets[:-1], offsets[1:])
    return local - offsets[np.searchsorted(thresholds, local, side="right")]


def utc_to_local(instants: Instants, zone_name: str) -> Instants:
    """Turn instants into what the wall clock of a zone shows, microseconds since 1970 by it.

    Args:
        instants: microseconds since 1970 UTC, shape ``(n,)``.
        zone_name: the zone.
    """
    if zone_name == "UTC" or len(instants) == 0:
        return instants
    changes, offsets = _transitions(zone_name, instants)
    return instants + offsets[np.searchsorted(changes, instants, side="right")]


def calendar(local: Instants) -> Instants:
    """Return weekday (0 is Monday), hour, day of the month and month, shape ``(4, n)``.

    Args:
        local: microseconds since 1970 by the wall clock, shape ``(n,)``.
    """
    days = local.astype("datetime64[us]").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    parts = (
        (local // DAY + THURSDAY) % 7,
        local % DAY // HOUR,
        (days - months).astype(np.int64) + 1,
        months.astype(np.int64) % 12 + 1,
    )
    return np.array(parts, dtype=np.int64)


def _transitions(zone_name: str, instants: Instants) -> tuple[Instants, Instants]:
    """Return when the offset changes in the years of the instants, and the offsets between."""
    instants = np.clip(instants, _FIRST, _LAST)
    years = np.unique(instants.astype("datetime64[us]").astype("datetime64[Y]")).astype(np.int64)
    periods = [period for year in years.tolist() for period in _periods(zone_name, year + 1970)]
    starts, offsets = zip(*periods, strict=True)
    return np.array(starts[1:], dtype=np.int64), np.array(offsets, dtype=np.int64)


@cache
def _periods(zone_name: str, year: int) -> tuple[tuple[int, int], ...]:
    """Return the periods of a year (UTC) with one offset: when each starts, and its offset."""
    tz = zone(zone_name)

    def offset(instant: int) -> int:
        shift = to_datetime(instant).astimezone(tz).utcoffset()
        return (shift or timedelta()) // _MICROSECOND

    first = max((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND, _FIRST)
    last = min((datetime(year, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND + DAY, _LAST)
    periods = [(first, offset(first))]
    for day in range(first, last, DAY):
        before, after = day, min(day + DAY, last)
        if offset(after) == periods[-1][1]:
            continue
        while after - before > 1_000_000:
            middle = (before + after) // 2
            before, after = (
                (middle, after) if offset(middle) == periods[-1][1] else (before, middle)
            )
        start = after // 1_000_000 * 1_000_000
        periods.append((start, offset(start)))
    return tuple(periods)
