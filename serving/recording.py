"""Recording: a batch of interactions appended, each kept once, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features.errors import InteractionError
from features.interactions import Interaction
from serving.erasing import are_erased, erased_error
from serving.records import content, record_of, refusal
from serving.tables import INTERACTIONS

PART = 500
"""How many ids one query asks for."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: how many are new, the places of repeats, and what was refused.

    ``conflicts`` says by place why an interaction is not stored: its id is taken by other
    content, no database could hold a value, or its customer was erased.
    """

    accepted: int
    duplicates: list[int]
    conflicts: dict[int, InteractionError]


def append(
    connection: sa.Connection, items: Sequence[Interaction], stamp: int, seq: int
) -> Recorded:
    """Write the interactions of a batch that are new.

    Args:
        connection: alone in writing.
        items: the batch.
        stamp: when they are recorded, microseconds since 1970 UTC.
        seq: the first of the places that they are given.
    """
    duplicates: list[int] = []
    refused = {n: why for n, item in enumerate(items) if (why := refusal(item)) is not None}
    sound = [n for n in range(len(items)) if n not in refused]
    erased = _erased(connection, [items[n].customer_id for n in sound])
    known = _known(connection, [items[n] for n in sound])
    rows = []
    for place in sound:
        item = items[place]
        if item.customer_id in erased:
            refused[place] = erased_error()
            continue
        row = record_of(item, seq + place, stamp)
        key = (row["source"], item.interaction_id)
        if item.interaction_id is not None and key in known:
            if content(known[key]) == content(row):
                duplicates.append(place)
            else:
                refused[place] = _conflict(item)
            continue
        known[key] = row
        rows.append(row)
    if rows:
        connection.execute(INTERACTIONS.insert(), rows)
    return Recorded(len(rows), duplicates, dict(sorted(refused.items())))


def _erased(connection: sa.Connection, customers: Sequence[str]) -> set[str]:
    names = sorted(set(customers))
    flags = are_erased(connection, names)
    return {name for name, erased in zip(names, flags, strict=True) if erased}


def _known(
    connection: sa.Connection, items: Sequence[Interaction]
) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return the stored rows that have the ids of new ones, by source and id."""
    by_source: dict[str, set[str]] = {}
    for item in items:
        if item.interaction_id is not None:
            by_source.setdefault(item.source or "", set()).add(item.interaction_id)
    known: dict[tuple[str, str | None], dict[str, Any]] = {}
    for source, unsorted in by_source.items():
        ids = sorted(unsorted)
        for begin in range(0, len(ids), PART):
            query = sa.select(INTERACTIONS).where(
                INTERACTIONS.c.source == source,
                INTERACTIONS.c.interaction_id.in_(ids[begin : begin + PART]),
                INTERACTIONS.c.interaction_id.is_not(None),  # or the index is not used
            )
            for row in connection.execute(query):
                known[row.source, row.interaction_id] = dict(row._mapping)
    return known


def _conflict(item: Interaction) -> InteractionError:
    return InteractionError(
        "interaction_id",
        repr(item.interaction_id),
        "an id that is new, or the same content again",
        "The first recorded stays; send a correction under its own id.",
    )
