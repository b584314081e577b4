"""Grouping: rows that are lines of one interaction, such as the articles of an invoice."""

from collections.abc import Collection, Sequence

from features import clock
from features.sources.conditions import ASSUMED, GROUP
from features.sources.parsing import literal, quoted

KEYS = ("customer_id", "kind")
PART = "the part"
APART = clock.DAY
"""Lines of a group that are recorded further apart than this are interactions of their own."""


def grouped(lines: str, names: Sequence[str], sums: Collection[str], kinds: bool) -> str:
    """Return the query of one row for the lines of each group, customer and kind.

    A line without a group stands alone; so does what is recorded more than ``APART`` later,
    such as a return noted on its invoice: as lines of one, the purchase would not have been known
    before the return. A total does not depend on the order of its lines: it is added
    up from the least on.

    Args:
        lines: the table of our columns, ``GROUP`` and ``ASSUMED``.
        names: our columns.
        sums: those that are added up.
        kinds: whether lines are of several kinds, so that a group may be several interactions.
    """
    columns = ", ".join(f"{_one(name, name in sums, kinds)} AS {quoted(name)}" for name in names)
    group, assumed, part = quoted(GROUP), quoted(ASSUMED), quoted(PART)
    whose = f"PARTITION BY customer_id, kind, {group}"
    by_record = f"({whose} ORDER BY recorded_at)"
    late = f"recorded_at - lag(recorded_at) OVER {by_record} > {APART}"
    return (
        f"WITH told AS (SELECT *, CASE WHEN {group} IS NULL THEN row_number() OVER () "
        f"WHEN {late} THEN 1 ELSE 0 END AS late FROM {lines}), parted AS (SELECT *, CASE WHEN "
        f"{group} IS NULL THEN late ELSE sum(late) OVER {by_record} END AS {part} FROM told) "
        f"SELECT {columns}, bool_and({assumed}) AS {assumed} FROM parted "
        f"GROUP BY customer_id, kind, {group}, {part} ORDER BY {group}, customer_id, kind, {part}"
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
        own = f"{quoted(GROUP)} || ' ' || customer_id" + (" || ' ' || kind" if kinds else "")
        later = f"CASE WHEN {quoted(PART)} > 0 THEN ' ' || {quoted(PART)} ELSE '' END"
        return f"coalesce({agreed}, {own} || {later})"
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
