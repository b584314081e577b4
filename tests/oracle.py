"""The oracle: every signal by the plainest loop that could be right. No numpy, no sharing.

It says what a signal's value is; engines are held to its bits. It is written from the
declarations' docstrings, not from the kernel.
"""

import itertools
import math
from collections.abc import Iterable, Sequence

from features.declaration import OF_COLUMN, Signal
from features.interactions import Attribute, Interaction, number
from features.offers import Offer, Value
from features.plan import KindsOfRole, as_category, as_number

DAY = 24 * 3600 * 1_000_000
NAN = math.nan


def values(
    signals: Sequence[Signal],
    roles: KindsOfRole,
    history: Iterable[Interaction],
    as_of: int,
    attributes: Iterable[Attribute] = (),
    offer: Offer | None = None,
) -> list[Value]:
    """Return the signals of one customer at one instant."""
    history, attributes = list(history), list(attributes)
    numbers = sorted({s.column for s in signals if s.measure in OF_COLUMN and s.column})
    return [_value(s, roles, history, as_of, attributes, offer, numbers) for s in signals]


def _value(
    signal: Signal,
    roles: KindsOfRole,
    history: list[Interaction],
    as_of: int,
    attributes: list[Attribute],
    offer: Offer | None,
    numbers: list[str],
) -> Value:
    if signal.measure == "attribute":
        known = [a for a in attributes if a.name == signal.column and a.known_at < as_of]
        if not known:
            return NAN if signal.number else None
        latest = max(known, key=lambda a: (a.known_at, a.value)).value
        return as_number(latest) if signal.number else as_category(latest)
    if signal.measure == "offer_attribute":
        value = offer.attribute(signal.column or "") if offer else None
        if value is None:
            return NAN if signal.number else None
        return as_number(value) if signal.number else as_category(value)
    if signal.same and offer is None:
        return NAN
    chosen = []
    for item in sorted(_once(history, numbers), key=lambda item: _order(item, numbers)):
        if item.occurred_at >= as_of or item.recorded_at >= as_of:
            continue
        trend = signal.measure in ("trend", "trend_long_run")
        beyond = item.occurred_at < as_of - (signal.window or 0) * DAY
        if signal.window is not None and beyond and not trend:
            continue
        if signal.role is not None and item.kind not in roles.get(signal.role, ()):
            continue
        if signal.same and (item.topic is None or offer is None or item.topic not in offer.topics):
            continue
        chosen.append(item)
    return _measure(signal, chosen, as_of)


def _measure(signal: Signal, chosen: list[Interaction], as_of: int) -> float:
    if signal.measure in ("trend", "trend_long_run"):
        return _trend(signal, chosen, as_of)
    if signal.measure == "count":
        return float(len(chosen))
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


def _once(history: list[Interaction], numbers: list[str]) -> list[Interaction]:
    """Of interactions with one source and id, the first recorded counts."""
    kept: list[Interaction] = []
    for item in history:
        if item.interaction_id is not None:
            same = [
                other
                for other in history
                if (other.source, other.interaction_id) == (item.source, item.interaction_id)
            ]
            first = min(same, key=lambda other: (other.recorded_at, _order(other, numbers)))
            if any(first == k for k in kept if k.interaction_id is not None) or first != item:
                continue
        kept.append(item)
    return kept


def _order(item: Interaction, numbers: list[str]) -> list[tuple[int, object]]:
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
    ]
    further = [name for name in numbers if name not in ("amount", "wait_minutes", "rating")]
    fields += [item.numbers.get(name) for name in further]
    return [(0, 0) if value is None else (1, value) for value in fields]
