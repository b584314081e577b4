"""Made-up histories for the tests of training: small, seeded, with something to learn."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from features import clock
from features.batch import Spine
from features.history import History, attributes_table, interactions_table
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.sections import Roles

DAY = clock.DAY
START = 17_000 * DAY
ROLES = Roles(
    value=("purchase",),
    negative=("complaint",),
    exit=("cancellation",),
    offer_shown=("offer_shown",),
    offer_accepted=("offer_accepted",),
)


def happened(
    customer: str, at: int, kind: str = "purchase", offer_id: str | None = None
) -> Interaction:
    """Return one interaction, known at once."""
    return Interaction(customer, at, at, kind, offer_id=offer_id, amount=1.0)


def history_of(
    items: Iterable[Interaction],
    known_until: int,
    attributes: Iterable[Attribute] = (),
    offers: Iterable[Offer] = (),
) -> History:
    """Return a history of these interactions."""
    facts = list(attributes)
    return History(
        interactions_table(items),
        attributes_table(facts),
        {offer.offer_id: offer for offer in offers},
        known_until,
        attribute_numbers=dict.fromkeys(sorted({fact.name for fact in facts}), False),
    )


def spine_of(*rows: tuple[str, int]) -> Spine:
    """Return a spine of (customer, instant) rows."""
    return Spine(
        pa.array([customer for customer, _ in rows], pa.string()),
        np.array([as_of for _, as_of in rows], dtype=np.int64),
    )


def shoppers(n: int, n_days: int, seed: int = 7) -> tuple[list[Interaction], list[Attribute]]:
    """Return customers who buy about weekly, complain now and then, and half of whom stop."""
    rng = np.random.default_rng(seed)
    items: list[Interaction] = []
    facts = []
    for i in range(n):
        customer = f"c{i:04d}"
        until = n_days * (rng.uniform(0.2, 1.0) if rng.random() < 0.5 else 1.0)
        day = rng.uniform(0, 20)
        pace = rng.uniform(4, 14)
        while day < until:
            at = START + int(day * DAY)
            amount = float(rng.lognormal(3, 1))
            items.append(Interaction(customer, at, at, "purchase", amount=amount))
            if rng.random() < 0.05:
                items.append(happened(customer, at + DAY // 2, "complaint"))
            day += rng.exponential(pace)
        if rng.random() < 0.8:
            facts.append(Attribute(customer, clock.EVER, "city", str(rng.choice(["Ayr", "Bath"]))))
    last = START + n_days * DAY
    return [item for item in items if item.occurred_at < last], facts
