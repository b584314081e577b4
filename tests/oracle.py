"""The oracle: every signal by the plainest loop that could be right. No numpy, no sharing.

It says what a signal's value is; engines are held to its bits. It is written from the
declarations' docstrings, not from the kernel.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from features.categories import as_category, as_number
from features.declaration import Signal
from features.interactions import Attribute, Interaction, number
from features.offers import Offer, Value
from features.plan import KindsOfRole
from tests import oracle_habits, oracle_journeys

DAY = 24 * 3600 * 1_000_000
NAN = math.nan


def values(
    signals: Sequence[Signal],
    roles: KindsOfRole,
    history: Iterable[Interaction],
    as_of: int,
    attributes: Iterable[Attribute] = (),
    offer: Offer | None = None,
    timezone: str = "UTC",
) -> list[Value]:
    """Return the signals of one customer at one instant."""
    ordered = sorted(_once([_without_nan(item) for item in history]), key=_order)
    known = [i for i in ordered if i.occurred_at < as_of and i.recorded_at < as_of]
    customer = Customer(roles, known, as_of, list(attributes), offer, timezone)
    return [customer.value(signal) for signal in signals]


class Customer:
    """What is known of one customer at one instant, in canonical order."""

    def __init__(
        self,
        roles: KindsOfRole,
        known: list[Interaction],
        as_of: int,
        attributes: list[Attribute],
        offer: Offer | None,
        timezone: str,
    ) -> None:
        self.roles, self.known, self.as_of = roles, known, as_of
        self.attributes, self.offer, self.timezone = attributes, offer, timezone

    def value(self, signal: Signal) -> Value:
        """Return the value of a signal."""
        if signal.measure == "attribute":
            return self._attribute(signal)
        if signal.measure == "offer_attribute":
            value = self.offer.attribute(signal.column or "") if self.offer else None
            return _fact(signal, value)
        if signal.measure == "calendar":
            return oracle_habits.part(signal.column or "", self.as_of, self.timezone)
        if signal.parts:
            return self._combined(signal)
        if signal.same and self.offer is None:
            return NAN
        if signal.measure in ("trend", "trend_long_run"):
            return _trend(signal, self.chosen(signal, windowed=False), self.as_of)
        chosen = self.chosen(signal)
        if signal.measure in ("count_since", "count_after"):
            others = [i for i in self.known if i.kind in self.roles.get(signal.than or "", ())]
            return _compared(signal, chosen, others, self.known)
        if signal.measure in oracle_habits.MEASURES:
            return oracle_habits.measure(signal, chosen, self.as_of, self.timezone)
        if signal.measure in oracle_journeys.MEASURES:
            return oracle_journeys.measure(signal, chosen, self.as_of)
        return _measure(signal, chosen, self.as_of)

    def chosen(self, signal: Signal, windowed: bool = True) -> list[Interaction]:
        """Return the interactions that a signal measures."""
        return [i for i in self.known if self._takes(signal, i, windowed)]

    def _takes(self, signal: Signal, item: Interaction, windowed: bool) -> bool:
        begin = self.as_of - (signal.window or 0) * DAY
        if windowed and signal.window is not None and item.occurred_at < begin:
            return False
        if signal.role is not None and item.kind not in self.roles.get(signal.role, ()):
            return False
        for name in ("kind", "channel", "topic"):
            if getattr(signal, name) not in (None, getattr(item, name)):
                return False
        if signal.where is not None and not _holds(item, *signal.where):
            return False
        if signal.same == "topic":
            return item.topic is not None and item.topic in (self.offer or Offer("")).topics
        if signal.same == "offer":
            return self.offer is not None and item.offer_id == self.offer.offer_id
        return True

    def _attribute(self, signal: Signal) -> Value:
        of_name = [a for a in self.attributes if a.name == signal.column]
        known = [a for a in of_name if a.known_at < self.as_of and a.since < self.as_of]
        if not known:
            return _fact(signal, None)
        return _fact(signal, max(known, key=lambda a: (a.known_at, a.value)).value)

    def _combined(self, signal: Signal) -> Value:
        parts = [self.value(part) for part in signal.parts]
        there = [p for p in parts if p is not None and p == p]
        if signal.measure == "known":
            return float(len(there))
        x = [float(p) if isinstance(p, float) else NAN for p in parts]
        if signal.measure == "ratio":
            towards, weight = signal.prior or (0.0, 0.0)
            return _part_of(x[0] + towards * weight, x[1] + weight)
        if signal.measure == "saturation":
            total = 0.0
            for one in x:
                total = total + one
            return _part_of(total, total + float(signal.half or 0))
        if signal.measure == "trust":
            kept = math.exp(-(x[0] / 5.0) * math.log(2.0))
            return (1.0 - 0.5 * kept) * x[1] * x[2]
        if signal.measure == "exchange":
            received = 0.0
            for one in x[1:]:
                received = received + one
            return (_part_of(x[0], x[0] + 4.0) + _part_of(received, received + 1.0)) / 2.0
        return oracle_journeys.stage(*x)


def _part_of(some: float, whole: float) -> float:
    return some / whole if whole != 0.0 else NAN


def _fact(signal: Signal, value: Value) -> Value:
    if value is None:
        return NAN if signal.number else None
    return as_number(value) if signal.number else as_category(value)


def _holds(item: Interaction, column: str, comparison: str, bound: float) -> bool:
    value = number(item, column)
    if value is None:
        return False
    holds = {
        "<": value < bound,
        "<=": value <= bound,
        ">": value > bound,
        ">=": value >= bound,
        "==": value == bound,
        "!=": value != bound,
    }
    return holds[comparison]


def _compared(
    signal: Signal,
    chosen: list[Interaction],
    others: list[Interaction],
    known: list[Interaction],
) -> float:
    """Of places in canonical order: an interaction may be one of the others itself."""
    place = {id(item): k for k, item in enumerate(known)}
    if signal.measure == "count_since":
        last = max((place[id(o)] for o in others), default=-1)
        return float(len([i for i in chosen if place[id(i)] > last]))
    within = (signal.within or 0) * DAY
    found = [
        i
        for i in chosen
        if any(
            place[id(o)] < place[id(i)] and i.occurred_at - o.occurred_at <= within for o in others
        )
    ]
    return float(len(found))


def _measure(signal: Signal, chosen: list[Interaction], as_of: int) -> float:
    if signal.measure == "count":
        return float(len(chosen))
    if signal.measure == "reached":
        return 1.0 if len(chosen) >= (signal.least or 0) else 0.0
    if signal.measure == "erosion":
        left = 1.0
        for item in chosen:
            age = float(as_of - item.occurred_at) / float((signal.half_life or 0) * DAY)
            left = left * (1.0 - 0.5 * math.exp(-age * math.log(2.0)))
        return left
    if signal.measure == "sum":
        total = 0.0
        for item in chosen:
            value = number(item, signal.column or "")
            if value is not None:
                total = total + value
        return total
    if signal.measure in ("mean", "minimum", "maximum", "last"):
        found = [v for v in (number(i, signal.column or "") for i in chosen) if v is not None]
        return _of(signal.measure, [v + 0.0 for v in found])
    if signal.measure in ("decayed_count", "decayed_sum"):
        return _decayed(signal, chosen, as_of)
    if not chosen:
        return NAN
    first, last = chosen[0].occurred_at, chosen[-1].occurred_at
    silence = float(as_of - last) / float(DAY)
    if signal.measure == "days_since_last":
        return silence
    if signal.measure == "days_since_first":
        return float(as_of - first) / float(DAY)
    if len(chosen) == 1:
        return NAN
    if signal.measure in ("gap_std", "gap_longest", "gap_percentile"):
        return _gaps(signal.measure, [item.occurred_at for item in chosen], as_of)
    gap = float(last - first) / float(len(chosen) - 1) / float(DAY)
    if signal.measure == "gap_mean":
        return gap
    return silence / gap if gap > 0 else NAN


def _of(measure: str, found: list[float]) -> float:
    if not found:
        return NAN
    if measure == "mean":
        total = found[0]
        for value in found[1:]:
            total = total + value
        return total / float(len(found))
    return {"minimum": min(found), "maximum": max(found), "last": found[-1]}[measure]


def _decayed(signal: Signal, chosen: list[Interaction], as_of: int) -> float:
    total = 0.0
    for item in chosen:
        half_lives = float(as_of - item.occurred_at) / float((signal.half_life or 0) * DAY)
        weight = math.exp(-half_lives * math.log(2.0))
        value = number(item, signal.column) if signal.column else 1.0
        if value is not None:
            total = total + value * weight
    return total


def _gaps(measure: str, occurred: list[int], as_of: int) -> float:
    gaps = [later - earlier for earlier, later in itertools.pairwise(occurred)]
    if measure == "gap_longest":
        return float(max(gaps)) / float(DAY)
    if measure == "gap_percentile":
        shorter = [gap for gap in gaps if gap < as_of - occurred[-1]]
        return float(len(shorter)) / float(len(gaps))
    if len(gaps) == 1:
        return NAN
    mean = float(occurred[-1] - occurred[0]) / float(len(gaps)) / float(DAY)
    spread = 0.0
    for gap in gaps:
        deviation = float(gap) / float(DAY) - mean
        spread = spread + deviation * deviation
    return math.sqrt(spread / float(len(gaps)))


def _trend(signal: Signal, chosen: list[Interaction], as_of: int) -> float:
    """Of all interactions before ``as_of``, whatever the window."""
    window = (signal.window or 0) * DAY
    now = [i for i in chosen if i.occurred_at >= as_of - window]
    if signal.measure == "trend":
        older = [i for i in chosen if as_of - 2 * window <= i.occurred_at < as_of - window]
        return _contrast(float(len(now)), float(len(older)))
    if not chosen or as_of - chosen[0].occurred_at < window:
        return NAN
    known = float(as_of - chosen[0].occurred_at) / float(DAY)
    return _contrast(float(len(now)) / float(signal.window or 0), float(len(chosen)) / known)


def _contrast(now: float, before: float) -> float:
    return (now - before) / (now + before) if now + before > 0 else NAN


def _without_nan(item: Interaction) -> Interaction:
    """What is no number is missing."""
    return replace(
        item,
        amount=None if item.amount != item.amount else item.amount,
        wait_minutes=None if item.wait_minutes != item.wait_minutes else item.wait_minutes,
        rating=None if item.rating != item.rating else item.rating,
        numbers={name: value for name, value in item.numbers.items() if value == value},
    )


def _once(history: list[Interaction]) -> list[Interaction]:
    """Of interactions with one source and id, the first recorded counts."""
    kept: list[Interaction] = []
    for item in history:
        if item.interaction_id is not None:
            same = [
                other
                for other in history
                if (other.source, other.interaction_id) == (item.source, item.interaction_id)
            ]
            first = min(same, key=lambda other: (other.recorded_at, _order(other)))
            if any(first == k for k in kept if k.interaction_id is not None) or first != item:
                continue
        kept.append(item)
    return kept


def _order(item: Interaction) -> list[tuple[int, object]]:
    fields: list[object] = [
        item.occurred_at,
        item.recorded_at,
        item.interaction_id,
        item.source,
        item.kind,
        item.channel,
        item.topic,
        item.case_id,
        item.offer_id,
        item.amount,
        item.wait_minutes,
        item.rating,
        item.resolved,
        item.due_at,
        *(item.numbers.get(name) for name in ("points", "stars")),
    ]
    return [(0, 0) if value is None else (1, value) for value in fields]
