"""The kernel: the only code that computes signals, for every engine.

For each instant it folds what was visible left to right with fresh accumulators. Only integers
(positions, counts, running maxima of time) are carried from one instant to the next: a carried
floating-point sum would depend on the instants computed beside it.

Numba's cache does not notice a change in an imported function, so the folds that are compiled
into ``evaluate`` are part of its cache key: see ``_compiled``.
"""

import hashlib
import marshal
from collections.abc import Callable

import numpy as np
from numba import njit

from features import choosing, combining, folds, journeys
from features.arrays import (
    CASE,
    CHANNEL,
    TOPIC,
    WEEKDAY,
    Facts,
    Float64,
    Histories,
    Int32,
    Int64,
    OfferTable,
    Program,
    Rows,
)
from features.arrays import OFFER as OF_OFFER
from features.measures import CODES

ENGINE_VERSION = 2
"""Raised whenever some signal's bits change; part of every contract."""

(COUNT, REACHED, TREND, TREND_LONG_RUN, DECAYED_COUNT, DECAYED_SUM, EROSION) = range(7)
COUNT_SINCE, COUNT_AFTER = CODES["count_since"], CODES["count_after"]
SUM, MEAN, MINIMUM = (CODES[n] for n in ("sum", "mean", "minimum"))
LAST, GAP_RATIO, GAP_STD = (CODES[n] for n in ("last", "gap_ratio", "gap_std"))
GAP_PERCENTILE = CODES["gap_percentile"]
FIT, REPEATED = CODES["fit"], CODES["repeated"]
CASES, LAST_OF_CASES = CODES["case_contacts"], CODES["resolution_longest"]
KEPT = CODES["promises_kept"]
ATTRIBUTE, OFFER, CALENDAR = (CODES[n] for n in ("attribute", "offer_attribute", "calendar"))
RATIO = CODES["ratio"]


