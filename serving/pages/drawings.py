"""Drawings: the effects of reasons as bars that add up, and a year as a line, for inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.offers import Value
from training.reasons import Reason

WIDE, HIGH = 100.0, 28.0
"""The size of a line's drawing, in its own units; a bar's is as wide."""
EDGE = 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of the way from the baseline to the probability.

    ``tenths`` is the effect in tenths of a percentage point, rounded; ``start`` and ``width`` say
    where the bar lies, of a hundred.
    """

    text: str
    group: str
    tenths: int
    start: float
    width: float

    @property
    def direction(self) -> str:
        """Whether it pulls the risk ``up`` or ``down``, or does ``nothing``."""
        return {1: "up", -1: "down"}.get((self.tenths > 0) - (self.tenths < 0), "nothing")


def bars_of(
    reasons: Sequence[Reason], other: float, baseline: float, probability: float
) -> list[Bar]:
    """Return the steps from a baseline to a probability; what is shown adds up to what is shown.

    Args:
        reasons: the strongest first.
        other: the effect of all else; what rounding leaves is told with it.
        baseline: where the effects start.
        probability: where they end.
    """
    effects = [(r.text, r.group, r.effect) for r in reasons]
    shown = [round(1000 * effect) for _, _, effect in effects]
    rest = round(1000 * probability) - round(1000 * baseline) - sum(shown)
    if rest or abs(other) >= 0.0005:
        effects.append(("All else", "", probability - baseline - sum(e for *_, e in effects)))
        shown.append(rest)
    at = [baseline]
    for *_, effect in effects:
        at.append(at[-1] + effect)
    low, high = min(at), max(at)
    scale = WIDE / ((high - low) or 1.0)
    return [
        Bar(text, group, tenths, scale * (min(a, b) - low), scale * abs(b - a))
        for (text, group, _), tenths, a, b in zip(effects, shown, at[:-1], at[1:], strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A year of a share from 0 to 1: the points of a polyline, where it ends, and words for it."""

    points: str
    end: tuple[float, float]
    first: float
    last: float

    @property
    def moved(self) -> str:
        """How it moved, in words."""
        tenths = round(100 * self.last) - round(100 * self.first)
        if not tenths:
            return f"as at first ({self.first:.0%})"
        return f"{'up' if tenths > 0 else 'down'} from {self.first:.0%}"


def line_of(values: Sequence[Value], least: int = 2) -> Line | None:
    """Return the line of some values at even distances, ``None`` of fewer than the least."""
    known = [(i, float(v)) for i, v in enumerate(values) if isinstance(v, float | int)]
    if len(known) < least:
        return None
    step = (WIDE - 2 * EDGE) / (len(values) - 1)
    places = [(EDGE + i * step, HIGH - EDGE - (HIGH - 2 * EDGE) * v) for i, v in known]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Line(points, places[-1], known[0][1], known[-1][1])


@dataclass(frozen=True, slots=True)
class Stretch:
    """Instants in a row with one value: which, from where to where of a hundred, and since when."""

    name: str
    start: float
    width: float
    since: int


def stretches_of(values: Sequence[Value], instants: Sequence[int]) -> list[Stretch]:
    """Return the stretches of a category over some instants, the oldest first.

    >>> [(s.name, s.start, s.width) for s in stretches_of(["new", "new", None, "casual"], [1] * 4)]
    [('new', 0.0, 50.0), ('casual', 75.0, 25.0)]
    """
    found: list[Stretch] = []
    step = WIDE / max(1, len(values))
    for place, (value, instant) in enumerate(zip(values, instants, strict=True)):
        start = step * place
        before = found[-1] if found else None
        if before and before.name == value and before.start + before.width >= start - step / 2:
            found[-1] = Stretch(before.name, before.start, before.width + step, before.since)
        elif value is not None:
            found.append(Stretch(str(value), start, step, instant))
    return found
