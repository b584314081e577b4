"""Meanings: of each row the groups of signals that matter most, and which of them are told."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from features.arrays import COMPILED
from features.declaration import DECAYED, LONGEST_WINDOW, Signal
from features.measures import MEASURES
from features.plan import Plan, bare

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]

PHRASES = 2
TOLD = PHRASES + 1
"""How many signals of a group are told at most: of trust, a broken promise more."""
SILENCE = ("days_since_last", "gap_mean")
"""How long the silence is and what is usual: always told together."""
VAGUE = (*DECAYED, "reached", "gap_percentile", "gap_std")
"""What nobody says when there is something plainer: a fraction of a purchase, at least three."""
NONE = -1


class Table(NamedTuple):
    """What is known of a plan's signals and groups before any row.

    The signals of group ``g`` are ``members[start[g]:start[g + 1]]``, groups in order of their
    names. Of each signal, ``instead`` is the one that is told for it, ``thing`` what it measures
    in whatever window; it may be ``vague``, a ``category``, or a ``fact``, which is told when it
    is missing. ``always`` are told of the group ``silence``; of ``trust`` the last of ``behind``
    that is not zero. Either group is -1 where there is none.
    """

    start: Int32
    members: Int32
    instead: Int32
    thing: Int32
    vague: UInt8
    category: UInt8
    fact: UInt8
    always: Int32
    silence: int
    behind: Int32
    trust: int


class Chosen(NamedTuple):
    """The groups that matter most in some rows, strongest first; -1 where there are no more.

    ``group`` and ``effect`` are (n, limit); ``strongest`` holds the signals of each group, (n,
    limit, largest), ``told`` those to put into words, (n, limit, TOLD).
    """

    group: Int32
    effect: Float64
    strongest: Int32
    told: Int32


@dataclass(frozen=True, slots=True)
class Meanings:
    """A plan's groups of meaning, ready to choose from."""

    plan: Plan
    groups: tuple[str, ...]
    table: Table

    @classmethod
    def of(cls, plan: Plan) -> "Meanings":
        """Return the meanings of a plan."""
        groups = tuple(sorted(plan.groups))
        members = [plan.groups[group] for group in groups]
        signals = plan.signals
        things: dict[Signal, int] = {}
        by_measure = {signals[j].measure: j for j in reversed(plan.groups.get("silence", []))}
        broken = [j for j, signal in enumerate(signals) if signal.measure == "promises_broken"]
        broken.sort(key=lambda j: signals[j].window or LONGEST_WINDOW)
        table = Table(
            start=_ints(np.cumsum([0, *map(len, members)])),
            members=_ints([j for own in members for j in own]),
            instead=_instead(plan),
            thing=_ints([things.setdefault(_of_any_window(s), len(things)) for s in signals]),
            vague=_flags([s.measure in VAGUE for s in signals]),
            category=_flags(plan.categories),
            fact=_flags([s.measure.endswith("attribute") for s in signals]),
            always=_ints([by_measure[measure] for measure in SILENCE if measure in by_measure]),
            silence=groups.index("silence") if "silence" in groups else NONE,
            behind=_ints(broken),
            trust=groups.index("trust") if "trust" in groups else NONE,
        )
        return cls(plan, groups, table)

    def chosen(self, values: Float64, effects: Float64, limit: int) -> Chosen:
        """Return what matters most in each row.

        Args:
            values: of the signals, a category as any code of its own, shape ``(n, n_signals)``.
            effects: of the signals, shape ``(n, n_signals)``.
            limit: how many groups.
        """
        n, most = len(effects), min(limit, len(self.groups))
        largest = int(np.diff(self.table.start).max())
        found = Chosen(
            group=np.full((n, most), NONE, dtype=np.int32),
            effect=np.zeros((n, most)),
            strongest=np.full((n, most, largest), NONE, dtype=np.int32),
            told=np.full((n, most, TOLD), NONE, dtype=np.int32),
        )
        totals, done = np.empty(len(self.groups)), np.empty(len(self.groups), dtype=np.uint8)
        exact = np.empty(largest, dtype=np.int32)
        # What the compiled code is made for: one layout of arrays.
        values, effects = np.ascontiguousarray(values), np.ascontiguousarray(effects)
        _choose(self.table, values, effects, totals, done, exact, found)
        return found


def _ints(values: npt.ArrayLike) -> Int32:
    return np.array(values, dtype=np.int32)


def _flags(values: npt.ArrayLike) -> UInt8:
    return np.array(values, dtype=np.uint8)


