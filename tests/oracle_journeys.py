"""The oracle of cases, promises and stages: one list of interactions per case."""

import math

from features.declaration import Signal
from features.interactions import Interaction

DAY = 24 * 3600 * 1_000_000
MEASURES = (
    "case_contacts",
    "case_contacts_most",
    "handovers",
    "handovers_most",
    "cases_open",
    "oldest_open_case",
    "cases_reopened",
    "unresolved_share",
    "resolution_mean",
    "resolution_longest",
    "promises_kept",
    "promises_broken",
    "promise_erosion",
)


def measure(signal: Signal, chosen: list[Interaction], as_of: int) -> float:
    """Return a measure of cases or promises."""
    if signal.measure.startswith("promise"):
        return _promises(signal, chosen, as_of)
    cases: dict[str, list[Interaction]] = {}
    for item in chosen:
        if item.case_id is not None:
            cases.setdefault(item.case_id, []).append(item)
    journeys = list(cases.values())
    contacts = [len(journey) for journey in journeys]
    handovers = [_handovers(journey) for journey in journeys]
    unresolved = [journey for journey in journeys if _said(journey)[-1:] != [True]]
    took = [days for days in map(_resolution, journeys) if days is not None]
    total = 0.0
    for days in took:
        total = total + days
    nothing = math.nan
    found = {
        "case_contacts": float(sum(contacts)) / float(len(cases)) if cases else nothing,
        "case_contacts_most": float(max(contacts, default=0)),
        "handovers": float(sum(handovers)),
        "handovers_most": float(max(handovers, default=0)),
        "cases_open": float(len(unresolved)),
        "oldest_open_case": max(
            (float(as_of - journey[0].occurred_at) / float(DAY) for journey in unresolved),
            default=nothing,
        ),
        "cases_reopened": float(sum(_reopened(journey) for journey in journeys)),
        "unresolved_share": float(len(unresolved)) / float(len(cases)) if cases else nothing,
        "resolution_mean": total / float(len(took)) if took else nothing,
        "resolution_longest": max(took, default=nothing),
    }
    return found[signal.measure]


def _handovers(journey: list[Interaction]) -> int:
    channels = [item.channel for item in journey if item.channel is not None]
    return sum(channels[k] != channels[k - 1] for k in range(1, len(channels)))


def _said(journey: list[Interaction]) -> list[bool]:
    return [item.resolved for item in journey if item.resolved is not None]


def _reopened(journey: list[Interaction]) -> int:
    said = _said(journey)
    return sum(said[k - 1] and not said[k] for k in range(1, len(said)))


def _resolution(journey: list[Interaction]) -> float | None:
    for item in journey:
        if item.resolved:
            return float(item.occurred_at - journey[0].occurred_at) / float(DAY)
    return None


def _promises(signal: Signal, chosen: list[Interaction], as_of: int) -> float:
    kept, broken = 0, []
    for k, item in enumerate(chosen):
        if item.due_at is None:
            continue
        resolutions = [
            other.occurred_at
            for other in chosen[k:]
            if other.resolved
            and (other is item or (item.case_id is not None and other.case_id == item.case_id))
        ]
        if any(instant <= item.due_at for instant in resolutions):
            kept += 1
        elif item.due_at < as_of:
            broken.append(item)
    if signal.measure == "promises_kept":
        return float(kept)
    if signal.measure == "promises_broken":
        return float(len(broken))
    left = 1.0
    for item in broken:
        age = float(as_of - (item.due_at or 0)) / float((signal.half_life or 0) * DAY)
        left = left * (1.0 - 0.5 * math.exp(-age * math.log(2.0)))
    return left


def stage(
    first: float,
    last: float,
    silence: float,
    trend: float,
    recommended: float,
    known: float,
    trusted: float,
    exchanged: float,
) -> str | None:
    """Return the stage of engagement."""
    if math.isnan(first):
        return None
    gaps = last / 30.0 if math.isnan(silence) else silence
    rules = {
        "lapsed": gaps >= 6.0 and last >= 60.0,
        "new": first < 90.0,
        "fading": gaps >= 3.0 or trend <= -0.5 or trusted < 0.3,
        "advocate": recommended > 0.0 and trusted >= 0.5,
        "committed": exchanged >= 0.5 and (known >= 0.5 or trusted >= 0.5),
        "regular": exchanged >= 0.25,
    }
    return next((name for name, holds in rules.items() if holds), "casual")
