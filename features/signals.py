"""The signal language: what is measured, over which interactions, in which window, and why.

>>> from features.signals import days, interactions
>>> purchases = interactions(role="value")
>>> [signal.name for signal in purchases.count(days(7, 28), why="how often they come")]
['value_count_7d', 'value_count_28d']
"""

from dataclasses import dataclass

from features.declaration import Signal


@dataclass(frozen=True, slots=True)
class Days:
    """Windows, in days of 24 hours."""

    windows: tuple[int, ...]


def days(*windows: int) -> Days:
    """Return windows of so many days each: ``days(7, 28, 90)``."""
    return Days(windows)


@dataclass(frozen=True, slots=True)
class Interactions:
    """A choice of interactions to measure; each method declares one signal per window."""

    role: str | None = None

    def count(
        self, over: Days | None = None, *, why: str, same: str | None = None
    ) -> tuple[Signal, ...]:
        """How many there were."""
        return self._over("count", over, why, same=same)

    def sum(
        self, column: str, over: Days | None = None, *, why: str, same: str | None = None
    ) -> tuple[Signal, ...]:
        """The sum of a numeric column, missing values left out; none at all sum to 0."""
        return self._over("sum", over, why, column=column, same=same)

    def days_since_last(self, *, why: str, same: str | None = None) -> tuple[Signal, ...]:
        """Days from the latest one to the instant; missing when there was none."""
        return (Signal("days_since_last", why, self.role, same=same),)

    def days_since_first(self, *, why: str) -> tuple[Signal, ...]:
        """Days from the first one to the instant; missing when there was none."""
        return (Signal("days_since_first", why, self.role),)

    def gap_mean(self, *, why: str) -> tuple[Signal, ...]:
        """Mean days between one and the next; missing when there were fewer than two."""
        return (Signal("gap_mean", why, self.role),)

    def gap_ratio(self, *, why: str) -> tuple[Signal, ...]:
        """Days since the last one, in units of the mean gap; missing where that is 0 or missing."""
        return (Signal("gap_ratio", why, self.role),)

    def mean(self, column: str, over: Days | None = None, *, why: str) -> tuple[Signal, ...]:
        """The mean of a numeric column; missing when no value is there."""
        return self._over("mean", over, why, column=column)

    def minimum(self, column: str, over: Days | None = None, *, why: str) -> tuple[Signal, ...]:
        """The least value of a numeric column; missing when no value is there."""
        return self._over("minimum", over, why, column=column)

    def maximum(self, column: str, over: Days | None = None, *, why: str) -> tuple[Signal, ...]:
        """The greatest value of a numeric column; missing when no value is there."""
        return self._over("maximum", over, why, column=column)

    def last(self, column: str, over: Days | None = None, *, why: str) -> tuple[Signal, ...]:
        """The latest value of a numeric column that is there; else missing."""
        return self._over("last", over, why, column=column)

    def gap_std(self, *, why: str) -> tuple[Signal, ...]:
        """Standard deviation of the gaps, in days; missing when there were fewer than two."""
        return (Signal("gap_std", why, self.role),)

    def gap_longest(self, *, why: str) -> tuple[Signal, ...]:
        """The longest gap so far, in days; missing when there was none."""
        return (Signal("gap_longest", why, self.role),)

    def gap_percentile(self, *, why: str) -> tuple[Signal, ...]:
        """The share of one's own gaps that were shorter than the present silence."""
        return (Signal("gap_percentile", why, self.role),)

    def decayed_count(self, half_lives: Days, *, why: str) -> tuple[Signal, ...]:
        """How many there were, each counting half as much with every half-life of its age."""
        return tuple(
            Signal("decayed_count", why, self.role, half_life=h) for h in half_lives.windows
        )

    def decayed_sum(self, column: str, half_lives: Days, *, why: str) -> tuple[Signal, ...]:
        """The sum of a numeric column, each value counting half with every half-life."""
        return tuple(
            Signal("decayed_sum", why, self.role, column, half_life=h) for h in half_lives.windows
        )

    def trend(self, over: Days, *, why: str) -> tuple[Signal, ...]:
        """A window's count against the one before: from -1 (stopped) to 1 (begun)."""
        return self._over("trend", over, why)

    def trend_long_run(self, over: Days, *, why: str) -> tuple[Signal, ...]:
        """A window's rate against that since the first, from -1 to 1; missing when younger."""
        return self._over("trend_long_run", over, why)

    def _over(
        self,
        measure: str,
        over: Days | None,
        why: str,
        column: str | None = None,
        same: str | None = None,
    ) -> tuple[Signal, ...]:
        windows: tuple[int | None, ...] = over.windows if over else (None,)
        return tuple(Signal(measure, why, self.role, column, window, same) for window in windows)


def interactions(role: str | None = None) -> Interactions:
    """Return the interactions of a role, or all of them."""
    return Interactions(role)


def attribute(name: str, *, why: str, number: bool = False) -> tuple[Signal, ...]:
    """Declare the latest value of a customer's attribute known before the instant."""
    return (Signal("attribute", why, column=name, number=number),)


def offer_attribute(name: str, *, why: str, number: bool = False) -> tuple[Signal, ...]:
    """Declare an attribute of the offer that is considered."""
    return (Signal("offer_attribute", why, column=name, number=number),)
