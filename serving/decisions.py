"""Decisions: what was proposed to whom, kept so that it counts and can be looked up."""

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from features import clock
from serving.tables import DECISIONS, INTERACTIONS

MONTH = 30 * clock.DAY
Choose = Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]
"""Makes a decision from the month's that reserved, each with ``as_of`` and ``decision``."""


def add_decision(connection: sa.Connection, customer_id: str, as_of: int, choose: Choose) -> str:
    """Add a decision and return its id; the connection is alone in writing."""
    decision = choose(reserving_since(connection, customer_id, as_of))
    row = {"decision_id": uuid.uuid4().hex, "customer_id": customer_id, "as_of": as_of}
    told = {"decision": json.dumps(decision), "reserved": bool(decision.get("reserved", True))}
    connection.execute(DECISIONS.insert(), {**row, **told})
    return str(row["decision_id"])


def reserving_since(
    connection: sa.Connection, customer_id: str, as_of: int
) -> list[dict[str, Any]]:
    """Return a customer's decisions that reserved, from a month before an instant on, in order."""
    lately = sa.select(DECISIONS.c.as_of, DECISIONS.c.decision).where(
        DECISIONS.c.customer_id == customer_id,
        DECISIONS.c.as_of > as_of - MONTH,
        DECISIONS.c.reserved,
    )
    rows = connection.execute(lately.order_by(DECISIONS.c.as_of))
    return [{"as_of": at, "decision": json.loads(text)} for at, text in rows]


def taken(
    connection: sa.Connection, offers: Collection[str], kinds: Collection[str], as_of: int
) -> dict[str, int]:
    """Return how often each of some offers was accepted before an instant, by anybody.

    Args:
        connection: of the store.
        offers: their ids.
        kinds: what an acceptance is called.
        as_of: microseconds since 1970 UTC; what was known before it counts.
    """
    of = INTERACTIONS.c
    accepted = (
        sa.select(of.offer_id, sa.func.count())
        .where(of.offer_id.in_(offers), of.kind.in_(kinds))
        .where(of.recorded_at < as_of, of.occurred_at < as_of)
        .group_by(of.offer_id)
    )
    return {str(offer): int(n) for offer, n in connection.execute(accepted)}


def decision_of(connection: sa.Connection, decision_id: str) -> dict[str, Any] | None:
    """Return a decision, ``None`` when there is none of that id."""
    of = DECISIONS.c
    query = sa.select(of.decision_id, of.customer_id, of.as_of, of.decision).where(
        DECISIONS.c.decision_id == decision_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else {**row._mapping, "decision": json.loads(row.decision)}
