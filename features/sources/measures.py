"""What is counted and measured of the tables that were read."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.offers import Offer
from features.sections import Roles
from features.sources import report
from features.sources.parsing import literal, quoted
from features.sources.tables import first_row

KEPT_APART = ("customer_id", "occurred_at", "recorded_at", "kind")
"""Columns of interactions that the report tells in another way."""


def with_columns(counted: report.Table, table: pa.Table, mapped: Collection[str]) -> report.Table:
    """Add to a table what is missing in its mapped columns, and the range of those of numbers."""
    columns = []
    for name in table.column_names:
        if name not in mapped or name in KEPT_APART:
            continue
        least = greatest = None
        if table.schema.field(name).type in (pa.float64(), pa.int64()):
            ends = pc.min_max(table[name]).as_py()
            least, greatest = ends["min"], ends["max"]
        columns.append(report.Column(name, table[name].null_count, least, greatest))
    return replace(counted, columns=tuple(columns))


def measured(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, tuple[pa.Table, report.Interactions]],
    kept: pa.Table,
    known_until: int,
) -> tuple[report.Interactions, ...]:
    """Add what only the whole history shows: what was left out, and the kinds that were kept.

    Args:
        connection: where the view ``read`` holds the interactions of all tables.
        tables: by name of the source, its interactions and what is known of them so far.
        kept: the interactions of all tables without those left out.
        known_until: from this instant on, nothing is known yet.
    """
    kinds = _kinds(kept)
    conflicts: dict[str, tuple[int, str]] = {}
    found = []
    for label, (table, so_far) in tables.items():
        known = pc.and_(
            pc.less(table["occurred_at"], known_until), pc.less(table["recorded_at"], known_until)
        )
        late = len(table) - (pc.sum(known).as_py() or 0)
        repeats = len(table) - late - sum(kind.rows for kind in kinds.get(label, ()))
        if repeats and not conflicts:
            conflicts = _conflicts(connection, table.column_names)
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


def _kinds(kept: pa.Table) -> dict[str, tuple[report.Kind, ...]]:
    found: dict[str, tuple[report.Kind, ...]] = {}
    groups = kept.group_by(["source", "kind"]).aggregate(
        [
            ("customer_id", "count_distinct"),
            ("occurred_at", "count"),
            ("occurred_at", "min"),
            ("occurred_at", "max"),
        ]
    )
    for row in groups.sort_by([("source", "ascending"), ("kind", "ascending")]).to_pylist():
        kind = report.Kind(
            row["kind"],
            row["occurred_at_count"],
            row["customer_id_count_distinct"],
            row["occurred_at_min"],
            row["occurred_at_max"],
        )
        found[row["source"]] = (*found.get(row["source"], ()), kind)
    return found


def _conflicts(
    connection: duckdb.DuckDBPyConnection, names: list[str]
) -> dict[str, tuple[int, str]]:
    """Return by source how many ids came with several contents, and one of them."""
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
    interactions: pa.Table,
    offers: Mapping[str, Offer],
    roles: Roles,
) -> report.Offers:
    """Compare offers with what interactions say of them.

    An acceptance belongs to an earlier showing of that offer to that customer.
    """
    named = interactions.filter(pc.is_valid(interactions["offer_id"]))
    connection.register("named", named.select(["customer_id", "offer_id", "kind", "occurred_at"]))
    accepted = pc.is_in(interactions["kind"], pa.array(roles.kinds("offer_accepted"), pa.string()))
    n_accepted = pc.sum(accepted).as_py() or 0
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
