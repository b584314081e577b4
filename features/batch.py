"""The batch engine: the signals of many customers at many instants."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import arrays, kernel
from features.history import History
from features.interactions import NUMBERS, ORDER
from features.offers import Offer
from features.plan import Categories, Plan, offer_table
from features.values import SignalValues

Int64 = npt.NDArray[np.int64]
MOST_BLOCKS = 64
"""Into how many blocks of customers the work is cut, for threads and for progress."""


@dataclass(frozen=True, slots=True)
class Spine:
    """The rows asked for: a customer, an instant (microseconds UTC) and, if any, an offer."""

    customer_id: pa.Array
    as_of: Int64
    offer_id: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.as_of)


def compute(
    plan: Plan,
    history: History,
    spine: Spine,
    progress: Callable[[int], object] = lambda rows: None,
) -> SignalValues:
    """Compute the signals of every row of a spine.

    Args:
        plan: the compiled signals.
        history: the interactions, attributes and offers; rows in any order.
        spine: the rows asked for, in any order; a customer without history gets a row too.
        progress: called with the number of rows done since the last call.

    Returns:
        One row for each row of the spine, in its order.
    """
    categories = Categories()
    customers = spine.customer_id.unique().sort()
    wanted = pa.table({"customer_id": customers, "c": np.arange(len(customers))})
    connection = duckdb.connect()
    try:
        connection.register("wanted", wanted)
        histories, topics = _histories(plan, history, connection, len(customers))
        facts = _facts(plan, history, connection, len(customers), categories)
    finally:
        connection.close()
    customer = np.array(pa.compute.index_in(spine.customer_id, customers), dtype=np.int64)
    order = np.argsort(customer, kind="stable")
    offers, table = _offers(plan, history.offers, spine, topics, categories)
    rows = arrays.Rows(
        start=_starts(customer[order], len(customers)),
        as_of=np.array(spine.as_of, dtype=np.int64)[order],
        offer=offers[order],
    )
    ordered = np.empty((len(spine), len(plan.signals)))
    program = plan.program

    def block(first: int, last: int) -> int:
        kernel.evaluate(program, histories, facts, rows, table, first, last, ordered)
        return int(rows.start[last] - rows.start[first])

    edges = _blocks(histories.start, rows.start)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(block, edges[:-1], edges[1:]):
            progress(done)
    matrix = np.empty_like(ordered)
    matrix[order] = ordered
    return SignalValues(plan, matrix, categories)


def _histories(
    plan: Plan, history: History, connection: duckdb.DuckDBPyConnection, n_customers: int
) -> tuple[arrays.Histories, dict[str, int]]:
    """Return the interactions of the wanted customers in canonical order, and topic codes."""
    connection.register("interactions", history.interactions)
    extra = sorted(set(plan.numbers) - set(NUMBERS))
    # Adding zero makes negative zero equal to zero, which DuckDB would sort apart.
    keys = ", ".join(
        f'i."{name}" + 0.0 NULLS FIRST' if name in (*NUMBERS, *extra) else f'i."{name}" NULLS FIRST'
        for name in (*ORDER, *extra)
    )
    numbers = "".join(f', i."{name}" + 0.0 AS "n{k}"' for k, name in enumerate(plan.numbers))
    unique = ""
    if history.interactions["interaction_id"].null_count < len(history.interactions):
        unique = (
            "QUALIFY i.interaction_id IS NULL OR row_number() OVER "
            "(PARTITION BY wanted.c, i.source, i.interaction_id "
            f"ORDER BY i.recorded_at, {keys}) = 1"
        )
    table = connection.sql(
        f"SELECT wanted.c, i.occurred_at, i.recorded_at, i.kind, i.topic {numbers} "
        f"FROM interactions i JOIN wanted USING (customer_id) {unique} ORDER BY wanted.c, {keys}"
    ).to_arrow_table()
    kinds = _codes(table["kind"], dict(plan.kind_codes), other=len(plan.kinds))
    topics: dict[str, int] = {}
    topic = _codes(table["topic"], topics, other=None)
    histories = arrays.Histories(
        start=_starts(_int64(table["c"]), n_customers),
        occurred=_int64(table["occurred_at"]),
        recorded=_int64(table["recorded_at"]),
        kind=kinds,
        topic=topic,
        numbers=np.array(
            [_float64(table[f"n{k}"]) for k in range(len(plan.numbers))], dtype=np.float64
        ).reshape(len(plan.numbers), len(table)),
    )
    return histories, topics


def _facts(
    plan: Plan,
    history: History,
    connection: duckdb.DuckDBPyConnection,
    n_customers: int,
    categories: Categories,
) -> arrays.Facts:
    """Return the attributes of the wanted customers in order of what was known when."""
    connection.register("attributes", history.attributes)
    codes = plan.attribute_codes
    names = pa.table({"name": pa.array(codes, pa.string()), "n": np.arange(len(codes))})
    connection.register("names", names)
    table = connection.sql(
        "SELECT c, known_at, n, value FROM attributes JOIN wanted USING (customer_id) "
        "JOIN names USING (name) ORDER BY c, known_at, name, value"
    ).to_arrow_table()
    numeric = {s.column: s.number for s in plan.signals if s.measure == "attribute"}
    is_number = [numeric[name] for name in plan.attributes]
    name = _int64(table["n"])
    encoded = [
        categories.encode(value, is_number[n])
        for value, n in zip(table["value"].to_pylist(), name.tolist(), strict=True)
    ]
    return arrays.Facts(
        start=_starts(_int64(table["c"]), n_customers),
        known=_int64(table["known_at"]),
        name=name,
        value=np.array(encoded, dtype=np.float64),
    )


def _offers(
    plan: Plan,
    offers: Mapping[str, Offer],
    spine: Spine,
    topics: Mapping[str, int],
    categories: Categories,
) -> tuple[Int64, arrays.OfferTable]:
    """Return each spine row's place among its offers, and those offers as the kernel reads them."""
    if spine.offer_id is None:
        return np.full(len(spine), -1, dtype=np.int64), offer_table(plan, [], topics, categories)
    named = spine.offer_id.drop_null().unique()
    known = [offers.get(name, Offer(name)) for name in named.to_pylist()]
    place = pa.compute.index_in(spine.offer_id, named).fill_null(-1)
    return np.array(place, dtype=np.int64), offer_table(plan, known, topics, categories)