def _instead(plan: Plan) -> Int32:
    """Return, for a signal that says whether so many were reached, the one that counts them."""
    found = np.arange(len(plan.signals), dtype=np.int32)
    for own in plan.groups.values():
        counts = {plan.bare_signals[j]: j for j in own if plan.signals[j].measure == "count"}
        for j in own:
            if plan.signals[j].measure == "reached":
                counted = replace(plan.bare_signals[j], measure="count", least=None)
                found[j] = counts.get(counted, j)
    return found


def _of_any_window(signal: Signal) -> Signal:
    return replace(bare(signal), window=1 if MEASURES[signal.measure].windowed else None)


@njit(cache=True, **COMPILED)
def _choose(
    table: Table,
    values: Float64,
    effects: Float64,
    totals: Float64,
    done: UInt8,
    exact: Int32,
    found: Chosen,
) -> None:
    for i in range(len(effects)):
        for g in range(len(totals)):
            done[g] = 0
            totals[g] = 0.0
            for at in range(table.start[g], table.start[g + 1]):
                totals[g] += effects[i, table.members[at]]
        for place in range(found.group.shape[1]):
            best = -1
            for g in range(len(totals)):
                # Of two alike, the first by name.
                if not done[g] and (best < 0 or abs(totals[g]) > abs(totals[best])):
                    best = g
            if best < 0 or totals[best] == 0.0:
                break
            done[best] = 1
            found.group[i, place], found.effect[i, place] = best, totals[best]
            _order(table, effects, best, i, place, found)
            n = _tell(table, values, effects, totals[best], i, place, exact, found)
            _mend(table, values, best, i, place, n, found)


@njit(cache=True, **COMPILED)
def _order(table: Table, effects: Float64, g: int, i: int, place: int, found: Chosen) -> None:
    """Sort the signals of a group, the strongest first; of two alike, the first of the plan."""
    for at in range(table.start[g], table.start[g + 1]):
        j, k = table.members[at], at - table.start[g]
        while k > 0 and abs(effects[i, j]) > abs(effects[i, found.strongest[i, place, k - 1]]):
            found.strongest[i, place, k] = found.strongest[i, place, k - 1]
            k -= 1
        found.strongest[i, place, k] = j


@njit(cache=True, **COMPILED)
def _tell(
    table: Table,
    values: Float64,
    effects: Float64,
    total: float,
    i: int,
    place: int,
    exact: Int32,
    found: Chosen,
) -> int:
    """Choose the signals to put into words: the strongest of those that pull the group's way.

    The plain ones, when there are any; in the place of "at least so many", how many it were; and
    not twice the same value of one thing in two windows. Returns how many.
    """
    if found.group[i, place] == table.silence:
        for k in range(len(table.always)):
            found.told[i, place, k] = table.always[k]
        return len(table.always)
    pulling, plain = 0, 0
    for k in range(found.strongest.shape[2]):
        j = found.strongest[i, place, k]
        if j >= 0 and effects[i, j] * total > 0.0:
            exact[pulling] = table.instead[j]
            plain += table.vague[exact[pulling]] == 0
            pulling += 1
    n = 0
    for k in range(pulling):
        j = exact[k]
        if n == PHRASES or (plain and table.vague[j]):
            continue
        again = False
        for told in range(n):
            other = found.told[i, place, told]
            alike = values[i, other] == values[i, j] or (
                other == j or (table.category[j] and _both_missing(values[i, other], values[i, j]))
            )
            again |= alike and table.thing[other] == table.thing[j]
        if not again:
            found.told[i, place, n] = j
            n += 1
    return n


@njit(cache=True, **COMPILED)
def _mend(table: Table, values: Float64, g: int, i: int, place: int, n: int, found: Chosen) -> None:
    """Add what is behind trust, and say once that there was nothing at all."""
    if g == table.trust:
        for k in range(len(table.behind) - 1, -1, -1):
            if values[i, table.behind[k]] != 0.0:
                found.told[i, place, n] = table.behind[k]
                n += 1
                break
    for k in range(n):
        j = found.told[i, place, k]
        missing = values[i, j] != values[i, j]
        nothing = values[i, j] == 0.0 and not table.category[j]
        if not nothing and not (missing and not table.fact[j]):
            return
    for k in range(1, n):
        found.told[i, place, k] = NONE


@njit(cache=True, **COMPILED)
def _both_missing(one: float, other: float) -> bool:
    return one != one and other != other
