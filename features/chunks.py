"""Chunks: a sorted stream of interactions cut between customers and turned into arrays."""

from collections.abc import Iterable, Iterator

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import arrays, clock
from features.categories import Categories
from features.encoding import local_codes, n_codes
from features.interactions import INSTANTS, NUMBERS, ORDER
from features.measures import CODE_COLUMNS
from features.plan import Plan

Int64 = npt.NDArray[np.int64]
CUSTOMER, ID = "the customer", "the id"
"""Names that no declared column can have."""
CHUNK = 1_000_000
"""How many interactions are held as arrays at a time; a customer with more is held whole."""


def stream_query(names: Iterable[str], table: str, customers: str, shared: bool = False) -> str:
    """Return the SQL that streams interactions customer by customer.

    Every column of the canonical order comes along, but only instants are sorted by: ``settled``
    orders the few that remain tied. Adding zero makes negative zero equal to zero.

    Args:
        names: the columns of the table.
        table: the table of interactions.
        customers: the table of (customer_id, c, since), as ``identities.shares`` returns it.
        shared: whether some customer has more than one key; to look at ``since`` takes time.
    """
    further = sorted(set(names) - {"customer_id", *ORDER})
    recorded = "greatest(i.recorded_at, w.since)" if shared else "i.recorded_at"
    selected = [
        f'i."{n}" + 0.0 AS "{n}"' if n in (*NUMBERS, *further) else f'i."{n}"'
        for n in (*ORDER, *further)
    ]
    selected[ORDER.index("recorded_at")] = f"{recorded} AS recorded_at"
    return (
        f'SELECT w.c AS "{CUSTOMER}", {", ".join(selected)}, '
        "CASE WHEN i.interaction_id IS NOT NULL THEN hash(i.source, i.interaction_id) END "
        f'AS "{ID}" '
        f"FROM {table} i JOIN {customers} w USING (customer_id) "
        f"ORDER BY w.c, i.occurred_at, {recorded}"
    )


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


def settled(table: pa.Table) -> pa.Table:
    """Bring interactions sorted by customer and instants into canonical order, each id once."""
    if len(table) < 2:
        return table
    tied = np.ones(len(table) - 1, dtype=bool)
    for name in (CUSTOMER, *INSTANTS):
        tied &= np.diff(_int64(table[name])) == 0
    if tied.any():
        in_run = np.concatenate(([False], tied)) | np.concatenate((tied, [False]))
        run = np.cumsum(~np.concatenate(([False], tied)))
        at = np.flatnonzero(in_run)
        order = np.arange(len(table))
        order[at] = at[_canonical(table.take(at), run[at])]
        table = table.take(order)
    return _once(table)


def _canonical(tied: pa.Table, run: Int64) -> Int64:
    further = sorted(set(tied.column_names) - {CUSTOMER, ID, *ORDER})
    keys = ", ".join(f'"{name}" NULLS FIRST' for name in (*ORDER, *further))
    tied = tied.append_column("the run", pa.array(run)).append_column(
        "the place", pa.array(np.arange(len(tied)))
    )
    with duckdb.connect() as connection:
        connection.register("tied", tied)
        ordered = connection.sql(
            f'SELECT "the place" FROM tied ORDER BY "the run", {keys}'
        ).to_arrow_table()
    return _int64(ordered["the place"])


def _once(table: pa.Table) -> pa.Table:
    """Keep, of a customer's interactions that share source and id, the first recorded."""
    hashes = table[ID]
    if hashes.null_count == len(table):
        return table
    hashed = np.array(hashes.fill_null(0).to_numpy(), dtype=np.uint64)
    _, place, counts = np.unique(hashed, return_inverse=True, return_counts=True)
    suspects = np.flatnonzero((counts[place] > 1) & ~_missing(hashes))
    if not len(suspects):
        return table
    some = table.select([CUSTOMER, "source", "interaction_id", "recorded_at"]).take(suspects)
    with duckdb.connect() as connection:
        connection.register("suspects", some.append_column("the place", pa.array(suspects)))
        repeats = connection.sql(
            'SELECT "the place" FROM suspects QUALIFY row_number() OVER '
            f'(PARTITION BY "{CUSTOMER}", source, interaction_id '
            'ORDER BY recorded_at, "the place") > 1'
        ).to_arrow_table()
    kept = np.ones(len(table), dtype=bool)
    kept[_int64(repeats["the place"])] = False
    return table.filter(pa.array(kept))


def histories_of(
    plan: Plan, table: pa.Table, first: int, last: int, categories: Categories
) -> tuple[arrays.Histories, dict[str, int]]:
    """Return the arrays of customers ``first`` to ``last``, and the codes of offers in them.

    Args:
        plan: the compiled signals.
        table: their interactions in canonical order, ``c`` the customer.
        first: the first customer, the first of the arrays.
        last: the customer after the last.
        categories: the codes of channels and topics; new ones are added.
    """
    occurred = _int64(table["occurred_at"])
    codes = np.full((len(CODE_COLUMNS), len(table)), -1, dtype=np.int32)
    own: dict[str, int] = {}
    for name in set(plan.code_columns) & {"channel", "topic", "case_id", "offer_id"}:
        indices, values = _dictionary(table[name])
        if name in ("channel", "topic"):
            there = [int(categories.code(value)) for value in values.to_pylist()]
            indices = np.array([*there, -1], dtype=np.int32)[indices]
        elif name == "offer_id":
            own = {value: code for code, value in enumerate(values.to_pylist())}
        codes[CODE_COLUMNS.index(name)] = indices
    local_codes(plan, occurred, codes)
    indices, values = _dictionary(table["kind"])
    other = len(plan.kinds)
    kinds = [plan.kind_codes.get(value, other) for value in values.to_pylist()]
    numbers = np.empty((len(plan.numbers), len(table)))
    for row, name in zip(numbers, plan.numbers, strict=True):
        column = table[name].cast(pa.int8()) if name == "resolved" else table[name]
        row[:] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    due = table["due_at"].fill_null(clock.EVER) if plan.reads_due else pa.array([], pa.int64())
    histories = arrays.Histories(
        start=starts(_int64(table[CUSTOMER]) - first, last - first),
        occurred=occurred,
        recorded=_int64(table["recorded_at"]),
        due=np.array(due, dtype=np.int64),
        kind=np.array([*kinds, other], dtype=np.int32)[indices],
        codes=codes,
        numbers=numbers,
        n_codes=n_codes(plan, codes),
    )
    return histories, own


def starts(sorted_codes: Int64, n: int) -> Int64:
    """Return where each of ``n`` codes begins, and where the last ends."""
    return np.searchsorted(sorted_codes, np.arange(n + 1)).astype(np.int64)


def _dictionary(column: pa.ChunkedArray) -> tuple[arrays.Int32, pa.Array]:
    """Return the place of each value among the distinct ones, -1 for a missing one, and these."""
    encoded = column.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = (
            pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], column.type)
        )
    encoded = encoded.dictionary_encode()
    return np.array(encoded.indices.fill_null(-1), dtype=np.int32), encoded.dictionary


def _missing(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.array(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=bool)


def _int64(column: pa.ChunkedArray) -> Int64:
    return np.array(column.to_numpy(), dtype=np.int64)
