"""The kernel: the only code that computes signals, for every engine.

It stays in one file because numba's cache does not notice a change in an imported function.
For each instant it folds what was visible left to right with fresh accumulators. Only integers
(positions, counts, running maxima of time) are carried from one instant to the next: a carried
floating-point sum would depend on the instants computed beside it.
"""

import math

import numpy as np
from numba import njit

from features.arrays import Facts, Float64, Histories, Int64, OfferTable, Program, Rows

ENGINE_VERSION = 1
"""Raised whenever some signal's bits change; part of every contract."""

COUNT, SUM, SINCE_LAST, SINCE_FIRST, GAP_MEAN, GAP_RATIO, ATTRIBUTE, OFFER = range(8)
MEAN, MINIMUM, MAXIMUM, LAST, GAP_STD, GAP_LONGEST, GAP_PERCENTILE = range(8, 15)
DECAYED_COUNT, DECAYED_SUM, TREND, TREND_LONG_RUN = range(15, 19)
DAY = 86_400_000_000.0
LN_2 = math.log(2.0)


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
    n_filters = program.wanted.shape[0]
    longest = 0
    for c in range(first, last):
        longest = max(longest, histories.start[c + 1] - histories.start[c])
    known = np.empty((n_filters, longest), dtype=np.int64)
    n_known = np.empty(n_filters, dtype=np.int64)
    late = np.empty((n_filters, longest), dtype=np.int64)
    n_late = np.empty(n_filters, dtype=np.int64)
    latest_recorded = np.empty(longest, dtype=np.int64)
    for c in range(first, last):
        begin, end = histories.start[c], histories.start[c + 1]
        _index(program, histories, begin, end, np.int64(2**63 - 1), known, n_known)
        running = np.int64(-(2**63))
        for i in range(begin, end):
            running = max(running, histories.recorded[i])
            latest_recorded[i - begin] = running
        for r in range(rows.start[c], rows.start[c + 1]):
            as_of = rows.as_of[r]
            seen = np.searchsorted(histories.occurred[begin:end], as_of)
            if seen > 0 and latest_recorded[seen - 1] >= as_of:
                _index(program, histories, begin, end, as_of, late, n_late)
                _row(
                    program, histories, late, n_late, facts, c, as_of, rows.offer[r], offers, out[r]
                )
            else:
                _row(
                    program,
                    histories,
                    known,
                    n_known,
                    facts,
                    c,
                    as_of,
                    rows.offer[r],
                    offers,
                    out[r],
                )


@njit(cache=True, nogil=True)
def _index(
    program: Program,
    histories: Histories,
    begin: int,
    end: int,
    recorded_before: int,
    places: Int64,
    n_places: Int64,
) -> None:
    """List, for each filter, the interactions that it takes and that were recorded in time."""
    n_places[:] = 0
    for i in range(begin, end):
        if histories.recorded[i] < recorded_before:
            for f in range(program.wanted.shape[0]):
                if program.wanted[f, histories.kind[i]]:
                    places[f, n_places[f]] = i
                    n_places[f] += 1


@njit(cache=True, nogil=True)
def _row(
    program: Program,
    histories: Histories,
    places: Int64,
    n_places: Int64,
    facts: Facts,
    customer: int,
    as_of: int,
    offer: int,
    offers: OfferTable,
    out: Float64,
) -> None:
    for s in range(program.steps.shape[0]):
        measure, f, column, window, keyed, half_life = program.steps[s]
        if measure == ATTRIBUTE:
            out[s] = _latest_fact(facts, customer, column, as_of)
            continue
        if measure == OFFER:
            out[s] = offers.values[offer, column] if offer >= 0 else np.nan
            continue
        taken = places[f]
        high = _first_place_at(histories.occurred, taken, n_places[f], as_of)
        low = 0
        if window > 0:
            low = _first_place_at(histories.occurred, taken, high, as_of - window)
        chosen = taken[low:high]
        if keyed:
            out[s] = _keyed(measure, histories, chosen, column, as_of, offer, offers)
        elif measure in (DECAYED_COUNT, DECAYED_SUM):
            out[s] = _decayed(measure, histories, chosen, column, as_of, half_life)
        elif measure == TREND:
            before = _first_place_at(histories.occurred, taken, low, as_of - 2 * window)
            out[s] = _contrast(float(high - low), float(low - before))
        elif measure == TREND_LONG_RUN:
            out[s] = _long_run(histories, taken[:high], high - low, as_of, window)
        elif measure in (MEAN, MINIMUM, MAXIMUM, LAST):
            out[s] = _of_column(measure, histories, chosen, column)
        elif measure in (GAP_STD, GAP_LONGEST, GAP_PERCENTILE):
            out[s] = _gaps(measure, histories, chosen, as_of)
        else:
            out[s] = _unkeyed(measure, histories, chosen, column, as_of)


