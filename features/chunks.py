"""Chunks: a sorted stream of interactions cut between customers and turned into arrays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import arrays, clock
from features.categories import Categories
from features.encoding import local_codes, n_codes
from features.interactions import NUMBERS, ORDER
from features.measures import CODE_COLUMNS
from features.plan import Plan

Int64 = npt.NDArray[np.int64]
FEW, MOST_TEXTS = ("source", "kind", "channel", "topic"), 10_000
"""Columns whose texts are few as a rule, and how many of them are sorted as numbers."""
CUSTOMER, ID = "the customer", "the id"
"""Names that no declared column can have."""
CHUNK = 1_000_000
"""How many interactions are held as arrays at a time; a customer with more is held whole."""


def stream_query(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    table: str,
    customers: str,
    shared: bool = False,
) -> str:
    """Return the SQL that streams interactions customer by customer.

    Only the instant is sorted by: ``settle`` orders what remains tied, for which every column of
    the canonical order comes along that holds more than one value. Adding zero makes negative
    zero equal to zero.

    Args:
        connection: where the tables are.
        plan: the compiled signals.
        table: the table of interactions.
        customers: the table of (customer_id, c, since), as ``identities.shares`` returns it.
        shared: whether some customer has more than one key; to look at ``since`` takes time.
    """
    further = sorted(set(connection.table(table).columns) - {"customer_id", *ORDER})
    read = {"occurred_at", "recorded_at", "kind", *plan.code_columns, *plan.numbers}
    read |= {"due_at"} if plan.reads_due else set()
    texts = {name: _texts(connection, table, name) for name in FEW}
    unread = [n for n in (*ORDER, *further) if n not in read and n not in FEW]
    varying = _varying(connection, table, unread)
    varying |= {name for name, found in texts.items() if found is None or len(found) > 1}
    read |= {"source"} if "interaction_id" in varying else set()
    selected = []
    for name in (*ORDER, *further):
        if name not in read and name not in varying:
            continue
        column = f'i."{name}"'
        if known := [text for text in texts.get(name) or () if text is not None]:
            column = f"{column}::{_enumerated(connection, name, known)}"
        if name in (*NUMBERS, *further):
            column = f"{column} + 0.0"
        if name == "recorded_at" and shared:
            column = f"greatest({column}, w.since)"
        selected.append(f'{column} AS "{name}"')
    if "interaction_id" in varying:
        hashed = "hash(i.source, i.interaction_id)"
        selected.append(f'CASE WHEN i.interaction_id IS NOT NULL THEN {hashed} END AS "{ID}"')
    return (
        f'SELECT w.c AS "{CUSTOMER}", {", ".join(selected)} '
        f"FROM {table} i JOIN {customers} w USING (customer_id) ORDER BY w.c, i.occurred_at"
    )


def _varying(connection: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> set[str]:
    """Return the columns with more than one value, missing counted as one, and ids if any."""
    if not names:
        return set()
    told = ", ".join(f'count("{n}"), min("{n}") IS DISTINCT FROM max("{n}")' for n in names)
    ((n_rows, *found),) = connection.execute(f"SELECT count(*), {told} FROM {table}").fetchall()
    pairs = zip(names, found[::2], found[1::2], strict=True)
    ids = ("interaction_id",)
    return {n for n, there, differ in pairs if differ or 0 < there < n_rows or (there and n in ids)}


def _texts(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> list[str | None] | None:
    """Return a column's texts in their order, a missing one among them; ``None`` if many."""
    query = f"SELECT DISTINCT {name} FROM {table} LIMIT {MOST_TEXTS + 1}"
    found = [text for (text,) in connection.execute(query).fetchall()]
    return (
        sorted(found, key=lambda t: (t is not None, t or "")) if len(found) <= MOST_TEXTS else None
    )


