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
EVER = -(2**63)
"""The instant before all others: since when an undated fact is known."""
TZDATA_VERSION: str = tzdata.IANA_VERSION

Instants = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    changes, offsets = _transitions(zone_name, int(local.min()) - DAY, int(local.max()) + DAY)
    thresholds = changes + np.maximum(offsets[:-1], offsets[1:])
    return local - offsets[np.searchsorted(thresholds, local, side="right")]


def _transitions(zone_name: str, first: int, last: int) -> tuple[Instants, Instants]:
    """Return the instants in a span at which the offset changes, and the offsets between them."""
    tz = zone(zone_name)

    def offset(instant: int) -> int:
        shift = to_datetime(instant).astimezone(tz).utcoffset()
        return (shift or timedelta()) // _MICROSECOND

    changes: list[int] = []
    offsets = [offset(first)]
    for day in range(first, last + DAY, DAY):
        before, after = day, min(day + DAY, last + DAY)
        if offset(after) == offsets[-1]:
            continue
        while after - before > 1_000_000:
            middle = (before + after) // 2
            before, after = (middle, after) if offset(middle) == offsets[-1] else (before, middle)
        changes.append(after // 1_000_000 * 1_000_000)
        offsets.append(offset(after))
    return np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64)
