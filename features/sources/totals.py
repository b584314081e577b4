"""Totals: of the lines of one thing, what is added up and what each of them repeats."""

from collections.abc import Sequence

import duckdb

from features.sources.parsing import quoted
from features.sources.profile import Profile
from features.sources.tables import first_row
from features.sources.words import GROUP, QUANTITY

ALIKE = 0.98
"""The share of things of several lines in which a column's values agree that repeats itself."""
MOST, SURE = 0.9, 0.01
"""How often values may agree by chance, two of them and all that do, to tell from it."""


def repeated(
    connection: duckdb.DuckDBPyConnection, table: str, profile: Profile, keys: Sequence[str]
) -> set[str]:
    """Return the numbers that each line of a thing repeats, such as the total of its order.

    How many there were is each line's own, unless it is called by the whole.

    Args:
        connection: where the table is.
        table: its name there.
        profile: what it holds.
        keys: the columns whose values together name a thing.
    """
    found = set()
    for column in profile.columns.values():
        of_whole = bool(set(column.words) & GROUP)
        if not column.is_number or (set(column.words) & QUANTITY and not of_whole):
            continue
        agreed, n, chance = _agreement(connection, table, keys, quoted(column.name))
        told = of_whole or (chance < MOST and chance**n < SURE)
        if n and agreed >= ALIKE and told:
            found.add(column.name)
    return found


def _agreement(
    connection: duckdb.DuckDBPyConnection, table: str, keys: Sequence[str], column: str
) -> tuple[float, int, float]:
    """Return the share of things of several lines that agree, how many there are, and by chance."""
    by = ", ".join(map(quoted, keys))
    agreed, n = first_row(
        connection,
        f"SELECT avg((least = most)::INT), count(*) FROM (SELECT min({column}::VARCHAR) AS least, "
        f"max({column}::VARCHAR) AS most FROM {table} GROUP BY {by} HAVING count({column}) > 1)",
    )
    (chance,) = first_row(
        connection,
        f"SELECT sum(n * n) / sum(n) ^ 2 FROM (SELECT count(*)::DOUBLE AS n FROM {table} "
        f"WHERE {column} IS NOT NULL GROUP BY {column})",
    )
    return agreed or 0.0, n, chance or 0.0