def _enumerated(connection: duckdb.DuckDBPyConnection, name: str, texts: list[str]) -> str:
    """Make a type of texts, which are sorted and read as numbers, and return its name."""
    connection.register("texts", pa.table({"text": pa.array(texts, pa.string())}))
    connection.execute(f"CREATE TYPE texts_of_{name} AS ENUM (SELECT text FROM texts)")
    connection.unregister("texts")
    return f"texts_of_{name}"


def cut(batches: pa.RecordBatchReader, n_customers: int) -> Iterator[tuple[int, int, pa.Table]]:
    """Cut a stream sorted by customer into tables of whole customers.

    Yields:
        The first customer, the one after the last, and their interactions; together all customers.
    """
    held: list[pa.RecordBatch] = []
    size, first = 0, 0
    for batch in batches:
        held.append(batch)
        size += len(batch)
        last = batch[CUSTOMER][len(batch) - 1].as_py() if len(batch) else first
        if size < CHUNK or last == held[0][CUSTOMER][0].as_py():
            continue
        table = pa.Table.from_batches(held, batches.schema)
        at = int(np.searchsorted(_int64(table[CUSTOMER]), last))
        yield first, last, table.slice(0, at)
        held = table.slice(at).combine_chunks().to_batches()
        size, first = len(table) - at, last
    if n_customers > first:
        yield first, n_customers, pa.Table.from_batches(held, batches.schema)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What brings rows sorted by customer and instant into canonical order, each id once.

    The row at ``taken[k]`` belongs at ``place[k]``; then only those of ``kept`` remain.
    """

    place: Int64
    taken: Int64
    kept: npt.NDArray[np.bool_] | None = None

    def apply(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a column in canonical order."""
        if len(self.place):
            column = column.copy()
            column[self.place] = column[self.taken]
        return column if self.kept is None else column[self.kept]


def settle(table: pa.Table) -> Settlement:
    """Return what brings a stream's rows into canonical order, each id once."""
    nothing = np.empty(0, dtype=np.int64)
    if len(table) < 2:
        return Settlement(nothing, nothing)
    tied = np.diff(_int64(table["occurred_at"])) == 0
    tied &= np.diff(_int64(table[CUSTOMER])) == 0
    place = taken = nothing
    if tied.any():
        in_run = np.concatenate(([False], tied)) | np.concatenate((tied, [False]))
        run = np.cumsum(~np.concatenate(([False], tied)))
        place = np.flatnonzero(in_run)
        taken = place[_canonical(table.take(place), run[place])]
    return Settlement(place, taken, _once(table, place, taken))


def _canonical(tied: pa.Table, run: Int64) -> Int64:
    names = [name for name in tied.column_names if name not in (CUSTOMER, ID)]
    order = [name for name in ORDER if name in names]
    order += sorted(set(names) - set(order))
    keys = ", ".join(f"{_comparable(name)} NULLS FIRST" for name in order)
    tied = tied.append_column("the run", pa.array(run)).append_column(
        "the place", pa.array(np.arange(len(tied)))
    )
    with duckdb.connect() as connection:
        connection.register("tied", tied)
        ordered = connection.sql(
            f'SELECT "the place" FROM tied ORDER BY "the run", {keys}'
        ).to_arrow_table()
    return _int64(ordered["the place"])


def _comparable(name: str) -> str:
    """Return the SQL by which a column is put in order: NaN is missing, not above all numbers."""
    is_number = name in NUMBERS or name not in ORDER
    return f"nullif(\"{name}\", 'nan'::DOUBLE)" if is_number else f'"{name}"'


