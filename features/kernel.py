"""The kernel: the only code that computes signals, for every engine.

For each instant it folds what was visible left to right with fresh accumulators. Only integers
(positions, counts, running maxima of time) are carried from one instant to the next: a carried
floating-point sum would depend on the instants computed beside it.

Numba's cache does not notice a change in an imported function, so the folds that are compiled
into ``evaluate`` are part of its cache key: see ``_compiled``.
"""

import hashlib
from collections.abc import Callable

import numpy as np
from numba import njit

from features import arrays, choosing, combining, folds, journeys
from features import row as row_of_kernel
from features.arrays import (
    COMPILED,
    Facts,
    Float64,
    Histories,
    OfferTable,
    Program,
    Rows,
    Scratch,
)
from features.measures import CODES
from features.row import row

ENGINE_VERSION = 2
"""Raised whenever some signal's bits change; part of every contract."""


def _compiled(folded: str) -> Callable[..., None]:
    """Return the compiled kernel; another ``folded`` makes numba compile it anew."""

    @njit(cache=True, **COMPILED)
    def evaluate(
        program: Program,
        histories: Histories,
        facts: Facts,
        rows: Rows,
        offers: OfferTable,
        first: int,
        last: int,
        out: Float64,
        scratch: Scratch,
    ) -> None:
        folded  # noqa: B018 - a part of the cache key because it is closed over
        occurred, recorded, start = histories.occurred, histories.recorded, histories.start
        latest_recorded, values, visible = scratch.latest_recorded, scratch.values, program.visible
        for c in range(first, last):
            if rows.start[c] == rows.start[c + 1]:
                continue
            begin, end = start[c], start[c + 1]
            everything = np.int64(2**63 - 1)
            choosing.index(
                program, histories, begin, end, everything, scratch.known, scratch.n_known
            )
            running = np.int64(-(2**63))
            for i in range(begin, end):
                running = max(running, recorded[i])
                latest_recorded[i - begin] = running
            for r in range(rows.start[c], rows.start[c + 1]):
                as_of = rows.as_of[r]
                low, high = begin, end
                while low < high:
                    middle = (low + high) // 2
                    if occurred[middle] < as_of:
                        low = middle + 1
                    else:
                        high = middle
                places, n_places = scratch.known, scratch.n_known
                if low > begin and latest_recorded[low - 1 - begin] >= as_of:
                    places, n_places = scratch.late, scratch.n_late
                    choosing.index(program, histories, begin, end, as_of, places, n_places)
                row(program, histories, places, n_places, facts, c, rows, r, offers, scratch)
                place = rows.place[r]
                for j in range(len(visible)):
                    out[place, j] = values[visible[j]]

    return evaluate  # type: ignore[no-any-return]


def _folds() -> str:
    """Return a digest of all code that is compiled into the kernel from other modules."""
    found = [repr(CODES)]
    for module in (arrays, choosing, combining, folds, journeys, row_of_kernel):
        for name, value in vars(module).items():
            if hasattr(value, "py_func"):
                code = value.py_func.__code__
                found.append(repr((name, code.co_code, code.co_consts, code.co_names)))
            elif isinstance(value, int | float | np.integer):
                found.append(repr((name, value)))
    return hashlib.sha256("".join(found).encode()).hexdigest()


_evaluate = _compiled(_folds())


def evaluate(
    program: Program,
    histories: Histories,
    facts: Facts,
    rows: Rows,
    offers: OfferTable,
    first: int,
    last: int,
    out: Float64,
) -> None:
    """Compute every signal of the rows of customers ``first`` to ``last`` (exclusive).

    Args:
        program: what to compute.
        histories: the interactions of all customers.
        facts: the attributes of all customers.
        rows: the rows of all customers.
        offers: the offers that rows name; a row without one has offer -1.
        first: the first customer.
        last: the customer after the last.
        out: the result, shape ``(n_rows, n_signals)``; missing is NaN.
    """
    scratch = _scratch(program, histories, first, last)
    _evaluate(program, histories, facts, rows, offers, first, last, out, scratch)


def _scratch(program: Program, histories: Histories, first: int, last: int) -> Scratch:
    n_filters, n_codes = len(program.bounds), histories.n_codes
    longest = int(np.diff(histories.start[first : last + 1]).max(initial=0))
    return Scratch(
        known=np.empty((max(n_filters, 1), longest), dtype=np.int32),
        late=np.empty((max(n_filters, 1), longest), dtype=np.int32),
        n_known=np.empty(n_filters, dtype=np.int64),
        n_late=np.empty(n_filters, dtype=np.int64),
        latest_recorded=np.empty(longest, dtype=np.int64),
        kept=np.empty(longest, dtype=np.int32),
        tally=np.zeros(n_codes, dtype=np.int64),
        latest=np.empty(n_codes, dtype=np.int64),
        next_resolved=np.full(histories.n_cases, journeys.NEVER, dtype=np.int64),
        state=np.zeros((histories.n_cases, journeys.N_STATES), dtype=np.int64),
        values=np.empty(program.steps.shape[0]),
    )
