"""Choosing in the kernel: which interactions a filter, an instant and an offer take.

Compiled into ``kernel.evaluate``.
"""

import numpy as np
from numba import njit

from features.arrays import (
    CHANNEL,
    OFFER,
    TOPIC,
    Facts,
    Histories,
    Int32,
    Int64,
    OfferTable,
    Program,
)


@njit(nogil=True)
def takes(program: Program, histories: Histories, f: int, i: int) -> bool:
    """Return whether a filter that takes the kind takes the interaction."""
    channel, topic, column, comparison = program.conditions[f]
    if channel >= 0 and histories.codes[CHANNEL, i] != channel:
        return False
    if topic >= 0 and histories.codes[TOPIC, i] != topic:
        return False
    if column < 0:
        return True
    value, bound = histories.numbers[column, i], program.bounds[f]
    if np.isnan(value):
        return False
    return bool(
        (comparison == 0 and value < bound)
        or (comparison == 1 and value <= bound)
        or (comparison == 2 and value > bound)
        or (comparison == 3 and value >= bound)
        or (comparison == 4 and value == bound)
        or (comparison == 5 and value != bound)
    )


@njit(nogil=True)
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
    n_places[:] = 0
    for i in range(begin, end):
        if histories.recorded[i] < recorded_before:
            kind = histories.kind[i]
            for t in range(program.taker_start[kind], program.taker_start[kind + 1]):
                f = program.takers[t]
                if takes(program, histories, f, i):
                    places[f, n_places[f]] = i
                    n_places[f] += 1


@njit(nogil=True)
def first_place_at(instants: Int64, taken: Int32, n_taken: int, instant: int) -> int:
    """Return how many of the taken interactions happened before the instant."""
    low, high = 0, n_taken
    while low < high:
        middle = (low + high) // 2
        if instants[taken[middle]] < instant:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True)
def sharing(
    histories: Histories, chosen: Int32, keyed: int, offer: int, offers: OfferTable, kept: Int32
) -> Int32:
    """Return those of the chosen that share one of the offer's topics, or are about the offer."""
    n = 0
    for i in chosen:
        if keyed == 1:
            topic = histories.codes[TOPIC, i]
            fits = topic >= 0 and offers.topics[offer, topic] == 1
        else:
            of = histories.codes[OFFER, i]
            fits = of >= 0 and of == offers.code[offer]
        if fits:
            kept[n] = i
            n += 1
    return kept[:n]


@njit(nogil=True)
def since(chosen: Int32, others: Int32) -> float:
    """Count the chosen that come after the last of the others."""
    if len(others) == 0:
        return float(len(chosen))
    return float(len(chosen) - np.searchsorted(chosen, others[-1], side="right"))


@njit(nogil=True)
def after(occurred: Int64, chosen: Int32, others: Int32, within: int) -> float:
    """Count the chosen that come, in canonical order, within so long after one of the others."""
    count, k = 0, 0
    for i in chosen:
        while k < len(others) and others[k] < i:
            k += 1
        if k > 0 and occurred[i] - occurred[others[k - 1]] <= within:
            count += 1
    return float(count)


@njit(nogil=True)
def latest_fact(facts: Facts, customer: int, name: int, as_of: int) -> float:
    """Return the latest value of an attribute known before the instant."""
    for i in range(facts.start[customer + 1] - 1, facts.start[customer] - 1, -1):
        if facts.known[i] < as_of and facts.name[i] == name:
            return float(facts.value[i])
    return np.nan
