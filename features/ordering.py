"""Ordering: interactions as they were read brought into canonical order, each id once."""

import itertools
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from features.interactions import ORDER

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
CUSTOMER, ID = "the customer", "the id"
"""Names that no declared column can have."""
THREADS = min(os.cpu_count() or 1, 8)
"""How many count and place, each with a table of all customers."""
SETTLED = 1_000_000
"""How many tied rows are sorted at a time, unless more happened at one moment."""


@dataclass(frozen=True, slots=True)
class Held:
    """Interactions as they were read, in any order.

    ``columns`` hold a number a row, in which missing is NaN, -1 or ``clock.EVER``; ``texts`` are
    columns of too many texts to be numbered; ``names`` are the texts that the numbers of the
    other columns of texts stand for, in the order of the texts.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    texts: Mapping[str, pa.Array]
    names: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Order:
    """Canonical order: those of customer ``c`` are the rows ``place[start[c]:start[c + 1]]``.

    ``occurred`` are their instants, in this order.
    """

    start: Int64
    place: Int64
    occurred: Int64


def canonical(held: Held, n_customers: int, connection: duckdb.DuckDBPyConnection) -> Order:
    """Return the canonical order of interactions, each id once.

    Only the instants of a customer are sorted by, in time linear in the number of interactions
    where they come in order of time; what remains tied is sorted by all columns that vary.

    Args:
        held: the interactions; customers are numbered.
        n_customers: how many customers there are.
        connection: what may be used to sort.
    """
    customer, occurred = held.columns[CUSTOMER], held.columns["occurred_at"]
    start, place, instants = by_customer(customer, n_customers, occurred)
    tied = np.zeros(len(place) + 1, dtype=bool)
    if _in_time(start, place, instants, tied):
        at = np.flatnonzero(tied[:-1] | tied[1:])
        run = np.cumsum(~tied[at])
        for first, last in itertools.pairwise(_between_runs(run)):
            some = at[first:last]
            place[some] = _settled(held, place[some], run[first:last], connection)
    order = Order(start, place, instants)
    return _once(held, order, connection) if ID in held.columns else order


def _between_runs(run: Int64) -> list[int]:
    """Cut rows into slices of whole runs, so that little is copied at a time."""
    cuts = [int(np.searchsorted(run, run[k])) for k in range(SETTLED, len(run), SETTLED)]
    return sorted({0, *cuts, len(run)})


def by_customer(customer: npt.NDArray[Any], n: int, values: Int64) -> tuple[Int64, Int64, Int64]:
    """Sort rows by customer, in the order in which they come, by counting on every processor.

    Args:
        customer: the customer of each row, from 0 to ``n - 1``.
        n: how many customers there are.
        values: a value of each row.

    Returns:
        Where each customer begins and the last one ends; the rows, customer by customer; their
        values.
    """
    edges = [len(customer) * k // THREADS for k in range(THREADS + 1)]
    before = np.zeros((THREADS, n + 1), dtype=np.int64)
    # Made by numpy, which asks for large pages: they are written all over the place.
    place, found = np.empty(len(customer), dtype=np.int64), np.empty(len(customer), dtype=np.int64)

    def counted(k: int) -> None:
        _count(customer[edges[k] : edges[k + 1]], before[k])

    def placed(k: int) -> None:
        _place(customer, values, edges[k], edges[k + 1], before[k], place, found)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(counted, range(THREADS)):
            pass
        start = _starts(before)
        for _ in pool.map(placed, range(THREADS)):
            pass
    return start, place, found


def _in_time(start: Int64, place: Int64, instants: Int64, tied: npt.NDArray[np.bool_]) -> bool:
    """Sort each customer's rows by their instants, unless they come in order.

    Whether a row is tied with the one before it is written into ``tied``; returns whether any is.
    """
    n = len(start) - 1
    edges = [n * k // THREADS for k in range(THREADS + 1)]

    def sort(k: int) -> bool:
        return bool(_sort(start, edges[k], edges[k + 1], place, instants, tied))

    with ThreadPoolExecutor(THREADS) as pool:
        return any(list(pool.map(sort, range(THREADS))))


@njit(cache=True, nogil=True)
def _count(customer: npt.NDArray[Any], count: Int64) -> None:
    for c in customer:
        count[c] += 1


@njit(cache=True, nogil=True)
def _starts(before: Int64) -> Int64:
    """Turn how many rows of each customer each part holds into where its first belongs."""
    n = before.shape[1] - 1
    start = np.empty(n + 1, dtype=np.int64)
    total = 0
    for c in range(n):
        start[c] = total
        for k in range(len(before)):
            here = before[k, c]
            before[k, c] = total
            total += here
    start[n] = total
    return start


@njit(cache=True, nogil=True)
def _place(
    customer: npt.NDArray[Any],
    values: Int64,
    first: int,
    last: int,
    following: Int64,
    place: Int64,
    found: Int64,
) -> None:
    for i in range(first, last):
        at = following[customer[i]]
        following[customer[i]] = at + 1
        place[at], found[at] = i, values[i]


@njit(cache=True, nogil=True)
def _sort(
    start: Int64,
    first: int,
    last: int,
    place: Int64,
    instants: Int64,
    tied: npt.NDArray[np.bool_],
) -> bool:
    some = False
    for c in range(first, last):
        begin, end = start[c], start[c + 1]
        for k in range(begin + 1, end):
            if instants[k] < instants[k - 1]:
                order = np.argsort(instants[begin:end], kind="mergesort")
                place[begin:end] = place[begin:end][order]
                instants[begin:end] = instants[begin:end][order]
                break
        for k in range(begin + 1, end):
            if instants[k] == instants[k - 1]:
                tied[k] = some = True
    return some


def _settled(
    held: Held, rows: Int64, run: Int64, connection: duckdb.DuckDBPyConnection
) -> npt.NDArray[np.int64]:
    """Return rows that share customer and instant, those of each run in canonical order."""
    # A number that is none is missing, and missing comes first; so do -1 and clock.EVER.
    tied = {
        name: pa.array(column[rows], from_pandas=True)
        for name, column in held.columns.items()
        if name not in (CUSTOMER, ID, "occurred_at")
    }
    tied |= {name: column.take(pa.array(rows)) for name, column in held.texts.items()}
    names = [name for name in ORDER if name in tied]
    names += sorted(set(tied) - set(names))
    keys = ", ".join(['"the run"', *(f'"{name}" NULLS FIRST' for name in names)])
    table = pa.table({**tied, "the run": run, "the row": rows})
    return _found(connection, table, f'SELECT "the row" FROM found ORDER BY {keys}')


def _once(held: Held, order: Order, connection: duckdb.DuckDBPyConnection) -> Order:
    """Leave out what is, of a customer's with one source and id, not the first recorded."""
    hashed = held.columns[ID]
    ascending = np.sort(hashed)
    repeated = ascending[1:][ascending[1:] == ascending[:-1]]
    suspects = np.flatnonzero(np.isin(hashed, repeated[repeated != 0]))
    if not len(suspects):
        return order
    position = np.empty(len(hashed), dtype=np.int64)
    position[order.place] = np.arange(len(hashed))
    everything = {**held.columns, **held.texts}
    told = {
        name: _taken(everything[name], suspects)
        for name in (CUSTOMER, "source", "interaction_id", "recorded_at")
    }
    later = _found(
        connection,
        pa.table({**told, "the place": position[suspects]}),
        'SELECT "the place" FROM found QUALIFY row_number() OVER '
        f'(PARTITION BY "{CUSTOMER}", source, interaction_id '
        'ORDER BY recorded_at, "the place") > 1',
    )
    kept = np.ones(len(hashed), dtype=bool)
    kept[later] = False
    before = np.concatenate(([0], np.cumsum(kept)))
    return Order(before[order.start], order.place[kept], order.occurred[kept])


def _taken(column: npt.NDArray[Any] | pa.Array, rows: Int64) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else column.take(pa.array(rows))


def _found(connection: duckdb.DuckDBPyConnection, found: pa.Table, query: str) -> Int64:
    connection.register("found", found)
    (column,) = connection.sql(query).fetchnumpy().values()
    connection.unregister("found")
    return np.asarray(column, dtype=np.int64)
