"""Reading: the interactions of customers as columns in memory, as many as fit at a time."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs

from features import clock
from features.chunks import edges_of
from features.errors import DataError
from features.interactions import INSTANTS, ORDER, STRINGS
from features.ordering import CUSTOMER, ID, Held
from features.plan import Plan

Int64 = npt.NDArray[np.int64]
FEW, MOST_TEXTS = ("source", "kind", "channel", "topic", "offer_id"), 10_000
"""Columns whose texts are few as a rule, and up to how many of them are read as numbers."""
HELD = 12_000_000
"""How many interactions are in memory at a time; a customer with more is held whole."""
PART = "the-part"
"""As no declared column can be called, and as folders are called without an escape."""
FETCHED = 250_000
"""How many interactions DuckDB hands over at a time."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns that are read: their expressions in SQL, and the texts of those numbered."""

    columns: dict[str, str]
    names: dict[str, list[str]]

    def sql(self, *further: str) -> str:
        """Return the query of all interactions of those wanted."""
        selected = [f'{column} AS "{name}"' for name, column in self.columns.items()]
        return (
            f"SELECT {', '.join([*further, *selected])} "
            "FROM interactions i JOIN wanted w USING (customer_id)"
        )


def open_interactions(
    connection: duckdb.DuckDBPyConnection, interactions: pa.Table | pa.dataset.Dataset
) -> None:
    """Name the interactions; DuckDB reads Parquet files itself three times as fast as by Arrow."""
    if isinstance(interactions, pa.dataset.FileSystemDataset) and _is_plain(interactions):
        files = connection.read_parquet(interactions.files, union_by_name=True)
        # A filter, or a column from the names of folders, is known to the data set alone.
        there = set(interactions.schema.names) <= set(files.columns)
        if there and files.count("*").fetchall()[0][0] == interactions.count_rows():
            columns = (duckdb.ColumnExpression(name) for name in interactions.schema.names)
            files.select(*columns).create_view("interactions")
            return
    connection.register("interactions", interactions)


def _is_plain(interactions: pa.dataset.FileSystemDataset) -> bool:
    local = isinstance(interactions.filesystem, pa.fs.LocalFileSystem)
    return local and isinstance(interactions.format, pa.dataset.ParquetFileFormat)


def parts(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    wanted: pa.Table,
    n_customers: int,
    scratch: Path,
) -> Iterator[tuple[int, int, Held]]:
    """Read the interactions of customers; who takes them lets go of one part before the next.

    Args:
        connection: where ``interactions`` are.
        plan: the compiled signals.
        wanted: who is read, as ``identities.shares`` returns it.
        n_customers: how many customers there are.
        scratch: a folder for what does not fit into memory.

    Yields:
        The first customer, the one after the last, and their interactions; together all customers.
    """
    shared = len(wanted) > n_customers
    connection.register("wanted", wanted)
    selection = _selection(connection, plan, shared)
    ((most,),) = connection.sql("SELECT count(*) FROM interactions").fetchall()
    if not shared and most <= HELD:
        yield 0, n_customers, _held(connection, selection.sql(), selection, most)
        return
    n_before = _counted(connection, n_customers)
    edges = edges_of((n_before, HELD))
    if len(edges) <= 2:
        yield 0, n_customers, _held(connection, selection.sql(), selection, int(n_before[-1]))
        return
    part = np.searchsorted(edges, np.asarray(wanted["c"]), side="right") - 1
    connection.register("wanted", wanted.append_column(PART, pa.array(part)))
    folder = scratch / "parts"
    _write_parts(connection, selection.sql(f'w."{PART}"'), folder)
    for k, (first, last) in enumerate(itertools.pairwise(edges)):
        n = int(n_before[last] - n_before[first])
        files = sorted(map(str, (folder / f"{PART}={k}").glob("*.parquet")))
        query = f"{selection.sql()} LIMIT 0"
        if files:
            connection.read_parquet(files, hive_partitioning=False).create_view("part", True)
            query = "SELECT * FROM part"
        held = _held(connection, query, selection, n)
        held.columns[CUSTOMER][:] -= first
        for file in files:
            Path(file).unlink()
        yield first, last, held
        del held


def _write_parts(connection: duckdb.DuckDBPyConnection, query: str, folder: Path) -> None:
    quoted = str(folder).replace("'", "''")
    try:
        connection.execute(
            f"COPY ({query}) TO '{quoted}' "
            f'(FORMAT parquet, COMPRESSION lz4_raw, PARTITION_BY ("{PART}"))'
        )
    except duckdb.IOException as error:
        raise DataError(
            "interactions",
            f"more than {HELD:,}, and {folder.parent.parent} could not take them: {error}",
            "room on disk for those that do not fit into memory",
            "Make room, or set TMPDIR to a folder that has it.",
        ) from error


def _counted(connection: duckdb.DuckDBPyConnection, n_customers: int) -> Int64:
    """Return how many interactions the customers before each one have, shape ``(n + 1,)``."""
    counts = connection.sql(
        "SELECT w.c AS customer, count(*) AS n "
        "FROM interactions i JOIN wanted w USING (customer_id) GROUP BY w.c"
    ).fetchnumpy()
    n_of = np.zeros(n_customers + 1, dtype=np.int64)
    n_of[np.asarray(counts["customer"], dtype=np.int64) + 1] = counts["n"]
    return np.cumsum(n_of)


