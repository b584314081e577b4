"""Chunks: customers cut off what was read, as the kernel reads them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import arrays
from features.categories import Categories
from features.encoding import local_codes, n_codes, n_of
from features.measures import CODE_COLUMNS
from features.ordering import Held, Order
from features.plan import Plan

Int64 = npt.NDArray[np.int64]
CHUNK, CHUNK_ROWS = 1_000_000, 200_000
"""Up to how many interactions and rows make a chunk; a customer with more is one."""


def edges_of(*limits: tuple[Int64, int]) -> list[int]:
    """Cut customers so that no part holds more than each limit, unless of one customer.

    Args:
        limits: how many the customers before each one have, shape ``(n + 1,)``, and how many a
            part may hold.

    Returns:
        The first customer of each part, and the number of customers.

    >>> edges_of((np.array([0, 3, 5, 5, 9, 10]), 5))
    [0, 3, 5]
    """
    n = len(limits[0][0]) - 1
    edges = [0]
    while edges[-1] < n:
        first = edges[-1]
        ends = [np.searchsorted(c, c[first] + most, side="right") - 1 for c, most in limits]
        edges.append(max(first + 1, min(n, *map(int, ends))))
    return edges


def histories_of(
    plan: Plan, held: Held, order: Order, first: int, last: int, categories: Categories
) -> tuple[arrays.Histories, dict[str, int]]:
    """Return the arrays of customers ``first`` to ``last``, and the codes of offers in them.

    Args:
        plan: the compiled signals.
        held: interactions.
        order: their order.
        first: the first customer, the first of the arrays.
        last: the customer after the last.
        categories: the codes of channels and topics; new ones are added.
    """
    begin, end = order.start[first], order.start[last]
    rows, occurred = order.place[begin:end], order.occurred[begin:end].copy()
    codes, own = _codes(plan, held, rows, categories)
    local_codes(plan, occurred, codes)
    recorded = held.columns["recorded_at"]
    due = held.columns.get("due_at") if plan.reads_due else None
    histories = arrays.Histories(
        start=order.start[first : last + 1] - begin,
        occurred=occurred,
        recorded=recorded[rows] if recorded is not held.columns["occurred_at"] else occurred,
        due=np.empty(0, dtype=np.int64) if due is None else due[rows],
        kind=_kinds(plan, held, rows),
        codes=codes,
        numbers=_numbers(plan, held, rows),
        n_codes=n_codes(plan, codes),
        n_cases=n_of(codes, arrays.CASE),
    )
    return histories, own


def _kinds(plan: Plan, held: Held, rows: Int64) -> arrays.Int32:
    codes, names = _numbered(held, "kind", rows)
    other = len(plan.kinds)
    kinds = [plan.kind_codes.get(name, other) for name in names]
    found: arrays.Int32 = np.array([*kinds, other], dtype=np.int32)[codes]
    return found


def _codes(
    plan: Plan, held: Held, rows: Int64, categories: Categories
) -> tuple[arrays.Int32, dict[str, int]]:
    n = len(rows) if plan.code_columns else 0
    codes = np.full((len(CODE_COLUMNS), n), -1, dtype=np.int32)
    own: dict[str, int] = {}
    for name in sorted(set(plan.code_columns) & {"channel", "topic", "case_id", "offer_id"}):
        found, names = _numbered(held, name, rows)
        if name in ("channel", "topic"):
            there = [int(categories.code(text)) for text in names]
            found = np.array([*there, -1], dtype=np.int32)[found]
        elif name == "offer_id":
            own = {text: code for code, text in enumerate(names)}
        codes[CODE_COLUMNS.index(name)] = found
    return codes, own


def _numbered(held: Held, name: str, rows: Int64) -> tuple[npt.NDArray[Any], list[str]]:
    """Return the number of each row's text, -1 for a missing one, and the texts."""
    if name in held.names:
        return held.columns[name][rows], held.names[name]
    column = held.texts[name].take(pa.array(rows)).dictionary_encode()
    return np.array(column.indices.fill_null(-1)), column.dictionary.to_pylist()


def _numbers(plan: Plan, held: Held, rows: Int64) -> arrays.Float64:
    numbers = np.empty((len(plan.numbers), len(rows)))
    for row, name in zip(numbers, plan.numbers, strict=True):
        held.columns[name].take(rows, out=row, mode="clip")
    return numbers


def starts(sorted_codes: Int64, n: int) -> Int64:
    """Return where each of ``n`` codes begins, and where the last ends."""
    return np.searchsorted(sorted_codes, np.arange(n + 1)).astype(np.int64)
