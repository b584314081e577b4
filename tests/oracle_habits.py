"""The oracle of categories, habits and the calendar: by `datetime` and counting."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

from features import clock
from features.declaration import Signal
from features.interactions import Interaction
from features.offers import Value

DAY = 24 * 3600 * 1_000_000
MEASURES = ("distinct", "favourite", "favourite_share", "fit", "repeated")


def local(instant: int, timezone: str) -> datetime:
    """Return what the wall clock shows."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    return moment.astimezone(clock.zone(timezone))


def part(name: str, instant: int, timezone: str) -> float:
    """Return a part of the calendar."""
    moment = local(instant, timezone)
    parts = {
        "weekday": moment.weekday(),
        "hour": moment.hour,
        "day_of_month": moment.day,
        "month": moment.month,
    }
    return float(parts[name])


def measure(signal: Signal, chosen: list[Interaction], as_of: int, timezone: str) -> Value:
    """Return a measure of a column of categories."""
    column = signal.column or ""
    there = [(i, _category(column, i, timezone)) for i in chosen]
    there = [(i, category) for i, category in there if category is not None]
    found = [category for _, category in there]
    if signal.measure == "distinct":
        return float(len(set(found)))
    if signal.measure == "repeated":
        return float(_repeated(there, (signal.within or 0) * DAY))
    text = column in ("channel", "topic")
    if not found:
        return None if signal.measure == "favourite" and text else math.nan
    counts = Counter(found)
    most = max(counts.values())
    if signal.measure == "favourite":
        favourite = [category for category in found if counts[category] == most][-1]
        return str(favourite) if text else float(str(favourite))
    if signal.measure == "fit":
        return float(counts[part(column, as_of, timezone)]) / float(len(found))
    return float(most) / float(len(found))


def _repeated(there: list[tuple[Interaction, object]], within: int) -> int:
    """Canonical order puts the nearest earlier one last: it decides."""
    repeated = 0
    for k, (item, category) in enumerate(there):
        before = [i for i, c in there[:k] if c == category]
        repeated += bool(before) and item.occurred_at - before[-1].occurred_at <= within
    return repeated


def _category(column: str, item: Interaction, timezone: str) -> object:
    if column == "day":
        return local(item.occurred_at, timezone).date()
    if column in ("weekday", "hour"):
        return part(column, item.occurred_at, timezone)
    return getattr(item, column)
