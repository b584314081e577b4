"""The online engine: one customer's history in, one row out (or one row an offer)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from features import arrays, clock, kernel
from features.categories import Categories
from features.encoding import (
    calendar_of,
    local_codes,
    n_codes,
    n_of,
    numeric_attributes,
    offer_table,
)
from features.interactions import Attribute, Interaction
from features.measures import CODE_COLUMNS
from features.offers import Offer
from features.plan import Plan
from features.timeline import Timeline
from features.values import SignalValues

NAN = float("nan")


class Encoded(NamedTuple):
    """One customer's history as the kernel reads it."""

    histories: arrays.Histories
    facts: arrays.Facts
    rows: arrays.Rows
    offers: arrays.OfferTable
    categories: Categories


def evaluate(
    plan: Plan,
    interactions: Iterable[Interaction],
    as_of: int,
    attributes: Iterable[Attribute] = (),
    offers: Sequence[Offer] = (),
) -> SignalValues:
    """Compute the signals of one customer at one instant.

    Args:
        plan: the compiled signals.
        interactions: the customer's interactions, in any order; later ones than ``as_of`` and
            repeated ids do no harm.
        as_of: the instant, microseconds since 1970 UTC; only what was known before it counts.
        attributes: the customer's attributes, in any order.
        offers: the offers to consider.

    Returns:
        One row for each offer, or one row when no offer is given.
    """
    return run(plan, encode(plan, interactions, as_of, attributes, offers))


def evaluate_at(
    plan: Plan,
    interactions: Iterable[Interaction],
    instants: Sequence[int],
    attributes: Iterable[Attribute] = (),
) -> SignalValues:
    """Compute the signals of one customer at several instants, one row for each.

    Args:
        plan: the compiled signals.
        interactions: the customer's interactions, in any order.
        instants: microseconds since 1970 UTC, at least one; each row is as ``evaluate`` gives it.
        attributes: the customer's attributes, in any order.
    """
    encoded = encode(plan, interactions, instants[-1], attributes)
    as_of = np.array(instants, dtype=np.int64)
    rows = _rows(plan, as_of, np.full(len(as_of), -1, dtype=np.int64))
    return run(plan, encoded._replace(rows=rows))


def encode(
    plan: Plan,
    interactions: Iterable[Interaction],
    as_of: int,
    attributes: Iterable[Attribute] = (),
    offers: Sequence[Offer] = (),
) -> Encoded:
    """Return the arrays of one customer; the arguments are those of ``evaluate``."""
    timeline = Timeline.of(interactions)
    categories = Categories(plan.named)
    own: dict[str, int] = {}
    histories = _histories(plan, timeline, categories, own)
    n_rows = max(1, len(offers))
    instants = np.full(n_rows, as_of, dtype=np.int64)
    places = np.arange(n_rows, dtype=np.int64)
    rows = _rows(plan, instants, places if offers else np.full(1, -1, dtype=np.int64))
    facts = _facts(plan, attributes, categories)
    table = offer_table(plan, offers, categories, own, histories.codes)
    return Encoded(histories, facts, rows, table, categories)


def run(plan: Plan, encoded: Encoded) -> SignalValues:
    """Compute the signals of one customer from arrays."""
    histories, facts, rows, offers, categories = encoded
    out = np.empty((len(rows.as_of), len(plan.signals)))
    kernel.evaluate(plan.program, histories, facts, rows, offers, 0, 1, out)
    return SignalValues(plan, out, categories)


def warm_up(plan: Plan) -> None:
    """Compile the kernel, so that no request has to wait for it."""
    evaluate(plan, [], 0)


def _rows(plan: Plan, instants: arrays.Int64, offers: arrays.Int64) -> arrays.Rows:
    """Return the rows of one customer: at each instant, of the offer at that place (-1: none)."""
    n = len(instants)
    return arrays.Rows(
        start=np.array([0, n], dtype=np.int64),
        as_of=instants,
        offer=offers,
        place=np.arange(n, dtype=np.int64),
        calendar=calendar_of(plan, instants),
    )


def _histories(
    plan: Plan, timeline: Timeline, categories: Categories, own: dict[str, int]
) -> arrays.Histories:
    n = len(timeline)
    other, kinds = len(plan.kinds), plan.kind_codes
    occurred = np.array(timeline.column("occurred_at"), dtype=np.int64)
    codes = np.full((len(CODE_COLUMNS), n), -1, dtype=np.int32)
    cases: dict[str, int] = {}
    for name, known in (("case_id", cases), ("offer_id", own)):
        if name in plan.code_columns:
            codes[CODE_COLUMNS.index(name)] = [
                -1 if value is None else known.setdefault(value, len(known))
                for value in timeline.column(name)
            ]
    for name in ("channel", "topic"):
        if name in plan.code_columns:
            codes[CODE_COLUMNS.index(name)] = [
                -1 if value is None else categories.code(value) for value in timeline.column(name)
            ]
    local_codes(plan, occurred, codes)
    due = timeline.column("due_at") if plan.reads_due else ()
    return arrays.Histories(
        start=np.array([0, n], dtype=np.int64),
        occurred=occurred,
        recorded=np.array(timeline.column("recorded_at"), dtype=np.int64),
        due=np.array([clock.EVER if at is None else at for at in due], dtype=np.int64),
        kind=np.array([kinds.get(kind, other) for kind in timeline.column("kind")], dtype=np.int32),
        codes=codes,
        numbers=np.array(
            [_column(timeline, column) for column in plan.numbers],
            dtype=np.float64,
        ).reshape(len(plan.numbers), n),
        n_codes=n_codes(plan, codes),
        n_cases=n_of(codes, arrays.CASE),
    )


def _column(timeline: Timeline, name: str) -> list[float]:
    """Return a numeric column, NaN where it is missing; negative zero becomes zero."""
    return [NAN if value is None else value + 0.0 for value in timeline.numbers(name)]


def _facts(plan: Plan, attributes: Iterable[Attribute], categories: Categories) -> arrays.Facts:
    read = plan.attribute_codes
    kept = sorted(
        (a for a in attributes if a.name in read), key=lambda a: (a.known_at, a.name, a.value)
    )
    numeric = numeric_attributes(plan)
    return arrays.Facts(
        start=np.array([0, len(kept)], dtype=np.int64),
        known=np.array([max(a.known_at, a.since) for a in kept], dtype=np.int64),
        name=np.array([read[a.name] for a in kept], dtype=np.int64),
        value=np.array(
            [categories.encode(a.value, numeric[a.name]) for a in kept], dtype=np.float64
        ),
    )
