"""Grouping: rows that are lines of one interaction, such as the articles of an invoice."""

from collections.abc import Collection

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.sources.parsing import quoted

GROUP = "the group"
"""The column that says which lines belong together: a name that no column of ours can have."""
KEYS = ("customer_id", "kind")


def grouped(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, sums: Collection[str], kinds: bool
) -> pa.Table:
    """Return one row for the lines of each group, customer and kind; without a group each is one.

    A total does not depend on the order of its lines: it is added up from the least on.

    Args:
        connection: a database in memory.
        lines: our columns, instants in microseconds, and ``GROUP``.
        sums: the columns that are added up.
        kinds: whether lines are of several kinds, so that a group may be several interactions.
    """
    connection.register("lines", lines)
    columns = ", ".join(
        f"{_one(name, name in sums, kinds)} AS {quoted(name)}"
        for name in lines.column_names
        if name != GROUP
    )
    group = quoted(GROUP)
    return connection.sql(
        f"SELECT {columns} FROM (SELECT *, CASE WHEN {group} IS NULL THEN row_number() OVER () END "
        f"AS alone FROM lines) GROUP BY customer_id, kind, {group}, alone "
        f"ORDER BY {group}, customer_id, kind, alone"
    ).to_arrow_table()


def _one(name: str, is_sum: bool, kinds: bool) -> str:
    """Return the SQL of a column of the whole."""
    column = quoted(name)
    agreed = f"CASE WHEN min({column}) = max({column}) THEN min({column}) END"
    if name in KEYS:
        return column
    if is_sum:
        return f"list_sum(list({column} ORDER BY {column}) FILTER ({column} IS NOT NULL))"
    if name == "occurred_at":
        return f"min({column})"
    if name == "recorded_at":
        known = f"max(coalesce({column}, occurred_at))"
        return f"CASE WHEN count({column}) > 0 THEN {known} END"
    if name == "interaction_id":
        group = quoted(GROUP) + (" || ' ' || kind" if kinds else "")
        return f"coalesce({agreed}, {group})"
    return agreed


def with_returns(table: pa.Table, kind: str, numbers: Collection[str]) -> pa.Table:
    """Give what has a negative amount another kind, and its numbers without their sign."""
    negative = pc.fill_null(pc.less(table["amount"].cast(pa.float64()), 0.0), False)
    changed = {"kind": pc.if_else(negative, kind, table["kind"])}
    for name in dict.fromkeys(("amount", *numbers)):
        column = table[name].cast(pa.float64())
        changed[name] = pc.if_else(negative, pc.abs(column), column)
    for name, column in changed.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table