@njit(cache=True, nogil=True)
def _unkeyed(measure: int, histories: Histories, chosen: Int64, column: int, as_of: int) -> float:
    if measure == COUNT:
        return float(len(chosen))
    if measure == SUM:
        total = 0.0
        for i in chosen:
            value = histories.numbers[column, i]
            if not np.isnan(value):
                total += value
        return total
    if len(chosen) == 0:
        return np.nan
    first, last = histories.occurred[chosen[0]], histories.occurred[chosen[-1]]
    silence = float(as_of - last) / DAY
    if measure == SINCE_LAST:
        return silence
    if measure == SINCE_FIRST:
        return float(as_of - first) / DAY
    if len(chosen) < 2:
        return np.nan
    gap = float(last - first) / float(len(chosen) - 1) / DAY
    if measure == GAP_MEAN:
        return gap
    return silence / gap if gap > 0.0 else np.nan


@njit(cache=True, nogil=True)
def _of_column(measure: int, histories: Histories, chosen: Int64, column: int) -> float:
    """Fold the values that are there; with none of them the measure is missing."""
    count = 0
    found = np.nan
    for i in chosen:
        value = histories.numbers[column, i]
        if np.isnan(value):
            continue
        count += 1
        if count == 1 or measure == LAST:
            found = value
        elif measure == MEAN:
            found += value
        elif measure == MINIMUM:
            found = min(found, value)
        else:
            found = max(found, value)
    return float(found / float(count) if measure == MEAN and count > 0 else found)


@njit(cache=True, nogil=True)
def _gaps(measure: int, histories: Histories, chosen: Int64, as_of: int) -> float:
    n_gaps = len(chosen) - 1
    if n_gaps < 1:
        return np.nan
    first, last = histories.occurred[chosen[0]], histories.occurred[chosen[-1]]
    silence = as_of - last
    mean = float(last - first) / float(n_gaps) / DAY
    longest, shorter, spread = 0, 0, 0.0
    for k in range(n_gaps):
        gap = histories.occurred[chosen[k + 1]] - histories.occurred[chosen[k]]
        longest = max(longest, gap)
        shorter += gap < silence
        spread += (float(gap) / DAY - mean) * (float(gap) / DAY - mean)
    if measure == GAP_LONGEST:
        return float(longest) / DAY
    if measure == GAP_PERCENTILE:
        return float(shorter) / float(n_gaps)
    return math.sqrt(spread / float(n_gaps)) if n_gaps > 1 else np.nan


@njit(cache=True, nogil=True)
def _decayed(
    measure: int, histories: Histories, chosen: Int64, column: int, as_of: int, half_life: int
) -> float:
    total = 0.0
    for i in chosen:
        weight = math.exp(-(float(as_of - histories.occurred[i]) / float(half_life)) * LN_2)
        if measure == DECAYED_COUNT:
            total += weight
        elif not np.isnan(histories.numbers[column, i]):
            total += histories.numbers[column, i] * weight
    return total


@njit(cache=True, nogil=True)
def _contrast(now: float, before: float) -> float:
    return (now - before) / (now + before) if now + before > 0.0 else np.nan


@njit(cache=True, nogil=True)
def _long_run(histories: Histories, seen: Int64, n_now: int, as_of: int, window: int) -> float:
    """Compare the rate in the window with that since the first; too young a history is missing."""
    if len(seen) == 0 or as_of - histories.occurred[seen[0]] < window:
        return np.nan
    known = float(as_of - histories.occurred[seen[0]]) / DAY
    now = float(n_now) / (float(window) / DAY)
    return float(_contrast(now, float(len(seen)) / known))


@njit(cache=True, nogil=True)
def _keyed(
    measure: int,
    histories: Histories,
    chosen: Int64,
    column: int,
    as_of: int,
    offer: int,
    offers: OfferTable,
) -> float:
    """Measure only interactions that share one of the offer's topics; no offer is missing."""
    if offer < 0:
        return np.nan
    count = 0
    total = 0.0
    latest = -1
    for i in chosen:
        topic = histories.topic[i]
        if topic < 0 or not offers.topics[offer, topic]:
            continue
        count += 1
        latest = i
        if measure == SUM and not np.isnan(histories.numbers[column, i]):
            total += histories.numbers[column, i]
    if measure == COUNT:
        return float(count)
    if measure == SUM:
        return total
    return float(as_of - histories.occurred[latest]) / DAY if latest >= 0 else np.nan


@njit(cache=True, nogil=True)
def _latest_fact(facts: Facts, customer: int, name: int, as_of: int) -> float:
    for i in range(facts.start[customer + 1] - 1, facts.start[customer] - 1, -1):
        if facts.known[i] < as_of and facts.name[i] == name:
            return float(facts.value[i])
    return np.nan


@njit(cache=True, nogil=True)
def _first_place_at(instants: Int64, taken: Int64, n_taken: int, instant: int) -> int:
    low, high = 0, n_taken
    while low < high:
        middle = (low + high) // 2
        if instants[taken[middle]] < instant:
            low = middle + 1
        else:
            high = middle
    return low
