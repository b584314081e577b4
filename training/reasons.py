"""Reasons: the effects of signals, grouped by meaning and put into words."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.categories import Categories
from features.english import joined
from features.offers import Value
from features.values import SignalValues
from features.wording import Wording
from training.meanings import NONE, Chosen, Meanings

Float64 = npt.NDArray[np.float64]
Say = Callable[[int, float], str]


@dataclass(frozen=True, slots=True)
class Reason:
    """A group of signals of one meaning, and what they do to the probability.

    ``effect`` is in probability points; ``signals`` are (name, value, effect), strongest first.
    """

    group: str
    effect: float
    text: str
    signals: list[tuple[str, Value, float]]


@dataclass(frozen=True, slots=True)
class Told:
    """The reasons of many rows; nothing where there are no more.

    ``texts`` and ``signals``, the name of the strongest behind each, are lists of the first
    reasons, of the second, and so on; ``effects`` are ``(n, limit)``.
    """

    texts: list[list[str | None]]
    effects: Float64
    signals: list[list[str | None]]


def reasons_of(
    meanings: Meanings, wording: Wording, values: SignalValues, effects: Float64, limit: int
) -> list[tuple[list[Reason], float]]:
    """Return of each row the strongest reasons, and the sum of the effects that they leave out.

    Args:
        meanings: those of the plan of the signals.
        wording: how the deployment calls things.
        values: rows of the plan's signals.
        effects: probability points of each signal, shape ``(n, n_signals)``.
        limit: how many reasons.
    """
    chosen = meanings.chosen(values.matrix, effects, limit)
    say = sayer(meanings, wording, values.categories)
    said = _said(values, chosen)
    found = []
    for i in range(len(effects)):
        total = chosen.effect[i].tolist()
        groups = [g for g in chosen.group[i].tolist() if g != NONE]
        reasons = [
            Reason(
                meanings.groups[g],
                total[k],
                _text(say, chosen.told[i, k].tolist(), said[i, k].tolist()),
                _signals(meanings, values, effects[i], chosen, i, k),
            )
            for k, g in enumerate(groups)
        ]
        found.append((reasons, float(effects[i].sum()) - sum(total[: len(groups)])))
    return found


def told(meanings: Meanings, say: Say, values: SignalValues, effects: Float64, limit: int) -> Told:
    """Return the reasons that ``reasons_of`` returns, as columns.

    Args:
        meanings: those of the plan of the signals.
        say: what puts values into words.
        values: rows of the plan's signals.
        effects: probability points of each signal, shape ``(n, n_signals)``.
        limit: how many reasons.
    """
    chosen = meanings.chosen(values.matrix, effects, limit)
    there, said = chosen.group != NONE, _said(values, chosen)
    names = [*meanings.plan.names, None]  # the last is that of none
    texts: list[list[str | None]] = []
    for k in range(there.shape[1]):
        columns = (there[:, k].tolist(), chosen.told[:, k].tolist(), said[:, k].tolist())
        each = zip(*columns, strict=True)
        texts.append([_text(say, signals, own) if some else None for some, signals, own in each])
    return Told(
        texts,
        np.where(there, chosen.effect, np.nan),
        [[names[j] for j in chosen.strongest[:, k, 0].tolist()] for k in range(there.shape[1])],
    )


def sayer(meanings: Meanings, wording: Wording, categories: Categories) -> Say:
    """Return what puts a signal, by its place, and a value of it into words."""
    plan, decode = meanings.plan, categories.decode

    def say(j: int, value: float) -> str:
        return wording.say(plan.signals[j], decode(value) if plan.categories[j] else value)

    return say


def _said(values: SignalValues, chosen: Chosen) -> Float64:
    """Return the values of the signals that are told; of none, anything."""
    found: Float64 = values.matrix[np.arange(len(values))[:, None, None], chosen.told]
    return found


def _text(say: Say, signals: list[int], values: list[float]) -> str:
    phrases = [say(j, value) for j, value in zip(signals, values, strict=True) if j != NONE]
    # What another phrase says and goes on from is not said beside it.
    return joined([p for p in dict.fromkeys(phrases) if not _goes_on(p, phrases)])


def _goes_on(phrase: str, phrases: list[str]) -> bool:
    return any(other.startswith(f"{phrase} ") for other in phrases)


def _signals(
    meanings: Meanings, values: SignalValues, effects: Float64, chosen: Chosen, i: int, k: int
) -> list[tuple[str, Value, float]]:
    plan, row = meanings.plan, values.matrix[i]
    found: list[tuple[str, Value, float]] = []
    for j in chosen.strongest[i, k].tolist():
        if j == NONE or effects[j] == 0.0:
            break  # they come strongest first
        value = float(row[j])
        shown = values.categories.decode(value) if plan.categories[j] else value
        found.append((plan.names[j], shown, float(effects[j])))
    return found
