"""Folds of the kernel over journeys: the cases that interactions belong to, and promises.

Compiled into ``kernel.evaluate``.
"""

import numpy as np
from numba import njit

from features.arrays import COMPILED, Float64, Int32, Int64
from features.folds import MICROSECONDS, remaining

CONTACTS, FIRST, RESOLVED_AT, STATE, LAST_CHANNEL, HANDOVERS, N_STATES = range(7)
UNSAID, OPEN, RESOLVED = range(3)
NEVER = np.int64(-(2**63))


@njit(**COMPILED)
def of_cases(
    occurred: Int64,
    cases: Int32,
    channels: Int32,
    said: Float64,
    chosen: Int32,
    as_of: int,
    state: Int64,
    met: Int32,
) -> tuple[float, float, float, float, float, float, float, float, float, float]:
    """Return the measures of cases, in the order of their codes.

    Args:
        occurred: instants.
        cases: the case of each interaction, -1 is none.
        channels: the channel of each interaction, -1 is missing.
        said: whether each interaction says that the case is resolved: 1, 0 or missing.
        chosen: places of interactions.
        as_of: the instant.
        state: scratch of shape ``(n_cases, N_STATES)`` with no contacts before and after.
        met: scratch for the cases met.
    """
    n_cases, contacts, handovers, reopened = 0, 0, 0, 0
    for i in chosen:
        case = cases[i]
        if case < 0:
            continue
        if state[case, CONTACTS] == 0:
            state[case] = 0, occurred[i], NEVER, UNSAID, -1, 0
            met[n_cases] = case
            n_cases += 1
        contacts += 1
        state[case, CONTACTS] += 1
        channel = channels[i]
        if channel >= 0:
            if state[case, LAST_CHANNEL] >= 0 and state[case, LAST_CHANNEL] != channel:
                handovers += 1
                state[case, HANDOVERS] += 1
            state[case, LAST_CHANNEL] = channel
        if said[i] == 1.0:
            state[case, STATE] = RESOLVED
            if state[case, RESOLVED_AT] == NEVER:
                state[case, RESOLVED_AT] = occurred[i]
        elif said[i] == 0.0:
            reopened += state[case, STATE] == RESOLVED
            state[case, STATE] = OPEN
    most, most_handovers, n_open, n_resolved = 0, 0, 0, 0
    oldest, total, longest = as_of, 0.0, np.nan
    for k in range(n_cases):
        case = met[k]
        most = max(most, state[case, CONTACTS])
        most_handovers = max(most_handovers, state[case, HANDOVERS])
        state[case, CONTACTS] = 0
        if state[case, STATE] != RESOLVED:
            n_open += 1
            oldest = min(oldest, state[case, FIRST])
        if state[case, RESOLVED_AT] != NEVER:
            days = float(state[case, RESOLVED_AT] - state[case, FIRST]) / MICROSECONDS
            total += days
            n_resolved += 1
            longest = days if n_resolved == 1 else max(longest, days)
    return (
        float(contacts) / float(n_cases) if n_cases > 0 else np.nan,
        float(most),
        float(handovers),
        float(most_handovers),
        float(n_open),
        float(as_of - oldest) / MICROSECONDS if n_open > 0 else np.nan,
        float(reopened),
        float(n_open) / float(n_cases) if n_cases > 0 else np.nan,
        total / float(n_resolved) if n_resolved > 0 else np.nan,
        longest,
    )


@njit(**COMPILED)
def of_promises(
    occurred: Int64,
    due: Int64,
    cases: Int32,
    said: Float64,
    chosen: Int32,
    as_of: int,
    half_life: int,
    next_resolved: Int64,
    broken: Int32,
) -> tuple[float, float, float]:
    """Return promises kept and broken, and what the broken ones leave of a trust.

    Args:
        occurred: instants.
        due: what was promised for when, ``NEVER`` is nothing.
        cases: the case of each interaction, -1 is none.
        said: whether each interaction says that the case is resolved: 1, 0 or missing.
        chosen: places of interactions.
        as_of: the instant.
        half_life: microseconds; 0 when erosion is not asked for.
        next_resolved: scratch, ``NEVER`` for every case before and after.
        broken: scratch for the places of broken promises.
    """
    n_kept, n_broken = 0, 0
    for k in range(len(chosen) - 1, -1, -1):
        i = chosen[k]
        case = cases[i]
        by_then = NEVER
        if said[i] == 1.0:
            by_then = occurred[i]
            if case >= 0:
                next_resolved[case] = by_then
        elif case >= 0:
            by_then = next_resolved[case]
        if due[i] == NEVER:
            continue
        if by_then != NEVER and by_then <= due[i]:
            n_kept += 1
        elif due[i] < as_of:
            broken[n_broken] = i
            n_broken += 1
    left = 1.0
    for k in range(n_broken - 1, -1, -1):
        if half_life > 0:
            left *= 1.0 - 0.5 * remaining(as_of - due[broken[k]], half_life)
    for i in chosen:
        if cases[i] >= 0:
            next_resolved[cases[i]] = NEVER
    return float(n_kept), float(n_broken), left
