"""Folds of the kernel over chosen interactions: columns, rhythm, decays, categories.

Each takes ``chosen``, the places of interactions in canonical order, and folds them left to
right with fresh accumulators. Compiled into ``kernel.evaluate``, which says why they are apart.
"""

import math

import numpy as np
from numba import njit

from features.arrays import COMPILED, Float64, Int32, Int64
from features.measures import CODES

DECAYED_COUNT, EROSION = CODES["decayed_count"], CODES["erosion"]
DISTINCT, FAVOURITE, FAVOURITE_SHARE, FIT, REPEATED = (
    CODES[name] for name in ("distinct", "favourite", "favourite_share", "fit", "repeated")
)
SINCE_LAST, SINCE_FIRST, GAP_MEAN = (
    CODES[name] for name in ("days_since_last", "days_since_first", "gap_mean")
)
MICROSECONDS = 86_400_000_000.0
LN_2 = math.log(2.0)


@njit(**COMPILED)
def of_column(
    numbers: Float64, column: int, chosen: Int32
) -> tuple[int, float, float, float, float]:
    """Return count, sum, least, greatest and last of the values that are there."""
    # Without branches, which would be foreseen badly where half the values are missing. A sum
    # that began at zero is never negative zero, so adding zero leaves its bits as they are.
    count, total, latest = 0, 0.0, np.nan
    least, greatest = np.inf, -np.inf
    for i in chosen:
        value = numbers[column, i]
        there = not np.isnan(value)
        count += there
        total += value if there else 0.0
        latest = value if there else latest
        least = value if value < least else least
        greatest = value if value > greatest else greatest
    if count == 0:
        least = greatest = np.nan
    return count, total, least, greatest, latest


@njit(**COMPILED)
def rhythm(measure: int, occurred: Int64, chosen: Int32, as_of: int) -> float:
    """Measure the silence, and the mean gap."""
    if len(chosen) == 0:
        return np.nan
    first, last = occurred[chosen[0]], occurred[chosen[-1]]
    silence = float(as_of - last) / MICROSECONDS
    if measure == SINCE_LAST:
        return silence
    if measure == SINCE_FIRST:
        return float(as_of - first) / MICROSECONDS
    if len(chosen) < 2:
        return np.nan
    gap = float(last - first) / float(len(chosen) - 1) / MICROSECONDS
    if measure == GAP_MEAN:
        return gap
    return silence / gap if gap > 0.0 else np.nan


@njit(**COMPILED)
def of_gaps(occurred: Int64, chosen: Int32, as_of: int) -> tuple[float, float, float]:
    """Return standard deviation and longest in days, and the share shorter than the silence."""
    n_gaps = len(chosen) - 1
    if n_gaps < 1:
        return np.nan, np.nan, np.nan
    first, last = occurred[chosen[0]], occurred[chosen[-1]]
    silence = as_of - last
    mean = float(last - first) / float(n_gaps) / MICROSECONDS
    longest, shorter, spread = 0, 0, 0.0
    for k in range(n_gaps):
        gap = occurred[chosen[k + 1]] - occurred[chosen[k]]
        longest = max(longest, gap)
        shorter += gap < silence
        deviation = float(gap) / MICROSECONDS - mean
        spread += deviation * deviation
    deviation = math.sqrt(spread / float(n_gaps)) if n_gaps > 1 else np.nan
    return deviation, float(longest) / MICROSECONDS, float(shorter) / float(n_gaps)


@njit(**COMPILED)
def remaining(age: int, half_life: int) -> float:
    """Return what remains of one after an age."""
    return math.exp(-(float(age) / float(half_life)) * LN_2)


@njit(**COMPILED)
def decayed(
    measure: int, occurred: Int64, values: Float64, chosen: Int32, as_of: int, half_life: int
) -> float:
    """Return the decayed count or sum, or what erosion leaves."""
    total = 1.0 if measure == EROSION else 0.0
    for i in chosen:
        weight = remaining(as_of - occurred[i], half_life)
        if measure == EROSION:
            total *= 1.0 - 0.5 * weight
        elif measure == DECAYED_COUNT:
            total += weight
        elif not np.isnan(values[i]):
            total += values[i] * weight
    return total


@njit(**COMPILED)
def contrast(now: float, before: float) -> float:
    """Return a difference in units of the sum, from -1 to 1."""
    return (now - before) / (now + before) if now + before > 0.0 else np.nan


@njit(**COMPILED)
def long_run(occurred: Int64, seen: Int32, n_now: int, as_of: int, window: int) -> float:
    """Compare the rate in the window with that since the first; too young a history is missing."""
    if len(seen) == 0 or as_of - occurred[seen[0]] < window:
        return np.nan
    known = float(as_of - occurred[seen[0]]) / MICROSECONDS
    now = float(n_now) / (float(window) / MICROSECONDS)
    return float(contrast(now, float(len(seen)) / known))


@njit(**COMPILED)
def of_codes(
    measure: int,
    codes: Int32,
    occurred: Int64,
    chosen: Int32,
    now: int,
    within: int,
    tally: Int64,
    latest: Int64,
) -> float:
    """Measure a column of categories.

    Args:
        measure: which measure.
        codes: the column's codes, -1 is missing.
        occurred: instants.
        chosen: places of interactions.
        now: the code of the instant itself.
        within: microseconds, for repetitions.
        tally: scratch, zero for every code before and after.
        latest: scratch for the last instant of every code.
    """
    distinct, most, repeated, there = 0, 0, 0, 0
    for i in chosen:
        code = codes[i]
        if code < 0:
            continue
        there += 1
        if tally[code] == 0:
            distinct += 1
        elif occurred[i] - latest[code] <= within:
            repeated += 1
        tally[code] += 1
        latest[code] = occurred[i]
        most = max(most, tally[code])
    fits = tally[now] if 0 <= now < len(tally) else 0
    favourite = -1
    for k in range(len(chosen) - 1, -1, -1):
        code = codes[chosen[k]]
        if code >= 0 and tally[code] == most:
            favourite = code
            break
    for i in chosen:
        if codes[i] >= 0:
            tally[codes[i]] = 0
    if measure == DISTINCT:
        return float(distinct)
    if measure == REPEATED:
        return float(repeated)
    if there == 0:
        return np.nan
    if measure == FAVOURITE:
        return float(favourite)
    return float(most if measure == FAVOURITE_SHARE else fits) / float(there)
