"""What the kernel reads: programs, histories, facts, rows and offers as arrays."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

COMPILED = {"nogil": True, "_nrt": False}
"""How the kernel is compiled: nothing in it may make an array, and then none are counted.

Counting references to arrays would cost more than the folds of a short history.
"""
CHANNEL, TOPIC, CASE, OFFER, DAY, WEEKDAY, HOUR = range(7)
"""Rows of ``Histories.codes``; their names are ``measures.CODE_COLUMNS``."""


class Program(NamedTuple):
    """A compiled plan.

    ``steps`` has one row a computation: measure, span, column, parameter (microseconds or a
    number), other filter, first part, number of parts; steps of one span stand together, parts
    before the whole. ``visible`` holds the step of each signal. ``spans`` are filter, window in
    microseconds (0: all) and keyed by (0 nothing, 1 topic, 2 offer). Filters that take kind ``k``
    are ``takers[taker_start[k]:taker_start[k + 1]]``; ``conditions`` has for each filter the
    channel, topic and numeric column that it wants (-1: any), its comparison with ``bounds``, and
    whether it wants a case (0 or 1); ``conditioned`` says whether it has any.
    """

    steps: Int64
    priors: Float64
    parts: Int64
    visible: Int64
    spans: Int64
    taker_start: Int64
    takers: Int64
    conditions: Int64
    conditioned: UInt8
    bounds: Float64
    resolved: int


class Histories(NamedTuple):
    """Interactions of many customers, each customer's in canonical order.

    Those of customer ``c`` are ``start[c]:start[c + 1]``; ``codes`` is (7, n), -1 is missing, all
    below ``n_codes``, those of cases below ``n_cases``; ``numbers`` is (n_columns, n); ``due`` is
    ``clock.EVER`` where nothing was promised.
    """

    start: Int64
    occurred: Int64
    recorded: Int64
    due: Int64
    kind: Int32
    codes: Int32
    numbers: Float64
    n_codes: int
    n_cases: int


class Facts(NamedTuple):
    """Attributes of many customers, each customer's from the oldest to the latest.

    Ties are in order of name and value. ``known`` is from when each counts for the customer: an
    old one may count later than a new one, where its key became known late.
    """

    start: Int64
    known: Int64
    name: Int64
    value: Float64


class Rows(NamedTuple):
    """The rows to compute: those of customer ``c`` are ``start[c]:start[c + 1]``.

    Row ``r`` goes to ``place[r]`` of the result; ``calendar`` is (4, n_rows) or (4, 0) when no
    signal reads it, its rows those of ``measures.CALENDAR``.
    """

    start: Int64
    as_of: Int64
    offer: Int64
    place: Int64
    calendar: Int64


class OfferTable(NamedTuple):
    """Offers: ``values`` is (n_offers, n_attributes), ``topics`` (n_offers, n_topics).

    ``n_topics`` is above the code of every topic in the histories, 0 where no signal is keyed by
    topic. ``code`` is each offer's own code among those of the histories, -1 where it never occurs.
    """

    values: Float64
    topics: UInt8
    code: Int64


class Scratch(NamedTuple):
    """What the kernel writes to while it computes, as long as the longest history.

    ``known`` and ``late`` list the places that each filter takes, (n_filters, longest), of all
    that was recorded and of what was recorded in time; ``n_known`` and ``n_late`` say how many.
    ``tally``, ``next_resolved`` and ``state`` hold something for each code, and are left as they
    were found; ``values`` are those of one row's steps.
    """

    known: Int32
    late: Int32
    n_known: Int64
    n_late: Int64
    latest_recorded: Int64
    kept: Int32
    tally: Int64
    latest: Int64
    next_resolved: Int64
    state: Int64
    values: Float64
