"""Combining in the kernel: signals made of other signals, which were computed before.

Compiled into ``kernel.evaluate``.
"""

import numpy as np
from numba import njit

from features.arrays import COMPILED, Float64, Int64
from features.folds import remaining
from features.measures import CODES

RATIO, KNOWN, SATURATION = (CODES[n] for n in ("ratio", "known", "saturation"))
TRUST, EXCHANGE = CODES["trust"], CODES["exchange"]


@njit(**COMPILED)
def part_of(some: float, whole: float) -> float:
    """Divide; of nothing at all there is no part."""
    return float(some / whole) if whole != 0.0 else np.nan


@njit(**COMPILED)
def combined(
    measure: int, parameter: int, parts: Int64, prior: float, weight: float, values: Float64
) -> float:
    """Compute a signal from those it is made of, which were computed before."""
    if measure == RATIO:
        return float(part_of(values[parts[0]] + prior * weight, values[parts[1]] + weight))
    if measure == KNOWN:
        known = 0
        for part in parts:
            known += not np.isnan(values[part])
        return float(known)
    if measure == SATURATION:
        total = 0.0
        for part in parts:
            total += values[part]
        return float(part_of(total, total + float(parameter)))
    if measure == TRUST:
        return float(trust(values[parts[0]], values[parts[1]], values[parts[2]]))
    if measure == EXCHANGE:
        return float(exchange(values, parts))
    return float(stage(values, parts))


@njit(**COMPILED)
def trust(kept: float, eroded: float, promise_eroded: float) -> float:
    """Return trust; the formula is told in ``composites.trust``."""
    return float((1.0 - 0.5 * remaining(int(kept), 5)) * eroded * promise_eroded)


@njit(**COMPILED)
def exchange(values: Float64, parts: Int64) -> float:
    """Return exchanged value; the formula is told in ``composites.exchange``."""
    given = values[parts[0]]
    received = 0.0
    for part in parts[1:]:
        received += values[part]
    return float((part_of(given, given + 4.0) + part_of(received, received + 1.0)) / 2.0)


@njit(**COMPILED)
def stage(values: Float64, parts: Int64) -> float:
    """Return the place of a stage of engagement; the rules are told in ``composites.stage``."""
    first, last, silence, trend = (
        values[parts[0]],
        values[parts[1]],
        values[parts[2]],
        values[parts[3]],
    )
    recommended, known, trusted, exchanged = (
        values[parts[4]],
        values[parts[5]],
        values[parts[6]],
        values[parts[7]],
    )
    if np.isnan(first):
        return np.nan
    gaps = last / 30.0 if np.isnan(silence) else silence
    if gaps >= 6.0 and last >= 60.0:
        return 6.0
    if first < 90.0:
        return 0.0
    if gaps >= 3.0 or trend <= -0.5 or trusted < 0.3:
        return 5.0
    if recommended > 0.0 and trusted >= 0.5:
        return 4.0
    if exchanged >= 0.5 and (known >= 0.5 or trusted >= 0.5):
        return 3.0
    return 2.0 if exchanged >= 0.25 else 1.0
