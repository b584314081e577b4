"""Reasons: the effects of signals, grouped by meaning and put into words."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from features.declaration import DECAYED, LONGEST_WINDOW, Signal
from features.english import joined
from features.measures import MEASURES
from features.offers import Value
from features.plan import Plan, bare
from features.wording import Wording

PHRASES = 2
SILENCE = ("days_since_last", "gap_mean")
"""How long the silence is and what is usual: always told together."""
VAGUE = (*DECAYED, "reached", "gap_percentile", "gap_std")
"""What nobody says when there is something plainer: a fraction of a purchase, at least three."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A group of signals of one meaning, and what they do to the probability.

    ``effect`` is in probability points; ``signals`` are (name, value, effect), strongest first.
    """

    group: str
    effect: float
    text: str
    signals: list[tuple[str, Value, float]]


def reasons_of(
    plan: Plan,
    wording: Wording,
    values: list[Value],
    effects: npt.NDArray[np.float64],
    limit: int,
) -> tuple[list[Reason], float]:
    """Return the strongest reasons, and the sum of the effects that they leave out.

    Args:
        plan: the signals in order.
        wording: how the deployment calls things.
        values: one row of values, in the plan's order.
        effects: probability points of each signal, shape ``(n_signals,)``.
        limit: how many reasons.
    """
    total = {group: float(effects[members].sum()) for group, members in plan.groups.items()}
    strongest = sorted(total, key=lambda group: (-abs(total[group]), group))
    chosen = [group for group in strongest if total[group] != 0.0][:limit]
    reasons = []
    for group in chosen:
        members = sorted(plan.groups[group], key=lambda j: -abs(float(effects[j])))
        pulls = [float(effects[j]) * total[group] for j in members]
        told = _told(plan, group, members, pulls, values)
        told += _behind(plan, group, values)
        if all(_is_nothing(plan.signals[j], values[j]) for j in told):
            told = told[:1]  # nothing at all is said once
        phrases = [wording.say(plan.signals[j], values[j]) for j in told]
        reasons.append(
            Reason(
                group,
                total[group],
                joined(list(dict.fromkeys(phrases))),
                [
                    (plan.names[j], values[j], float(effects[j]))
                    for j in members
                    if effects[j] != 0.0
                ],
            )
        )
    return reasons, float(effects.sum()) - sum(total[group] for group in chosen)


def _told(
    plan: Plan, group: str, members: list[int], pulls: list[float], values: list[Value]
) -> list[int]:
    """Return the signals to put into words: the strongest of those that pull the group's way.

    The plain ones, when there are any; in the place of "at least so many", how many it were; and
    not twice the same value of one thing in two windows.
    """
    if group == "silence":
        measures = {plan.signals[j].measure: j for j in members}
        return [measures[measure] for measure in SILENCE if measure in measures]
    pulling = [j for j, pull in zip(members, pulls, strict=True) if pull > 0]
    counts: dict[Signal | None, int] = {
        plan.bare_signals[j]: j for j in members if plan.signals[j].measure == "count"
    }
    exact = [counts.get(_counted(plan.signals[j]), j) for j in pulling]
    plain = [j for j in exact if plan.signals[j].measure not in VAGUE]
    different: dict[tuple[Signal, Value], int] = {}
    for j in plain or exact:
        different.setdefault((_of_any_window(plan.signals[j]), values[j]), j)
    return list(different.values())[:PHRASES]


@cache
def _of_any_window(signal: Signal) -> Signal:
    return replace(bare(signal), window=1 if MEASURES[signal.measure].windowed else None)


def _behind(plan: Plan, group: str, values: list[Value]) -> list[int]:
    """Return, of trust, the broken promises behind it; complaints have a reason of their own."""
    if group != "trust":
        return []
    broken = [
        j
        for j, signal in enumerate(plan.signals)
        if signal.measure == "promises_broken" and values[j]
    ]
    return sorted(broken, key=lambda j: plan.signals[j].window or LONGEST_WINDOW)[-1:]


@cache
def _counted(signal: Signal) -> Signal | None:
    """Return, of a signal that says whether so many were reached, the one that counts them."""
    if signal.measure != "reached":
        return None
    return replace(bare(signal), measure="count", least=None)


def _is_nothing(signal: Signal, value: Value) -> bool:
    """Return whether a value says that there was nothing, rather than what there was."""
    missing = value is None or value != value
    return value == 0 or (missing and not signal.measure.endswith("attribute"))
