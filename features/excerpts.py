"""Excerpts: some customers' part of a history, as it is or with something more or less in it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features import clock
from features.errors import DataError
from features.history import History, interactions_table
from features.identities import owners, shares
from features.interactions import ORDER, Attribute, Interaction

Row = Mapping[str, Any]


def excerpt(history: History, customers: Iterable[str]) -> History:
    """Return what is known of some customers, under whichever key: their signals stay the same."""
    said, asked = history.identities, pa.array(sorted(set(customers)), pa.string())
    persons = owners(said, asked)

    def theirs(table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(owners(said, table["customer_id"]), persons))

    interactions = theirs(in_memory(history))
    return replace(history, interactions=interactions, attributes=theirs(history.attributes))


def with_more(history: History, items: Iterable[Interaction]) -> History:
    """Return a history as it would be if more had happened."""
    now = in_memory(history)
    more = interactions_table(items, history.numbers).select(now.column_names).cast(now.schema)
    return replace(history, interactions=pa.concat_tables([now, more]))


def with_less(history: History, items: Collection[Interaction]) -> History:
    """Return a history as it would be if some interactions had not happened.

    Args:
        history: what is known, best an excerpt: its rows are looked at one by one.
        items: what did not happen; each takes all that share customer (under whichever key), kind
            and instant.

    Raises:
        DataError: one of them did not happen as it is.
    """
    now, said = in_memory(history), history.identities
    asked = pa.table([[i.customer_id for i in items]], pa.schema([("key", pa.string())]))
    of_items = owners(said, asked["key"]).to_pylist()
    gone = {(who, i.kind, i.occurred_at) for who, i in zip(of_items, items, strict=True)}
    columns = (owners(said, now["customer_id"]), now["kind"], now["occurred_at"])
    rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
    for _, kind, occurred_at in gone - set(rows):
        raise DataError(
            "what is to be taken out of a history",
            f"a {kind} at {clock.isoformat(occurred_at)} that is not in it",
            "interactions that happened",
            "Take them from the customer's own, as `person` gives them.",
        )
    kept = pa.array([row not in gone for row in rows], pa.bool_())
    return replace(history, interactions=now.filter(kept))


def person(history: History, customer_id: str) -> tuple[list[Interaction], list[Attribute]]:
    """Return one customer's interactions, oldest first, and attributes, one object each.

    What stands under another key of theirs was recorded for them once that key was known.
    """
    kept = shares(history.identities, pa.array([customer_id], pa.string()))
    since = dict(zip(kept["customer_id"].to_pylist(), kept["since"].to_pylist(), strict=True))

    def rows(table: pa.Table) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = table.filter(
            pc.is_in(table["customer_id"], kept["customer_id"].combine_chunks())
        ).to_pylist()
        return found

    items = [_interaction(customer_id, since, row) for row in rows(in_memory(history))]
    facts = [
        Attribute(
            customer_id, row["known_at"], row["name"], row["value"], since[row["customer_id"]]
        )
        for row in rows(history.attributes)
    ]
    return sorted(items, key=lambda item: (item.occurred_at, item.recorded_at)), facts


def in_memory(history: History) -> pa.Table:
    """Return the interactions of a history as a table, read from its files where it streams."""
    found = history.interactions
    return found if isinstance(found, pa.Table) else found.to_table()


def _interaction(customer_id: str, since: Mapping[str, int], row: Row) -> Interaction:
    fields = {name: row[name] for name in ORDER}
    fields["recorded_at"] = max(row["recorded_at"], since[row["customer_id"]])
    further = {n: v for n, v in row.items() if n not in ("customer_id", *ORDER) and v is not None}
    return Interaction(customer_id, **fields, numbers=further)
