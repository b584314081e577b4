"""The signals that Rapport, Polars and DuckDB can all express, and how the peers get them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from features import clock
from features.declaration import Signal
from features.plan import Plan, compile_plan
from features.signals import days, interactions
from tests.benchmarks.histories import ROLES

WHY = "measured by every engine"
LONG = days(28, 90, 365)


def shared_signals() -> tuple[Signal, ...]:
    """Return more than 130 signals that every engine can express.

    >>> len(shared_signals())
    141
    """
    signals: list[Signal] = []
    for role in (None, *ROLES):
        chosen = interactions(role)
        signals += chosen.count(days(7, 28, 90, 365), why=WHY)
        signals += chosen.count(why=WHY)
        signals += chosen.days_since_last(why=WHY)
        signals += chosen.days_since_first(why=WHY)
    columns = {"amount": (None, "value", "detail"), "wait_minutes": ("negative", "contact")}
    for column, roles in {**columns, "rating": ("value",)}.items():
        for role in roles:
            chosen = interactions(role)
            signals += chosen.sum(column, LONG, why=WHY)
            signals += chosen.mean(column, LONG, why=WHY)
            signals += chosen.minimum(column, LONG, why=WHY)
            signals += chosen.maximum(column, LONG, why=WHY)
    signals += interactions("contact").mean("rating", LONG, why=WHY)
    signals += interactions("negative").minimum("rating", LONG, why=WHY)
    return tuple(signals)


def counts_and_sums() -> tuple[Signal, ...]:
    """Return those that are differences of cumulative columns."""
    return tuple(s for s in shared_signals() if s.measure in ("count", "sum"))


def aggregates() -> tuple[Signal, ...]:
    """Return those that featuretools can express."""
    return tuple(s for s in shared_signals() if not s.measure.startswith("days_since"))


def plan_of(signals: Sequence[Signal]) -> Plan:
    """Return the plan of these signals under the roles of the made-up histories."""
    return compile_plan(signals, ROLES)


@dataclass(frozen=True, slots=True)
class Step:
    """A signal as the peers read it: a window in microseconds, its kinds as a role's code."""

    name: str
    measure: str
    role: int | None
    column: str | None
    window: int | None

    @classmethod
    def of(cls, signal: Signal) -> "Step":
        """Return the step of a signal."""
        return cls(
            name=signal.name,
            measure=signal.measure,
            role=None if signal.role is None else list(ROLES).index(signal.role),
            column=signal.column,
            window=None if signal.window is None else signal.window * clock.DAY,
        )

    def plain(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def role_codes() -> dict[str, int]:
    """Return the code of the role of each kind that has one; a kind has one role at most."""
    return {kind: code for code, kinds in enumerate(ROLES.values()) for kind in kinds}