def _selection(connection: duckdb.DuckDBPyConnection, plan: Plan, shared: bool) -> Selection:
    """Return what the plan reads, and every other column of canonical order that varies.

    Only the instant is sorted by; the others settle what remains tied.
    """
    further = sorted(set(connection.table("interactions").columns) - {"customer_id", *ORDER})
    read = {*INSTANTS, "kind", *plan.code_columns, *plan.numbers}
    read |= {"due_at"} if plan.reads_due else set()
    texts = {name: _texts(connection, name) for name in FEW}
    varying = {name for name, found in texts.items() if found is None or len(found) > 1}
    others = [name for name in (*ORDER, *further) if name not in read and name not in FEW]
    read |= varying | _varying(connection, others)
    read |= {"source"} if "interaction_id" in read else set()
    selection = Selection({CUSTOMER: "w.c"}, {})
    for name in (*ORDER, *further):
        if name not in read:
            continue
        found = texts.get(name)
        if found is not None:
            selection.names[name] = found
            _enumerate(connection, name, found)
        selection.columns[name] = _expression(name, found is not None, shared)
    if "interaction_id" in read:
        selection.columns[ID] = (
            "CASE WHEN i.interaction_id IS NULL THEN 0::UBIGINT "
            "ELSE greatest(hash(w.c, i.source, i.interaction_id), 1::UBIGINT) END"
        )
    return selection


def _expression(name: str, numbered: bool, shared: bool) -> str:
    column = f'i."{name}"'
    if numbered:
        # To try a cast is faster than to cast: what cannot fail is done once for each text.
        return f"coalesce(enum_code(try_cast({column} AS texts_of_{name}))::SMALLINT, -1::SMALLINT)"
    if name == "due_at":
        return f"coalesce({column}, {clock.EVER})"
    if name == "recorded_at" and shared:
        return f"greatest({column}, w.since)"
    if name in INSTANTS:
        return column
    if name in STRINGS:
        return f"{column}::VARCHAR"
    if name == "resolved":
        column = f"{column}::TINYINT"
    # Adding zero makes negative zero equal to zero.
    return f"coalesce({column} + 0.0, 'nan'::DOUBLE)"


def _varying(connection: duckdb.DuckDBPyConnection, names: list[str]) -> set[str]:
    """Return the columns with more than one value, missing counted as one, and ids if any."""
    if not names:
        return set()
    told = ", ".join(f'count("{n}"), min("{n}") IS DISTINCT FROM max("{n}")' for n in names)
    query = f"SELECT count(*), {told} FROM interactions"
    ((n_rows, *found),) = connection.sql(query).fetchall()
    pairs = zip(names, found[::2], found[1::2], strict=True)
    ids = ("interaction_id",)
    return {n for n, there, differ in pairs if differ or 0 < there < n_rows or (there and n in ids)}


def _texts(connection: duckdb.DuckDBPyConnection, name: str) -> list[str] | None:
    """Return a column's texts in their order; ``None`` if they are many."""
    query = f"SELECT DISTINCT {name} FROM interactions LIMIT {MOST_TEXTS + 1}"
    found = [text for (text,) in connection.sql(query).fetchall()]
    return sorted(text for text in found if text is not None) if len(found) <= MOST_TEXTS else None


def _enumerate(connection: duckdb.DuckDBPyConnection, name: str, texts: list[str]) -> None:
    """Make a type of texts, by which they are read as numbers in their order."""
    connection.register("texts", pa.table({"text": pa.array(texts, pa.string())}))
    connection.execute(f"CREATE TYPE texts_of_{name} AS ENUM (SELECT text FROM texts)")
    connection.unregister("texts")


def _held(
    connection: duckdb.DuckDBPyConnection, query: str, selection: Selection, most: int
) -> Held:
    """Read a query's rows, of which there are so many at most."""
    reader = connection.sql(query).to_arrow_reader(FETCHED)
    columns: dict[str, npt.NDArray[Any]] = {}
    texts: dict[str, list[pa.Array]] = {}
    for field in reader.schema:
        if pa.types.is_string(field.type):
            # Of more than two gigabytes only large ones can be put together.
            texts[field.name] = []
        else:
            columns[field.name] = np.empty(most, dtype=field.type.to_pandas_dtype())
    n = 0
    for batch in reader:
        for name, column in columns.items():
            column[n : n + len(batch)] = batch[name].to_numpy()
        for name, chunks in texts.items():
            chunks.append(batch[name].cast(pa.large_string()))
        n += len(batch)
    columns = {name: column[:n] for name, column in columns.items()}
    occurred, recorded = (columns[name] for name in INSTANTS)
    if np.array_equal(occurred, recorded):
        columns["recorded_at"] = occurred
    return Held(
        columns=columns,
        texts={
            n: pa.chunked_array(c, pa.large_string()).combine_chunks() for n, c in texts.items()
        },
        names=selection.names,
    )