def _codes(column: pa.ChunkedArray, known: dict[str, int], other: int | None) -> Int64:
    """Return the code of each text; with no ``other``, new texts get new codes, missing -1."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    table = [
        known.setdefault(text, len(known)) if other is None else known.get(text, other)
        for text in encoded.dictionary.to_pylist()
    ]
    table.append(-1 if other is None else other)
    places = np.array(encoded.indices.fill_null(len(table) - 1), dtype=np.int64)
    return np.array(table, dtype=np.int64)[places]


def _starts(sorted_codes: Int64, n: int) -> Int64:
    return np.searchsorted(sorted_codes, np.arange(n + 1)).astype(np.int64)


def _blocks(history_start: Int64, row_start: Int64) -> list[int]:
    """Return the edges of blocks of customers that hold about equal work."""
    n = len(history_start) - 1
    work = np.cumsum(np.diff(history_start) + 20) + np.cumsum(np.diff(row_start) * 20)
    n_blocks = max(1, min(n, MOST_BLOCKS))
    cuts = np.searchsorted(work, np.linspace(0, work[-1] if n else 0, n_blocks + 1)[1:-1])
    return sorted({0, *cuts.tolist(), n})


def _int64(column: pa.ChunkedArray) -> Int64:
    return np.array(column.to_numpy(), dtype=np.int64)


def _float64(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
