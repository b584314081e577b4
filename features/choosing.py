"""Choosing in the kernel: which interactions a filter, an instant and an offer take.

Compiled into ``kernel.evaluate``.
"""

import numpy as np
from numba import njit

from features.arrays import (
    CASE,
    CHANNEL,
    COMPILED,
    TOPIC,
    Facts,
    Histories,
    Int32,
    Int64,
    Program,
    UInt8,
)


@njit(**COMPILED)
def index(
    program: Program,
    histories: Histories,
    begin: int,
    end: int,
    recorded_before: int,
    places: Int32,
    n_places: Int64,
) -> None:
    """List, for each filter, the interactions that it takes and that were recorded in time."""
    # Arrays are taken out of their tuples once: handing a tuple on counts every reference in it.
    start, takers, conditions = program.taker_start, program.takers, program.conditions
    bounds, conditioned = program.bounds, program.conditioned
    recorded, kinds, numbers = histories.recorded, histories.kind, histories.numbers
    channels, topics, cases = (
        histories.codes[CHANNEL],
        histories.codes[TOPIC],
        histories.codes[CASE],
    )
    n_places[:] = 0
    for i in range(begin, end):
        if recorded[i] >= recorded_before:
            continue
        kind = kinds[i]
        for t in range(start[kind], start[kind + 1]):
            f = takers[t]
            if conditioned[f]:
                if conditions[f, 0] >= 0 and channels[i] != conditions[f, 0]:
                    continue
                if conditions[f, 1] >= 0 and topics[i] != conditions[f, 1]:
                    continue
                column = conditions[f, 2]
                if column >= 0 and not holds(numbers[column, i], conditions[f, 3], bounds[f]):
                    continue
                if conditions[f, 4] == 1 and cases[i] < 0:
                    continue
            places[f, n_places[f]] = i
            n_places[f] += 1


@njit(**COMPILED)
def holds(value: float, comparison: int, bound: float) -> bool:
    """Return whether a comparison holds; it does not of a missing value."""
    if comparison == 0:
        return value < bound
    if comparison == 1:
        return value <= bound
    if comparison == 2:
        return value > bound
    if comparison == 3:
        return value >= bound
    if comparison == 4:
        return value == bound
    return value != bound and not np.isnan(value)


@njit(**COMPILED)
def first_place_at(occurred: Int64, places: Int32, f: int, n: int, instant: int) -> int:
    """Return how many of the first ``n`` interactions of a filter happened before the instant."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if occurred[places[f, middle]] < instant:
            low = middle + 1
        else:
            high = middle
    return low


@njit(**COMPILED)
def sharing_topic(topics: Int32, chosen: Int32, wanted: UInt8, kept: Int32) -> int:
    """List those of the chosen whose topic is wanted, and return how many they are."""
    n = 0
    for i in chosen:
        if topics[i] >= 0 and wanted[topics[i]] == 1:
            kept[n] = i
            n += 1
    return n


@njit(**COMPILED)
def about(offers: Int32, chosen: Int32, wanted: int, kept: Int32) -> int:
    """List those of the chosen that are about the wanted offer, and return how many they are."""
    n = 0
    for i in chosen:
        if offers[i] >= 0 and offers[i] == wanted:
            kept[n] = i
            n += 1
    return n


@njit(**COMPILED)
def since(chosen: Int32, others: Int32) -> float:
    """Count the chosen that come after the last of the others."""
    if len(others) == 0:
        return float(len(chosen))
    return float(len(chosen) - np.searchsorted(chosen, others[-1], side="right"))


@njit(**COMPILED)
def after(occurred: Int64, chosen: Int32, others: Int32, within: int) -> float:
    """Count the chosen that come, in canonical order, within so long after one of the others."""
    count, k = 0, 0
    for i in chosen:
        while k < len(others) and others[k] < i:
            k += 1
        if k > 0 and occurred[i] - occurred[others[k - 1]] <= within:
            count += 1
    return float(count)


@njit(**COMPILED)
def latest_fact(facts: Facts, customer: int, name: int, as_of: int) -> float:
    """Return the value of the latest of an attribute's facts that count before the instant."""
    for i in range(facts.start[customer + 1] - 1, facts.start[customer] - 1, -1):
        if facts.known[i] < as_of and facts.name[i] == name:
            return float(facts.value[i])
    return np.nan
