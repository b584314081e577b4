"""The timeline: what happened, by day, newest first, the parts of one purchase in one line."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from features import clock
from features.english import counted, through
from features.interactions import Interaction
from features.wording import Wording
from serving.pages.words import details, happened, weekday_of

NAMED = 4
"""Of the parts of one purchase, how many are named."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened: at which time of the day, what, and what else is known of it.

    ``time`` is empty where only the day is known.
    ``tone`` is ``bad`` for a bad experience, ``good`` for a recommendation, else empty.
    """

    time: str
    what: str
    details: list[str]
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day in words, and what happened on it, newest first."""

    title: str
    entries: list[Entry]


def days_of(timeline: Sequence[Interaction], wording: Wording, zone: str) -> list[Day]:
    """Return a timeline by day.

    Args:
        timeline: what happened, newest first.
        wording: how the deployment calls things.
        zone: the time zone whose days are meant.
    """
    by_day = groupby(timeline, lambda i: clock.to_datetime(i.occurred_at, zone).date())
    return [
        Day(_title(own := list(items), zone), list(_entries(own, wording, zone)))
        for _, items in by_day
    ]


def _title(items: Sequence[Interaction], zone: str) -> str:
    return weekday_of(clock.to_datetime(items[0].occurred_at, zone))


def _entries(items: Sequence[Interaction], wording: Wording, zone: str) -> list[Entry]:
    parts = frozenset(wording.roles.get("detail", ()))
    found = []
    for (at, kind, _), together in groupby(items, lambda i: (i.occurred_at, i.kind, i.channel)):
        same, time = list(together), _time(at, zone)
        if kind in parts and len(same) > 1:
            found.append(Entry(time, _counted(same, wording), []))
            continue
        tone = _tone(kind, wording)
        found += [Entry(time, happened(i), details(i, wording, zone), tone) for i in same]
    return found


def _time(at: int, zone: str) -> str:
    """Return the time of the day; of what has midnight to the microsecond only the day is known."""
    moment = clock.to_datetime(at, zone)
    since_midnight = (moment.hour, moment.minute, moment.second, moment.microsecond)
    return f"{moment:%H:%M}" if any(since_midnight) else ""


def _counted(parts: Sequence[Interaction], wording: Wording) -> str:
    """Return what the parts of one purchase were."""
    one, many = wording.noun("detail")
    where = f" {through(parts[0].channel)}" if parts[0].channel else ""
    topics = [topic for topic in dict.fromkeys(part.topic for part in parts) if topic]
    named = ", ".join(topics[:NAMED])
    if len(topics) > NAMED:
        named += f" and {counted(len(topics) - NAMED, 'other', 'others')}"
    return f"{counted(len(parts), one, many)}{where}{f': {named}' if named else ''}"


def _tone(kind: str, wording: Wording) -> str:
    for role, tone in (("negative", "bad"), ("exit", "bad"), ("advocacy", "good")):
        if kind in _kinds(wording, role):
            return tone
    return ""


def _kinds(wording: Wording, role: str) -> Collection[str]:
    return wording.roles.get(role, ())
