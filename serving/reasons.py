"""Reasons: the effects of signals, grouped by meaning and put into words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.declaration import DECAYED
from features.groups import group_of
from features.offers import Value
from features.english import joined
from features.plan import Plan
from features.wording import Wording

PHRASES = 2
SILENCE = ("days_since_last", "gap_mean")
"""How long the silence is and what is usual: always told together."""


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
    groups: dict[str, list[int]] = {}
    for j, signal in enumerate(plan.signals):
        groups.setdefault(group_of(signal), []).append(j)
    total = {group: float(effects[members].sum()) for group, members in groups.items()}
    strongest = sorted(total, key=lambda group: (-abs(total[group]), group))
    chosen = [group for group in strongest if total[group] != 0.0][:limit]
    reasons = []
    for group in chosen:
        members = sorted(groups[group], key=lambda j: -abs(float(effects[j])))
        pulls = [float(effects[j]) * total[group] for j in members]
        told = _told(plan, group, members, pulls)
        if all(values[j] == 0 for j in told):
            told = told[:1]  # nothing at all is said once
        phrases = [wording.say(plan.signals[j], values[j]) for j in told]
        reasons.append(
            Reason(
                group,
                total[group],
                joined(list(dict.fromkeys(phrases))),
                [
                    (plan.signals[j].name, values[j], float(effects[j]))
                    for j in members
                    if effects[j] != 0.0
                ],
            )
        )
    return reasons, float(effects.sum()) - sum(total[group] for group in chosen)


def _told(plan: Plan, group: str, members: list[int], pulls: list[float]) -> list[int]:
    """Return the signals to put into words: the strongest of those that pull the group's way.

    A decayed count is a fraction of a purchase, which nobody says, when a plain one is there.
    """
    if group == "silence":
        measures = {plan.signals[j].measure: j for j in members}
        return [measures[measure] for measure in SILENCE if measure in measures]
    pulling = [j for j, pull in zip(members, pulls, strict=True) if pull > 0]
    plain = [j for j in pulling if plan.signals[j].measure not in DECAYED]
    return (plain or pulling)[:PHRASES]
