"""Both engines on one small case: they must agree to the bit before a value is looked at."""

import struct
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from features import batch, online
from features.declaration import Signal
from features.history import History, attributes_table, interactions_table
from features.interactions import Attribute, Interaction
from features.offers import Offer, Value
from features.plan import Plan, compile_plan
from tests.strategies import AS_OF, DAY, ROLES

HOUR, MINUTE = DAY // 24, DAY // (24 * 60)
NUMBERS = ("points", "stars")
Customers = Mapping[str, tuple[Sequence[Interaction], Sequence[Attribute]]]
Asked = tuple[str, int, Offer | None]


def bits(row: Iterable[Value]) -> list[object]:
    """Floats as their bits: NaN equals NaN, and the last bit counts."""
    return [struct.pack("<d", v) if isinstance(v, float) and v == v else str(v) for v in row]


def history_of(customers: Customers, rows: Sequence[Asked] = ()) -> History:
    """The tables of customers, and the offers that rows ask for, named by the row's number."""
    return History(
        interactions_table([i for items, _ in customers.values() for i in items], NUMBERS),
        attributes_table([a for _, facts in customers.values() for a in facts]),
        {str(n): offer for n, (_, _, offer) in enumerate(rows) if offer},
        known_until=2**62,
    )


def spine_of(rows: Sequence[Asked]) -> batch.Spine:
    """The spine of rows."""
    offers = [str(n) if offer else None for n, (_, _, offer) in enumerate(rows)]
    return batch.Spine(
        pa.array([customer for customer, _, _ in rows], pa.string()),
        pa.array([as_of for _, as_of, _ in rows], pa.int64()).to_numpy(),
        pa.array(offers, pa.string()),
    )


def by_batch(plan: Plan, customers: Customers, rows: Sequence[Asked]) -> list[list[Value]]:
    """The signals of rows by the batch engine."""
    values = batch.compute(plan, history_of(customers, rows), spine_of(rows))
    return [values.row(i) for i in range(len(rows))]


def row_of(
    signals: Sequence[Signal],
    history: Sequence[Interaction],
    as_of: int = AS_OF,
    facts: Sequence[Attribute] = (),
    offer: Offer | None = None,
    zone: str = "UTC",
) -> list[Value]:
    """The signals of one customer at one instant, by both engines."""
    plan = compile_plan(signals, ROLES, zone)
    online_row = online.evaluate(plan, history, as_of, facts, [offer] if offer else []).row(0)
    named = {} if offer is None else {offer.offer_id: offer}
    spine = batch.Spine(
        pa.array(["c"], pa.string()),
        pa.array([as_of], pa.int64()).to_numpy(),
        pa.array([offer.offer_id if offer else None], pa.string()),
    )
    tables = History(
        interactions_table(history, NUMBERS), attributes_table(facts), named, known_until=2**62
    )
    batch_row = batch.compute(plan, tables, spine).row(0)
    assert bits(batch_row) == bits(online_row), "batch and online disagree"
    return online_row


def value_of(
    signals: Sequence[Signal],
    history: Sequence[Interaction],
    as_of: int = AS_OF,
    facts: Sequence[Attribute] = (),
    offer: Offer | None = None,
    zone: str = "UTC",
) -> Value:
    """The one signal declared, by both engines."""
    (value,) = row_of(signals, history, as_of, facts, offer, zone)
    return value


def at(
    occurred_at: int,
    kind: str = "purchase",
    *,
    recorded_at: int | None = None,
    number: Mapping[str, float] | None = None,
    interaction_id: str | None = None,
    source: str | None = None,
    channel: str | None = None,
    topic: str | None = None,
    case_id: str | None = None,
    offer_id: str | None = None,
    amount: float | None = None,
    rating: float | None = None,
    resolved: bool | None = None,
    due_at: int | None = None,
) -> Interaction:
    """One interaction of customer c, known at once unless said otherwise."""
    return Interaction(
        "c",
        occurred_at,
        occurred_at if recorded_at is None else recorded_at,
        kind,
        interaction_id=interaction_id,
        source=source,
        channel=channel,
        topic=topic,
        case_id=case_id,
        offer_id=offer_id,
        amount=amount,
        rating=rating,
        resolved=resolved,
        due_at=due_at,
        numbers=number or {},
    )


def ago(days: float) -> int:
    """The instant so many days before ``AS_OF``."""
    return AS_OF - round(days * DAY)


def missing(value: Value) -> bool:
    """Whether a signal has no value."""
    return value is None or value != value