@njit(nogil=True)
def _row(
    program: Program,
    histories: Histories,
    places: Int32,
    n_places: Int64,
    facts: Facts,
    customer: int,
    rows: Rows,
    r: int,
    offers: OfferTable,
    scratch: tuple[Int32, Int64, Int64, Int64, Int64],
    values: Float64,
) -> None:
    kept, tally, latest, next_resolved, state = scratch
    # Arrays are taken out of their tuples once: handing a tuple on counts every reference in it.
    steps, spans, parts = program.steps, program.spans, program.parts
    occurred, numbers, codes = histories.occurred, histories.numbers, histories.codes
    channels, topics, cases = codes[CHANNEL], codes[TOPIC], codes[CASE]
    said = numbers[program.resolved] if program.resolved >= 0 else values[:0]
    known, names, facts_found = facts.known, facts.name, facts.value
    facts_begin, facts_end = facts.start[customer], facts.start[customer + 1]
    as_of, offer = rows.as_of[r], rows.offer[r]
    span, f, window, keyed, low, high, column_folded = -1, 0, 0, 0, 0, 0, -1
    gaps_folded = cases_folded = promises_folded = False
    chosen = places[0, :0]
    column_fold = (0, 0.0, np.nan, np.nan, np.nan)
    gap_fold = (np.nan, np.nan, np.nan)
    case_fold = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    promise_fold = (0.0, 0.0, 1.0)
    for s in range(steps.shape[0]):
        measure, of_span, column = steps[s, 0], steps[s, 1], steps[s, 2]
        parameter, other = steps[s, 3], steps[s, 4]
        if measure >= RATIO:
            made_of = parts[steps[s, 5] : steps[s, 5] + steps[s, 6]]
            prior, weight = program.priors[s, 0], program.priors[s, 1]
            values[s] = combining.combined(measure, parameter, made_of, prior, weight, values)
            continue
        if measure >= ATTRIBUTE:
            if measure == ATTRIBUTE:
                values[s] = choosing.latest_fact(
                    known, names, facts_found, facts_begin, facts_end, column, as_of
                )
            elif measure == OFFER:
                values[s] = offers.values[offer, column] if offer >= 0 else np.nan
            else:
                values[s] = float(rows.calendar[column, r])
            continue
        if of_span != span:
            span = of_span
            f, window, keyed = spans[span, 0], spans[span, 1], spans[span, 2]
            high = choosing.first_place_at(occurred, places[f], n_places[f], as_of)
            low = 0
            if window > 0:
                low = choosing.first_place_at(occurred, places[f], high, as_of - window)
            chosen = places[f, low:high]
            if keyed == 1 and offer >= 0:
                chosen = choosing.sharing_topic(topics, chosen, offers.topics[offer], kept)
            elif keyed == 2 and offer >= 0:
                chosen = choosing.about(codes[OF_OFFER], chosen, offers.code[offer], kept)
            column_folded = -1
            gaps_folded = cases_folded = promises_folded = False
        if keyed > 0 and offer < 0:
            values[s] = np.nan
        elif measure == COUNT:
            values[s] = float(len(chosen))
        elif measure == REACHED:
            values[s] = 1.0 if len(chosen) >= parameter else 0.0
        elif SUM <= measure <= LAST:
            if column != column_folded:
                column_fold = folds.of_column(numbers[column], chosen)
                column_folded = column
            count, total, least, greatest, last = column_fold
            if measure == SUM:
                values[s] = total
            elif measure == MEAN:
                values[s] = total / float(count) if count > 0 else np.nan
            elif measure == LAST:
                values[s] = last
            else:
                values[s] = least if measure == MINIMUM else greatest
        elif measure <= EROSION and measure >= DECAYED_COUNT:
            amounts = numbers[column] if column >= 0 else values[:0]
            values[s] = folds.decayed(measure, occurred, amounts, chosen, as_of, parameter)
        elif measure == TREND:
            before = choosing.first_place_at(occurred, places[f], low, as_of - 2 * window)
            values[s] = folds.contrast(float(high - low), float(low - before))
        elif measure == TREND_LONG_RUN:
            values[s] = folds.long_run(occurred, places[f, :high], high - low, as_of, window)
        elif measure in (COUNT_SINCE, COUNT_AFTER):
            n_others = choosing.first_place_at(occurred, places[other], n_places[other], as_of)
            others = places[other, :n_others]
            if measure == COUNT_SINCE:
                values[s] = choosing.since(chosen, others)
            else:
                values[s] = choosing.after(occurred, chosen, others, parameter)
        elif measure <= GAP_RATIO:
            values[s] = folds.rhythm(measure, occurred, chosen, as_of)
        elif measure <= GAP_PERCENTILE:
            if not gaps_folded:
                gap_fold = folds.of_gaps(occurred, chosen, as_of)
                gaps_folded = True
            values[s] = gap_fold[measure - GAP_STD]
        elif measure <= REPEATED:
            now = rows.calendar[column - WEEKDAY, r] if measure == FIT else -1
            values[s] = folds.of_codes(
                measure, codes[column], occurred, chosen, now, parameter, tally, latest
            )
        elif measure <= LAST_OF_CASES:
            if not cases_folded:
                case_fold = journeys.of_cases(
                    occurred, cases, channels, said, chosen, as_of, state, kept
                )
                cases_folded = True
            values[s] = case_fold[measure - CASES]
        else:
            if not promises_folded or parameter > 0:
                promise_fold = journeys.of_promises(
                    occurred,
                    histories.due,
                    cases,
                    said,
                    chosen,
                    as_of,
                    parameter,
                    next_resolved,
                    kept,
                )
                promises_folded = True
            values[s] = promise_fold[measure - KEPT]


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
        scratch = (
            np.empty(longest, dtype=np.int32),
            np.zeros(n_codes, dtype=np.int64),
            np.empty(n_codes, dtype=np.int64),
            np.full(n_codes, journeys.NEVER, dtype=np.int64),
            np.zeros((n_codes, journeys.N_STATES), dtype=np.int64),
        )
        values = np.empty(program.steps.shape[0])
        for c in range(first, last):
            if rows.start[c] == rows.start[c + 1]:
                continue
            begin, end = histories.start[c], histories.start[c + 1]
            choosing.index(program, histories, begin, end, np.int64(2**63 - 1), known, n_known)
            running = np.int64(-(2**63))
            for i in range(begin, end):
                running = max(running, histories.recorded[i])
                latest_recorded[i - begin] = running
            for r in range(rows.start[c], rows.start[c + 1]):
                as_of = rows.as_of[r]
                seen = np.searchsorted(histories.occurred[begin:end], as_of)
                if seen > 0 and latest_recorded[seen - 1] >= as_of:
                    choosing.index(program, histories, begin, end, as_of, late, n_late)
                    _row(
                        program, histories, late, n_late, facts, c, rows, r, offers, scratch, values
                    )
                else:
                    _row(
                        program,
                        histories,
                        known,
                        n_known,
                        facts,
                        c,
                        rows,
                        r,
                        offers,
                        scratch,
                        values,
                    )
                for j in range(len(program.visible)):
                    out[rows.place[r], j] = values[program.visible[j]]

    return evaluate  # type: ignore[no-any-return]


def _folds() -> str:
    """Return a digest of all code that is compiled into the kernel from other modules."""
    code = repr(CODES).encode()
    for module in (choosing, combining, folds, journeys):
        for value in vars(module).values():
            if hasattr(value, "py_func"):
                code += marshal.dumps(value.py_func.__code__)
            elif isinstance(value, int | float):
                code += repr(value).encode()
    return hashlib.sha256(code).hexdigest()


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
