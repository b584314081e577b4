"""People: whether a table tells facts about customers, or what happened with them."""

from features.sources.guessing import Found
from features.sources.kinds import is_of_people, role_of
from features.sources.profile import Column, Profile, singular, words_of
from features.sources.words import (
    ABOUT,
    GROUP,
    HAPPENED,
    KNOWN,
    LATELY,
    MONEY,
    PERSONAL,
)

ONCE = 0.98
"""The share of rows whose customers differ from which on a table has one row for each."""


def is_about_people(profile: Profile, who: Column, found: Found | None) -> bool | None:
    """Whether a table tells facts about each customer, ``None`` where that is open.

    Args:
        profile: the table.
        who: its column of customers.
        found: what it would hold as a table of interactions.
    """
    times = [c for c in profile.columns.values() if c.is_time]
    called = singular(words_of(profile.label))
    role = role_of(profile.label)
    happened = bool({"amount", "kind", "group"} & _held(found))
    if who.distinct < ONCE * who.filled:
        dated = len(times) == 1 and bool(set(times[0].words) & KNOWN)
        return dated and not happened
    if not times:
        return True
    if is_of_people(profile.label):
        return None if found is not None and found.group is not None else True
    if role is not None or called & (MONEY | HAPPENED):
        return False
    if all(set(time.words) & (PERSONAL | KNOWN) for time in times):
        return True
    if any(role_of(time.name) is not None or set(time.words) & GROUP for time in times):
        return False
    return False if found is not None and _is_bare(profile, found) else None


def learnt_later(profile: Profile) -> list[str]:
    """Return the columns of a table of people that hold what only time has shown."""
    return [c.name for c in profile.columns.values() if set(c.words) & LATELY]


def _held(found: Found | None) -> set[str]:
    if found is None:
        return set()
    return found.columns.keys() | ({"group"} if found.group else set())


def _is_bare(profile: Profile, found: Found) -> bool:
    """Whether a table says who, when and how much, and nothing of what a person is like."""
    amount = profile.columns.get(found.columns.get("amount", ""))
    words = {word for column in profile.columns.values() for word in column.words}
    return amount is not None and not words & ABOUT and not set(amount.words) & LATELY
