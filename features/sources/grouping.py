"""Grouping: rows that are lines of one interaction, such as the articles of an invoice."""

from collections.abc import Collection, Sequence

from features.sources.conditions import ASSUMED, GROUP
from features.sources.parsing import literal, quoted

KEYS = ("customer_id", "kind")


def grouped(lines: str, names: Sequence[str], sums: Collection[str], kinds: bool) -> str:
    """Return the query of one row for the lines of each group, customer and kind.

    A line without a group stands alone. A total does not depend on the order of its lines: it is
    added up from the least on.

    Args:
        lines: the table of our columns, ``GROUP`` and ``ASSUMED``.
        names: our columns.
        sums: those that are added up.
        kinds: whether lines are of several kinds, so that a group may be several interactions.
    """
    columns = ", ".join(f"{_one(name, name in sums, kinds)} AS {quoted(name)}" for name in names)
    group, assumed = quoted(GROUP), quoted(ASSUMED)
    return (
        f"SELECT {columns}, bool_and({assumed}) AS {assumed} FROM (SELECT *, CASE WHEN {group} "
        f"IS NULL THEN row_number() OVER () END AS alone FROM {lines}) "
        f"GROUP BY customer_id, kind, {group}, alone ORDER BY {group}, customer_id, kind, alone"
    )


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
        return f"max({column})"  # before its last line nobody knows the total
    if name == "interaction_id":
        group = quoted(GROUP) + (" || ' ' || kind" if kinds else "")
        return f"coalesce({agreed}, {group})"
    return agreed


def with_returns(table: str, names: Sequence[str], kind: str, numbers: Collection[str]) -> str:
    """Return the query of interactions in which what has a negative amount is of another kind.

    Its numbers lose their sign.

    Args:
        table: the interactions.
        names: our columns.
        kind: that of returns.
        numbers: the further numbers of their source.
    """
    changed = {"kind": f"CASE WHEN amount < 0 THEN {literal(kind)} ELSE kind END"}
    for name in ("amount", *numbers):
        column = quoted(name)
        changed[name] = f"CASE WHEN amount < 0 THEN abs({column}) ELSE {column} END"
    columns = ", ".join(f"{changed.get(name, quoted(name))} AS {quoted(name)}" for name in names)
    return f"SELECT {columns}, {quoted(ASSUMED)} FROM {table}"
