"""The kernel: the only code that computes signals, for every engine.

It stays in one file because numba's cache does not notice a change in an imported function.
For each instant it folds what was visible left to right with fresh accumulators. Only integers
(positions, counts, running maxima of time) are carried from one instant to the next: a carried
floating-point sum would depend on the instants computed beside it.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

ENGINE_VERSION = 1
"""Raised whenever some signal's bits change; part of every contract."""

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

COUNT, SUM, SINCE_LAST, SINCE_FIRST, GAP_MEAN, GAP_RATIO, ATTRIBUTE, OFFER = range(8)
MEAN, MINIMUM, MAXIMUM, LAST, GAP_STD, GAP_LONGEST, GAP_PERCENTILE = range(8, 15)
DECAYED_COUNT, DECAYED_SUM, TREND, TREND_LONG_RUN = range(15, 19)
DAY = 86_400_000_000.0
LN_2 = math.log(2.0)


class Program(NamedTuple):
    """A compiled plan.

    ``steps`` has one row a signal: measure, filter, column, window in microseconds (0: all),
    keyed (0 or 1), half-life in microseconds. ``wanted[filter, kind]`` is 1 where a filter takes
    a kind.
    """

    steps: Int64
    wanted: UInt8


class Histories(NamedTuple):
    """Interactions of many customers, each customer's in canonical order.

    Those of customer ``c`` are ``start[c]:start[c + 1]``; ``numbers`` is (n_columns, n).
    """

    start: Int64
    occurred: Int64
    recorded: Int64
    kind: Int64
    topic: Int64
    numbers: Float64


class Facts(NamedTuple):
    """Attributes of many customers, each customer's in order of ``known``, then name and value."""

    start: Int64
    known: Int64
    name: Int64
    value: Float64


class Rows(NamedTuple):
    """The rows to compute: those of customer ``c`` are ``start[c]:start[c + 1]``."""

    start: Int64
    as_of: Int64
    offer: Int64


class OfferTable(NamedTuple):
    """Offers: ``values`` is (n_offers, n_attributes), ``topics`` (n_offers, n_topics)."""

    values: Float64
    topics: UInt8


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
            seen = _first_at(histories.occurred, begin, end, as_of) - begin
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
        if keyed:
            out[s] = _keyed(measure, histories, taken, low, high, column, as_of, offer, offers)
        elif measure in (DECAYED_COUNT, DECAYED_SUM):
            out[s] = _decayed(measure, histories, taken, high, column, as_of, half_life)
        elif measure == TREND:
            before = _first_place_at(histories.occurred, taken, low, as_of - 2 * window)
            out[s] = _contrast(float(high - low), float(low - before))
        elif measure == TREND_LONG_RUN:
            out[s] = _long_run(histories, taken, low, high, as_of, window)
        elif measure in (MEAN, MINIMUM, MAXIMUM, LAST):
            out[s] = _of_column(measure, histories, taken, low, high, column)
        elif measure in (GAP_STD, GAP_LONGEST, GAP_PERCENTILE):
            out[s] = _gaps(measure, histories, taken, high, as_of)
        else:
            out[s] = _unkeyed(measure, histories, taken, low, high, column, as_of)


@njit(cache=True, nogil=True)
def _unkeyed(
    measure: int,
    histories: Histories,
    taken: Int64,
    low: int,
    high: int,
    column: int,
    as_of: int,
) -> float:
    if measure == COUNT:
        return float(high - low)
    if measure == SUM:
        total = 0.0
        for k in range(low, high):
            value = histories.numbers[column, taken[k]]
            if not np.isnan(value):
                total += value
        return total
    if high == low:
        return np.nan
    silence = float(as_of - histories.occurred[taken[high - 1]]) / DAY
    if measure == SINCE_LAST:
        return silence
    first = histories.occurred[taken[low]]
    if measure == SINCE_FIRST:
        return float(as_of - first) / DAY
    if high - low < 2:
        return np.nan
    gap = float(histories.occurred[taken[high - 1]] - first) / float(high - low - 1) / DAY
    if measure == GAP_MEAN:
        return gap
    return silence / gap if gap > 0.0 else np.nan


@njit(cache=True, nogil=True)
def _of_column(
    measure: int, histories: Histories, taken: Int64, low: int, high: int, column: int
) -> float:
    """Fold the values that are there; with none of them the measure is missing."""
    count = 0
    found = np.nan
    for k in range(low, high):
        value = histories.numbers[column, taken[k]]
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
def _gaps(measure: int, histories: Histories, taken: Int64, high: int, as_of: int) -> float:
    if high < 2:
        return np.nan
    first, last = histories.occurred[taken[0]], histories.occurred[taken[high - 1]]
    silence = as_of - last
    mean = float(last - first) / float(high - 1) / DAY
    longest, shorter, spread = 0, 0, 0.0
    for k in range(1, high):
        gap = histories.occurred[taken[k]] - histories.occurred[taken[k - 1]]
        longest = max(longest, gap)
        shorter += gap < silence
        spread += (float(gap) / DAY - mean) * (float(gap) / DAY - mean)
    if measure == GAP_LONGEST:
        return float(longest) / DAY
    if measure == GAP_PERCENTILE:
        return float(shorter) / float(high - 1)
    return math.sqrt(spread / float(high - 1)) if high > 2 else np.nan


@njit(cache=True, nogil=True)
def _decayed(
    measure: int,
    histories: Histories,
    taken: Int64,
    high: int,
    column: int,
    as_of: int,
    half_life: int,
) -> float:
    total = 0.0
    for k in range(high):
        i = taken[k]
        age = float(as_of - histories.occurred[i]) / float(half_life)
        if measure == DECAYED_COUNT:
            total += math.exp(-age * LN_2)
        else:
            value = histories.numbers[column, i]
            if not np.isnan(value):
                weighted = value * math.exp(-age * LN_2)
                total += weighted
    return total


@njit(cache=True, nogil=True)
def _contrast(now: float, before: float) -> float:
    return (now - before) / (now + before) if now + before > 0.0 else np.nan


@njit(cache=True, nogil=True)
def _long_run(
    histories: Histories, taken: Int64, low: int, high: int, as_of: int, window: int
) -> float:
    """Compare the rate in the window with that since the first; too young a history is missing."""
    if high == 0:
        return np.nan
    known = as_of - histories.occurred[taken[0]]
    if known < window:
        return np.nan
    now = float(high - low) / (float(window) / DAY)
    return float(_contrast(now, float(high) / (float(known) / DAY)))


@njit(cache=True, nogil=True)
def _keyed(
    measure: int,
    histories: Histories,
    taken: Int64,
    low: int,
    high: int,
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
    for k in range(low, high):
        i = taken[k]
        topic = histories.topic[i]
        if topic < 0 or not offers.topics[offer, topic]:
            continue
        count += 1
        latest = i
        if measure == SUM:
            value = histories.numbers[column, i]
            if not np.isnan(value):
                total += value
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
def _first_at(instants: Int64, low: int, high: int, instant: int) -> int:
    while low < high:
        middle = (low + high) // 2
        if instants[middle] < instant:
            low = middle + 1
        else:
            high = middle
    return low


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
