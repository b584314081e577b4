"""The situation: what rules of contact ask of a customer at an instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from features.interactions import Attribute, Interaction
from features.sections import Roles
from features.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Shown:
    """An offer that was shown, or that a decision reserved a place for, and when."""

    at: int
    offer_id: str


@dataclass(frozen=True, slots=True)
class Situation:
    """A customer at an instant: what was known before it.

    ``accepted`` and ``declined`` hold the latest instant of each offer, ``complained`` the latest
    of any complaint; ``signals`` are numbers by name, NaN where missing; ``taken`` says how often
    anybody has accepted each offer of which there are only so many.
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
    taken: Mapping[str, int] = field(default_factory=dict)

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
    timeline = Timeline.of(interactions)
    columns = (timeline.column(name) for name in ("occurred_at", "recorded_at", "kind", "offer_id"))
    seen = [
        (occurred, kind, offer)
        for occurred, recorded, kind, offer in zip(*columns, strict=True)
        if occurred < as_of and recorded < as_of
    ]
    negative, shown = frozenset(roles.negative), frozenset(roles.offer_shown)
    return Situation(
        customer_id,
        as_of,
        known=bool(seen),
        attributes=latest(attributes, as_of),
        accepted=_by_offer(seen, roles.offer_accepted),
        declined=_by_offer(seen, roles.offer_declined),
        complained=max((at for at, kind, _ in seen if kind in negative), default=None),
        shown=[Shown(at, offer or "") for at, kind, offer in seen if kind in shown],
    )


def latest(attributes: Iterable[Attribute], as_of: int) -> dict[str, str]:
    """Return the latest value of each attribute known; ties as the signals break them."""
    known = sorted(
        (a for a in attributes if max(a.known_at, a.since) < as_of),
        key=lambda a: (a.known_at, a.name, a.value),
    )
    return {a.name: a.value for a in known}


def _by_offer(seen: Iterable[tuple[int, str, str | None]], kinds: Sequence[str]) -> dict[str, int]:
    return {offer: at for at, kind, offer in seen if kind in kinds and offer is not None}
