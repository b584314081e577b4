"""Made-up lives of customers, and what the engine measures on each of their days."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import clock
from features.batch import Spine, compute
from features.declaration import Signal
from features.history import History, attributes_table, interactions_table
from features.interactions import Attribute, Interaction
from features.plan import compile_plan

BEGIN = 19_000 * clock.DAY
MONTH, YEAR = 30, 365
KINDS = {"value": ("purchase",), "negative": ("complaint",), "offer_accepted": ("offer_accepted",)}


@dataclass(frozen=True, slots=True)
class Life:
    """What happened, and what they told of themselves."""

    happened: tuple[Interaction, ...]
    told: tuple[Attribute, ...] = ()


def event(
    day: float,
    kind: str,
    *,
    channel: str | None = None,
    topic: str | None = None,
    case_id: str | None = None,
    resolved: bool | None = None,
    due: float | None = None,
) -> Interaction:
    """Return what happened on a day; ``due`` is the day that was promised."""
    at = _instant(day)
    return Interaction(
        "c",
        at,
        at,
        kind,
        channel=channel,
        topic=topic,
        case_id=case_id,
        resolved=resolved,
        due_at=None if due is None else _instant(due),
    )


def told(day: float, name: str) -> Attribute:
    """Return what a customer told of themselves on a day."""
    return Attribute("c", _instant(day), name, "yes")


def promise(day: float, kept: bool = True) -> tuple[Interaction, ...]:
    """Return a promise of an answer within a week, which comes the next day or never."""
    case = f"case-{day:g}"
    made = event(day, "enquiry", case_id=case, due=day + 7)
    return (made, event(day + 1, "answer", case_id=case, resolved=True)) if kept else (made,)


def measured(signal: Signal, life: Life, n_days: int) -> npt.NDArray[np.float64]:
    """Return a signal at the end of each day, shape ``(n_days + 1,)``."""
    history = History(
        interactions_table(life.happened),
        attributes_table(life.told),
        {},
        _instant(n_days + 1),
    )
    as_of = np.array([_instant(day) for day in range(n_days + 1)], dtype=np.int64)
    spine = Spine(pa.array(["c"] * len(as_of), pa.string()), as_of)
    found: npt.NDArray[np.float64] = compute(compile_plan([signal], KINDS), history, spine).matrix
    return found[:, 0]


def _instant(day: float) -> int:
    return BEGIN + round(day * clock.DAY)
