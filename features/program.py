"""The program: a plan as the arrays that the kernel runs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from features import arrays, clock
from features.declaration import OF_COLUMN, Comparison, Signal
from features.measures import CALENDAR, CODE_COLUMNS, CODES, COMPARISONS, OF_CASES

if TYPE_CHECKING:
    from features.plan import Plan

Filter = tuple[str | None, str | None, str | None, str | None, Comparison | None, bool]
FACTS = ("attribute", "offer_attribute", "calendar")
"""Measures of what is not an interaction."""


def filter_of(signal: Signal) -> Filter:
    """Return which interactions a signal looks at: those it takes, and of cases none without."""
    cased = signal.measure in OF_CASES
    return (signal.role, signal.kind, signal.channel, signal.topic, signal.where, cased)


def in_kernel_order(signals: list[Signal]) -> tuple[Signal, ...]:
    """Order distinct signals so that those of one filter and window, and of one fold, are together.

    Combined signals come last, in the order given: parts before the whole.
    """
    plain = [signal for signal in signals if not signal.parts]
    filters = list(dict.fromkeys(filter_of(signal) for signal in plain))
    plain.sort(
        key=lambda s: (
            filters.index(filter_of(s)),
            s.same or "",
            s.window or 0,
            s.column or "",
            CODES[s.measure],
        )
    )
    return (*plain, *(signal for signal in signals if signal.parts))


def program_of(plan: "Plan") -> arrays.Program:
    """Return the arrays of a plan."""
    steps = plan.everything
    place = {signal: i for i, signal in enumerate(steps)}
    filters: list[Filter] = []
    spans: list[tuple[int, int, int]] = []
    parts: list[int] = []
    rows = np.zeros((len(steps), 7), dtype=np.int64)
    for row, signal in zip(rows, steps, strict=True):
        span = -1
        if signal.measure not in FACTS and not signal.parts:
            keyed = ("", "topic", "offer").index(signal.same or "")
            window = (signal.window or 0) * clock.DAY
            span = _place(spans, (_place(filters, filter_of(signal)), window, keyed))
        than = signal.than and _place(filters, (signal.than, None, None, None, None, False))
        row[:] = (
            CODES[signal.measure],
            span,
            _column(plan, signal),
            _parameter(signal),
            -1 if than is None else than,
            len(parts),
            len(signal.parts),
        )
        parts += [place[part] for part in signal.parts]
    start, takers = _takers(plan, filters)
    conditions = [_condition(plan, wanted) for wanted in filters]
    return arrays.Program(
        steps=rows,
        priors=np.array([s.prior or (0.0, 1.0) for s in steps], dtype=np.float64),
        parts=np.array(parts, dtype=np.int64),
        visible=np.array([place[signal] for signal in plan.bare_signals], dtype=np.int64),
        spans=np.array(spans, dtype=np.int64).reshape(len(spans), 3),
        taker_start=start,
        takers=takers,
        conditions=np.array(conditions, dtype=np.int64).reshape(len(filters), 5),
        conditioned=np.array([c != (-1, -1, -1, -1, 0) for c in conditions], dtype=np.uint8),
        bounds=np.array([f[4][2] if f[4] else 0.0 for f in filters], dtype=np.float64),
        resolved=plan.numbers.index("resolved") if "resolved" in plan.numbers else -1,
    )


def _column(plan: "Plan", signal: Signal) -> int:
    if not signal.column:
        return -1
    names: tuple[str, ...] = {
        "attribute": plan.attributes,
        "offer_attribute": plan.offer_attributes,
        "calendar": CALENDAR,
    }.get(signal.measure, plan.numbers if signal.measure in OF_COLUMN else CODE_COLUMNS)
    return names.index(signal.column)


def _parameter(signal: Signal) -> int:
    in_days = signal.half_life or signal.within
    return in_days * clock.DAY if in_days else signal.least or signal.half or 0


def _takers(plan: "Plan", filters: list[Filter]) -> tuple[arrays.Int64, arrays.Int64]:
    """Return the filters that take each kind: those told apart first, then every other kind."""
    takers: list[int] = []
    start = [0]
    for kind in (*plan.kinds, None):
        for i, (role, wanted, *_) in enumerate(filters):
            of_role = role is None or kind in plan.roles.get(role, ())
            if of_role and wanted in (None, kind):
                takers.append(i)
        start.append(len(takers))
    return np.array(start, dtype=np.int64), np.array(takers, dtype=np.int64)


def _condition(plan: "Plan", wanted: Filter) -> tuple[int, int, int, int, int]:
    _, _, channel, topic, where, cased = wanted
    return (
        plan.named.index(channel) if channel is not None else -1,
        plan.named.index(topic) if topic is not None else -1,
        plan.numbers.index(where[0]) if where else -1,
        COMPARISONS.index(where[1]) if where else -1,
        int(cased),
    )


def _place(known: list[Any], one: object) -> int:
    if one not in known:
        known.append(one)
    return known.index(one)
