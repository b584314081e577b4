"""What is counted and measured of the tables that were read."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.identities import owners
from features.offers import Offer
from features.sections import Roles
from features.sources import report
from features.sources.parsing import literal, quoted
from features.sources.tables import first_row

KEPT_APART = ("customer_id", "occurred_at", "recorded_at", "kind")
"""Columns of interactions that the report tells in another way."""


def with_columns(
    connection: duckdb.DuckDBPyConnection,
    counted: report.Table,
    table: str,
    schema: pa.Schema,
    mapped: Collection[str],
) -> report.Table:
    """Add to a table what is missing in its mapped columns, and the range of those of numbers."""
    fields = [f for f in schema if f.name in mapped and f.name not in KEPT_APART]
    if not fields:
        return counted
    told = []
    for name, number in ((quoted(f.name), f.type in (pa.float64(), pa.int64())) for f in fields):
        told += [f"count(*) - count({name})"]
        told += [f"min({name})", f"max({name})"] if number else ["NULL", "NULL"]
    found = iter(first_row(connection, f"SELECT {', '.join(told)} FROM {table}"))
    columns = (report.Column(f.name, next(found), next(found), next(found)) for f in fields)
    return replace(counted, columns=tuple(columns))


def measured(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, tuple[str, report.Interactions]],
    kept: str,
    known_until: int,
    with_customers: bool,
) -> tuple[report.Interactions, ...]:
    """Add what only the whole history shows: what was left out, and the kinds that were kept.

    Args:
        connection: where the view ``read`` holds the interactions of all tables.
        tables: by name of the source, its table and what is known of it so far.
        kept: the table of all interactions without those left out.
        known_until: from this instant on, nothing is known yet.
        with_customers: whether to count those of each kind, which takes memory for each.
    """
    kinds = _kinds(connection, kept, with_customers)
    conflicts: dict[str, tuple[int, str]] = {}
    found = []
    for label, (table, so_far) in tables.items():
        late, n = first_row(
            connection,
            f"SELECT count(*) FILTER (greatest(occurred_at, recorded_at) >= {known_until}), "
            f"count(*) FROM {table}",
        )
        repeats = n - late - sum(kind.rows for kind in kinds.get(label, ()))
        if repeats and not conflicts:
            conflicts = _conflicts(connection)
        count, example = conflicts.get(label, (0, None)) if repeats else (0, None)
        found.append(
            replace(
                so_far,
                late=late,
                repeats=repeats,
                conflicts=count,
                conflict=example,
                kinds=kinds.get(label, ()),
            )
        )
    return tuple(found)


def _kinds(
    connection: duckdb.DuckDBPyConnection, kept: str, with_customers: bool
) -> dict[str, tuple[report.Kind, ...]]:
    found: dict[str, tuple[report.Kind, ...]] = {}
    customers = "count(DISTINCT customer_id)" if with_customers else "NULL"
    for source, *told in connection.execute(
        f"SELECT source, kind, count(*), {customers}, min(occurred_at), max(occurred_at) "
        f"FROM {kept} GROUP BY source, kind ORDER BY source, kind"
    ).fetchall():
        found[source] = (*found.get(source, ()), report.Kind(*told))
    return found


def _conflicts(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, str]]:
    """Return by source how many ids came with several contents, and one of them."""
    names = connection.table("read").columns
    content = ", ".join(quoted(name) for name in names if name not in ("recorded_at", "source"))
    rows = connection.execute(
        "SELECT source, count(*), min(interaction_id) FROM (SELECT source, interaction_id "
        "FROM read WHERE interaction_id IS NOT NULL GROUP BY ALL "
        f"HAVING count(DISTINCT ({content})) > 1) GROUP BY source"
    ).fetchall()
    return {source: (count, example) for source, count, example in rows}


def measured_attributes(
    so_far: report.Attributes, facts: pa.Table, customers: pa.Array
) -> report.Attributes:
    """Add how many customers a table of attributes has, and how many have no interaction."""
    found = pc.unique(facts["customer_id"])
    known = pc.sum(pc.is_in(found, customers)).as_py() or 0
    return replace(so_far, customers=len(found), strangers=len(found) - known)


def measured_offers(
    connection: duckdb.DuckDBPyConnection,
    kept: str,
    identities: pa.Table,
    offers: Mapping[str, Offer],
    roles: Roles,
) -> report.Offers:
    """Compare offers with what interactions say of them.

    An acceptance belongs to an earlier showing of that offer to that customer, under any key.
    """
    keys = pa.table({"key": identities["key"], "owner": owners(identities, identities["key"])})
    connection.register("keys", keys)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE named AS SELECT coalesce(owner, customer_id) AS customer_id, "
        f"offer_id, kind, occurred_at FROM {kept} LEFT JOIN keys ON key = customer_id "
        "WHERE offer_id IS NOT NULL"
    )
    (n_accepted,) = first_row(
        connection,
        f"SELECT count(*) FROM {kept} WHERE kind IN ({_kinds_in(roles, 'offer_accepted')})",
    )
    (shown_before,) = first_row(
        connection,
        f"SELECT count(*) FROM named t JOIN (SELECT customer_id, offer_id, min(occurred_at) "
        f"AS first FROM named WHERE kind IN ({_kinds_in(roles, 'offer_shown')}) GROUP BY ALL) s "
        f"USING (customer_id, offer_id) WHERE kind IN ({_kinds_in(roles, 'offer_accepted')}) "
        "AND s.first <= t.occurred_at",
    )
    unknown = []
    if offers:
        connection.register("offers", pa.table({"offer_id": pa.array(offers, pa.string())}))
        unknown = connection.execute(
            "SELECT offer_id, count(*) FROM named ANTI JOIN offers USING (offer_id) "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
    return report.Offers(len(offers), n_accepted, n_accepted - shown_before, tuple(unknown))


def _kinds_in(roles: Roles, role: str) -> str:
    return ", ".join(map(literal, roles.kinds(role))) or "NULL"
