"""What the kernel reads: programs, histories, facts, rows and offers as arrays."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]


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
