"""The online engine: one customer's history in, one row out (or one row an offer)."""

from collections.abc import Iterable, Sequence

import numpy as np

from features import arrays, kernel
from features.declaration import Signal
from features.interactions import (
    Attribute,
    Interaction,
    canonical_order,
    first_recorded,
    number,
)
from features.offers import Offer
from features.plan import Categories, Plan, offer_table
from features.values import SignalValues

NAN = float("nan")


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
    ordered = first_recorded(canonical_order(interactions, plan.numbers))
    categories = Categories()
    topics: dict[str, int] = {}
    n = len(ordered)
    other = len(plan.kinds)
    codes = plan.kind_codes
    histories = arrays.Histories(
        start=np.array([0, n], dtype=np.int64),
        occurred=np.array([item.occurred_at for item in ordered], dtype=np.int64),
        recorded=np.array([item.recorded_at for item in ordered], dtype=np.int64),
        kind=np.array([codes.get(item.kind, other) for item in ordered], dtype=np.int64),
        topic=np.array(
            [-1 if i.topic is None else topics.setdefault(i.topic, len(topics)) for i in ordered],
            dtype=np.int64,
        ),
        numbers=np.array(
            [[_or_nan(number(item, column)) for item in ordered] for column in plan.numbers],
            dtype=np.float64,
        ).reshape(len(plan.numbers), n),
    )
    n_rows = max(1, len(offers))
    rows = arrays.Rows(
        start=np.array([0, n_rows], dtype=np.int64),
        as_of=np.full(n_rows, as_of, dtype=np.int64),
        offer=np.arange(n_rows, dtype=np.int64) if offers else np.full(1, -1, dtype=np.int64),
    )
    out = np.empty((n_rows, len(plan.signals)))
    facts = _facts(plan, attributes, categories)
    table = offer_table(plan, offers, topics, categories)
    kernel.evaluate(plan.program, histories, facts, rows, table, 0, 1, out)
    return SignalValues(plan, out, categories)


def warm_up(plan: Plan) -> None:
    """Compile the kernel, so that no request has to wait for it."""
    evaluate(plan, [], 0)


def _or_nan(value: float | None) -> float:
    return NAN if value is None else value + 0.0


def _facts(plan: Plan, attributes: Iterable[Attribute], categories: Categories) -> arrays.Facts:
    read = plan.attribute_codes
    kept = sorted(
        (a for a in attributes if a.name in read), key=lambda a: (a.known_at, a.name, a.value)
    )
    numeric = {signal.column: signal.number for signal in _attribute_signals(plan)}
    return arrays.Facts(
        start=np.array([0, len(kept)], dtype=np.int64),
        known=np.array([a.known_at for a in kept], dtype=np.int64),
        name=np.array([read[a.name] for a in kept], dtype=np.int64),
        value=np.array(
            [categories.encode(a.value, numeric[a.name]) for a in kept], dtype=np.float64
        ),
    )


def _attribute_signals(plan: Plan) -> list[Signal]:
    return [signal for signal in plan.signals if signal.measure == "attribute"]
