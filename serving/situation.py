"""The situation: what rules of contact ask of a customer at an instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from features.interactions import Attribute, Interaction, canonical_order, first_recorded
from features.sections import Roles


@dataclass(frozen=True, slots=True)
class Shown:
    """An offer that was shown, or that a decision reserved a place for, and when."""

    at: int
    offer_id: str


@dataclass(frozen=True, slots=True)
class Situation:
    """A customer at an instant: what was known before it.

    ``accepted`` and ``declined`` hold the latest instant of each offer, ``complained`` the latest
    of any complaint; ``signals`` are numbers by name, NaN where missing.
    """

    customer_id: str
    as_of: int
    known: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, int] = field(default_factory=dict)
    declined: Mapping[str, int] = field(default_factory=dict)
    complained: int | None = None
    shown: Sequence[Shown] = ()
    signals: Mapping[str, float] = field(default_factory=dict)
    cases_open: float = 0.0

    def since(self, span: int) -> list[Shown]:
        """Return what was shown within a span (microseconds) before the instant, or reserved."""
        return [each for each in self.shown if each.at >= self.as_of - span]


def situation_of(
    customer_id: str,
    as_of: int,
    interactions: Iterable[Interaction],
    attributes: Iterable[Attribute],
    roles: Roles,
) -> Situation:
    """Return what is known of a customer before an instant.

    Args:
        customer_id: who.
        as_of: microseconds since 1970 UTC; later interactions do no harm.
        interactions: theirs, in any order.
        attributes: theirs, in any order.
        roles: what kinds mean.
    """
    ordered = first_recorded(canonical_order(interactions))
    seen = [i for i in ordered if i.occurred_at < as_of and i.recorded_at < as_of]
    negative = [i.occurred_at for i in seen if i.kind in roles.negative]
    return Situation(
        customer_id,
        as_of,
        known=bool(seen),
        attributes=latest(attributes, as_of),
        accepted=_by_offer(seen, roles.offer_accepted),
        declined=_by_offer(seen, roles.offer_declined),
        complained=max(negative, default=None),
        shown=[Shown(i.occurred_at, i.offer_id or "") for i in seen if i.kind in roles.offer_shown],
    )


def latest(attributes: Iterable[Attribute], as_of: int) -> dict[str, str]:
    """Return the latest value of each attribute known; ties as the signals break them."""
    known = sorted(
        (a for a in attributes if max(a.known_at, a.since) < as_of),
        key=lambda a: (a.known_at, a.name, a.value),
    )
    return {a.name: a.value for a in known}


def _by_offer(seen: Iterable[Interaction], kinds: Sequence[str]) -> dict[str, int]:
    return {i.offer_id: i.occurred_at for i in seen if i.kind in kinds and i.offer_id is not None}
