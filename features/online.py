"""The online engine: one customer's history in, one row out (or one row an offer)."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
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
from features.interactions import (
    NUMBERS,
    Attribute,
    Interaction,
    canonical_order,
    first_recorded,
)
from features.measures import CODE_COLUMNS
from features.offers import Offer
from features.plan import Plan
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


def encode(
    plan: Plan,
    interactions: Iterable[Interaction],
    as_of: int,
    attributes: Iterable[Attribute] = (),
    offers: Sequence[Offer] = (),
) -> Encoded:
    """Return the arrays of one customer; the arguments are those of ``evaluate``."""
    ordered = first_recorded(canonical_order(interactions))
    categories = Categories(plan.named)
    own: dict[str, int] = {}
    histories = _histories(plan, ordered, categories, own)
    n_rows = max(1, len(offers))
    instants = np.full(n_rows, as_of, dtype=np.int64)
    rows = arrays.Rows(
        start=np.array([0, n_rows], dtype=np.int64),
        as_of=instants,
        offer=np.arange(n_rows, dtype=np.int64) if offers else np.full(1, -1, dtype=np.int64),
        place=np.arange(n_rows, dtype=np.int64),
        calendar=calendar_of(plan, instants),
    )
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


def _histories(
    plan: Plan, ordered: list[Interaction], categories: Categories, own: dict[str, int]
) -> arrays.Histories:
    n = len(ordered)
    other, kinds = len(plan.kinds), plan.kind_codes
    occurred = np.array([item.occurred_at for item in ordered], dtype=np.int64)
    codes = np.full((len(CODE_COLUMNS), n), -1, dtype=np.int32)
    cases: dict[str, int] = {}
    for name, known in (("case_id", cases), ("offer_id", own)):
        if name in plan.code_columns:
            codes[CODE_COLUMNS.index(name)] = [
                -1 if value is None else known.setdefault(value, len(known))
                for value in (getattr(item, name) for item in ordered)
            ]
    for name in ("channel", "topic"):
        if name in plan.code_columns:
            codes[CODE_COLUMNS.index(name)] = [
                -1 if value is None else categories.code(value)
                for value in (getattr(item, name) for item in ordered)
            ]
    local_codes(plan, occurred, codes)
    due = [item.due_at for item in ordered] if plan.reads_due else []
    return arrays.Histories(
        start=np.array([0, n], dtype=np.int64),
        occurred=occurred,
        recorded=np.array([item.recorded_at for item in ordered], dtype=np.int64),
        due=np.array([clock.EVER if at is None else at for at in due], dtype=np.int64),
        kind=np.array([kinds.get(item.kind, other) for item in ordered], dtype=np.int32),
        codes=codes,
        numbers=np.array(
            [_column(ordered, column) for column in plan.numbers],
            dtype=np.float64,
        ).reshape(len(plan.numbers), n),
        n_codes=n_codes(plan, codes),
        n_cases=n_of(codes, arrays.CASE),
    )


def _column(ordered: list[Interaction], name: str) -> list[float]:
    """Return a numeric column, NaN where it is missing; negative zero becomes zero."""
    if name in NUMBERS or name == "resolved":
        values = list(map(attrgetter(name), ordered))
    else:
        values = [item.numbers.get(name) for item in ordered]
    return [NAN if value is None else value + 0.0 for value in values]


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
