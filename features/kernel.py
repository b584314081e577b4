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
    CASE,
    CHANNEL,
    TOPIC,
    Facts,
    Float64,
    Histories,
    OfferTable,
    Program,
    Rows,
)
from features.measures import CODES
from features.row import row

ENGINE_VERSION = 2
"""Raised whenever some signal's bits change; part of every contract."""


def _compiled(folded: str) -> Callable[..., None]:
    """Return the compiled kernel; another ``folded`` makes numba compile it anew."""

    @njit(cache=True, nogil=True)
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
        folded  # noqa: B018 - a part of the cache key because it is closed over
        n_filters = len(program.bounds)
        longest = 0
        for c in range(first, last):
            longest = max(longest, histories.start[c + 1] - histories.start[c])
        known = np.empty((max(n_filters, 1), longest), dtype=np.int32)
        late = np.empty((max(n_filters, 1), longest), dtype=np.int32)
        n_known = np.empty(n_filters, dtype=np.int64)
        n_late = np.empty(n_filters, dtype=np.int64)
        latest_recorded = np.empty(longest, dtype=np.int64)
        n_codes = histories.n_codes
        kept = np.empty(longest, dtype=np.int32)
        tally = np.zeros(n_codes, dtype=np.int64)
        latest = np.empty(n_codes, dtype=np.int64)
        next_resolved = np.full(histories.n_cases, journeys.NEVER, dtype=np.int64)
        state = np.zeros((histories.n_cases, journeys.N_STATES), dtype=np.int64)
        values = np.empty(program.steps.shape[0])
        steps, spans, parts, priors = program.steps, program.spans, program.parts, program.priors
        occurred, recorded = histories.occurred, histories.recorded
        codes, numbers, start = histories.codes, histories.numbers, histories.start
        channels, topics, cases = codes[CHANNEL], codes[TOPIC], codes[CASE]
        said = numbers[program.resolved] if program.resolved >= 0 else values[:0]
        row_start, instants, row_offers, row_places = rows.start, rows.as_of, rows.offer, rows.place
        visible = program.visible
        for c in range(first, last):
            if row_start[c] == row_start[c + 1]:
                continue
            begin, end = start[c], start[c + 1]
            choosing.index(program, histories, begin, end, np.int64(2**63 - 1), known, n_known)
            running = np.int64(-(2**63))
            for i in range(begin, end):
                running = max(running, recorded[i])
                latest_recorded[i - begin] = running
            for r in range(row_start[c], row_start[c + 1]):
                as_of = instants[r]
                low, high = begin, end
                while low < high:
                    middle = (low + high) // 2
                    if occurred[middle] < as_of:
                        low = middle + 1
                    else:
                        high = middle
                places, n_places = known, n_known
                if low > begin and latest_recorded[low - 1 - begin] >= as_of:
                    choosing.index(program, histories, begin, end, as_of, late, n_late)
                    places, n_places = late, n_late
                row(
                    steps,
                    spans,
                    parts,
                    priors,
                    occurred,
                    histories,
                    codes,
                    channels,
                    topics,
                    cases,
                    numbers,
                    said,
                    places,
                    n_places,
                    facts,
                    c,
                    rows,
                    r,
                    as_of,
                    row_offers[r],
                    offers,
                    kept,
                    tally,
                    latest,
                    next_resolved,
                    state,
                    values,
                )
                place = row_places[r]
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


evaluate = _compiled(_folds())
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
