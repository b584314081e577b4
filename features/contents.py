"""Contents: what the columns of a history hold, whether it is in memory or streamed from files.

Only the columns asked for are read, and no more is held of them than what is returned.
"""

from collections.abc import Collection

import duckdb
import pyarrow as pa
import pyarrow.dataset

from features.reading import open_interactions


def distinct(interactions: pa.Table | pa.dataset.Dataset, name: str) -> pa.Array:
    """Return the different texts of a column, in no order."""
    with duckdb.connect() as connection:
        open_interactions(connection, interactions)
        found = connection.sql(f'SELECT DISTINCT "{name}" FROM interactions').to_arrow_table()
    return found[name].cast(pa.string()).combine_chunks()


def filled(
    interactions: pa.Table | pa.dataset.Dataset,
    names: Collection[str],
    kinds: Collection[str] | None = None,
) -> set[str]:
    """Return which of some columns hold anything, in interactions of some kinds or of all."""
    if not names:
        return set()
    told = ", ".join(f'count("{name}")' for name in names)
    among = "" if kinds is None else " WHERE list_contains(?, kind)"
    with duckdb.connect() as connection:
        open_interactions(connection, interactions)
        given = [] if kinds is None else [list(kinds)]
        (counts,) = connection.execute(f"SELECT {told} FROM interactions{among}", given).fetchall()
    return {name for name, count in zip(names, counts, strict=True) if count}


def first_instant(interactions: pa.Table | pa.dataset.Dataset) -> int | None:
    """Return when the first interaction happened, ``None`` without any."""
    with duckdb.connect() as connection:
        open_interactions(connection, interactions)
        ((first,),) = connection.sql("SELECT min(occurred_at) FROM interactions").fetchall()
    return None if first is None else int(first)
