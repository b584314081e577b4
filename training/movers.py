"""Movers: the signals that move a model's probability, in words and pictures."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from markupsafe import Markup

from features.meaning import unit_of
from features.wording import Wording
from training import dots, svg
from training.pipeline import Trained
from training.telling import further_of, title_of

N_GROUPS, N_MOVERS, N_DEPENDENCES = 10, 12, 8


@dataclass(frozen=True, slots=True)
class Mover:
    """A signal that moves the probability.

    ``further`` is what its title does not say; ``strength`` is its mean absolute effect, in
    probability points; ``strip`` shows the effects of all rows, ``dependence`` those of the
    strongest signals over their values.
    """

    name: str
    title: str
    further: str
    why: str
    strength: float
    strip: Markup
    dependence: Markup | None


def groups_of(trained: Trained) -> list[tuple[str, float, float]]:
    """Return the groups of meaning, strongest first: name, mean absolute effect, share of the
    strongest one's.

    Effects of one row's signals of a group are added before their size is taken.
    """
    members, effects = trained.bundle.plan.groups, trained.explained.effects
    strength = {g: float(np.abs(effects[:, js].sum(axis=1)).mean()) for g, js in members.items()}
    strongest = sorted(strength, key=lambda group: (-strength[group], group))[:N_GROUPS]
    most = strength[strongest[0]] or 1.0
    return [(group, strength[group], strength[group] / most) for group in strongest]


def scale_of(trained: Trained) -> float:
    """Return the percentage points at the ends of the strips."""
    widest = float(np.percentile(np.abs(trained.explained.effects).max(axis=1), 99))
    return max(0.1, 100 * widest)


def movers_of(trained: Trained, wording: Wording) -> list[Mover]:
    """Return the signals with the greatest mean absolute effect, strongest first."""
    plan, effects = trained.bundle.plan, trained.explained.effects
    strength, limit = np.abs(effects).mean(axis=0), scale_of(trained)
    strongest = [int(j) for j in np.argsort(-strength, kind="stable")[:N_MOVERS] if strength[j] > 0]
    found = []
    for place, j in enumerate(strongest):
        signal, column, effect = plan.signals[j], trained.shown[:, j], effects[:, j]
        texts = trained.bundle.vocabularies.get(signal.name)
        title = title_of(signal, wording)
        last = place == len(strongest) - 1
        strip = svg.drawn(
            f"strip {place}",
            partial(dots.strip_plot, effect, column, texts is None, limit, last),
            f"Effects of {title} on {len(effect):,} rows: {_range(effect)}.",
        )
        dependence = None
        if place < N_DEPENDENCES:
            unit = unit_of(signal, wording.currency)
            dependence = svg.drawn(
                f"dependence {place}",
                partial(dots.dependence_plot, effect, column, texts, unit),
                f"Effect on the probability over the value of: {title}; {_range(effect)}.",
            )
        found.append(
            Mover(
                signal.name,
                title,
                further_of(signal, wording),
                signal.why,
                float(strength[j]),
                strip,
                dependence,
            )
        )
    return found


def _range(effect: dots.Float64) -> str:
    low, high = 100 * np.percentile(effect, [5, 95])
    return f"nine of ten between {low:+.1f} and {high:+.1f} percentage points"