def _once(table: pa.Table, place: Int64, taken: Int64) -> npt.NDArray[np.bool_] | None:
    """Return which rows are, of a customer's with one source and id, the first recorded."""
    if ID not in table.column_names:
        return None
    hashed = np.array(table[ID].fill_null(0).to_numpy(), dtype=np.uint64)
    _, code, counts = np.unique(hashed, return_inverse=True, return_counts=True)
    suspects = np.flatnonzero((counts[code] > 1) & ~_missing(table[ID]))
    if not len(suspects):
        return None
    places = np.arange(len(table))
    places[taken] = place
    some = table.select([CUSTOMER, "source", "interaction_id", "recorded_at"]).take(suspects)
    with duckdb.connect() as connection:
        connection.register("suspects", some.append_column("the place", pa.array(places[suspects])))
        repeats = connection.sql(
            'SELECT "the place" FROM suspects QUALIFY row_number() OVER '
            f'(PARTITION BY "{CUSTOMER}", source, interaction_id '
            'ORDER BY recorded_at, "the place") > 1'
        ).to_arrow_table()
    kept = np.ones(len(table), dtype=bool)
    kept[_int64(repeats["the place"])] = False
    return kept


def histories_of(
    plan: Plan, table: pa.Table, first: int, last: int, categories: Categories
) -> tuple[arrays.Histories, dict[str, int]]:
    """Return the arrays of customers ``first`` to ``last``, and the codes of offers in them.

    Args:
        plan: the compiled signals.
        table: their interactions as streamed.
        first: the first customer, the first of the arrays.
        last: the customer after the last.
        categories: the codes of channels and topics; new ones are added.
    """
    settled = settle(table).apply
    occurred = settled(_int64(table["occurred_at"]))
    n = len(occurred) if plan.code_columns else 0
    codes = np.full((len(CODE_COLUMNS), n), -1, dtype=np.int32)
    own: dict[str, int] = {}
    for name in sorted(set(plan.code_columns) & {"channel", "topic", "case_id", "offer_id"}):
        indices, values = _dictionary(table[name])
        if name in ("channel", "topic"):
            there = [int(categories.code(value)) for value in values.to_pylist()]
            indices = np.array([*there, -1], dtype=np.int32)[indices]
        elif name == "offer_id":
            own = {value: code for code, value in enumerate(values.to_pylist())}
        codes[CODE_COLUMNS.index(name)] = settled(indices)
    local_codes(plan, occurred, codes)
    indices, values = _dictionary(table["kind"])
    kinds = [plan.kind_codes.get(value, len(plan.kinds)) for value in values.to_pylist()]
    due = table["due_at"].fill_null(clock.EVER) if plan.reads_due else None
    histories = arrays.Histories(
        start=starts(settled(_int64(table[CUSTOMER])) - first, last - first),
        occurred=occurred,
        recorded=settled(_int64(table["recorded_at"])),
        due=np.empty(0, dtype=np.int64) if due is None else settled(_int64(due)),
        kind=settled(np.array([*kinds, len(plan.kinds)], dtype=np.int32)[indices]),
        codes=codes,
        numbers=_numbers(plan, table, settled, len(occurred)),
        n_codes=n_codes(plan, codes),
    )
    return histories, own


def _numbers(
    plan: Plan, table: pa.Table, settled: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], n: int
) -> arrays.Float64:
    numbers = np.empty((len(plan.numbers), n))
    for row, name in zip(numbers, plan.numbers, strict=True):
        column = table[name].cast(pa.int8()) if name == "resolved" else table[name]
        row[:] = settled(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return numbers


def starts(sorted_codes: Int64, n: int) -> Int64:
    """Return where each of ``n`` codes begins, and where the last ends."""
    return np.searchsorted(sorted_codes, np.arange(n + 1)).astype(np.int64)


def _dictionary(column: pa.ChunkedArray) -> tuple[arrays.Int32, pa.Array]:
    """Return the place of each value among the distinct ones, -1 for a missing one, and these."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    if not column.num_chunks:
        return np.empty(0, dtype=np.int32), pa.array([], pa.string())
    places = [np.asarray(chunk.indices.cast(pa.int32()).fill_null(-1)) for chunk in column.chunks]
    return np.concatenate(places), column.chunk(0).dictionary


def _missing(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.array(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=bool)


def _int64(column: pa.ChunkedArray) -> Int64:
    found = np.asarray(column.to_numpy(), dtype=np.int64)
    # The kernel is compiled for arrays that can be written to: for others it would be again.
    return found if found.flags.writeable else found.copy()
