"""The signal language: what is measured, over which interactions, in which window, and why.

>>> from features.signals import days, interactions
>>> purchases = interactions(role="value")
>>> [signal.name for signal in purchases.count(days(7, 28), why="how often they come")]
['value_count_7d', 'value_count_28d']
"""

from dataclasses import dataclass
from typing import Any

from features.declaration import Comparison, Signal
from features.errors import DeclarationError
from features.measures import TEXT_COLUMNS
from features.validity import LONGEST_WINDOW, is_days

Signals = tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """Windows, in days of 24 hours."""

    windows: tuple[int, ...]

    def __post_init__(self) -> None:
        for window in self.windows:
            if not is_days(window):
                raise DeclarationError(
                    "days",
                    repr(window),
                    f"whole numbers from 1 to {LONGEST_WINDOW}",
                    "Write for example days(7, 28, 90).",
                )


def days(*windows: int) -> Days:
    """Return windows of so many days each: ``days(7, 28, 90)``.

    Raises:
        DeclarationError: one of them is no whole number of days, or none that can be looked back.
    """
    return Days(windows)


@dataclass(frozen=True, slots=True)
class Interactions:
    """A choice of interactions to measure; each method declares one signal per window.

    Where it takes ``same``, "topic" leaves of them those that share one of the offer's topics, and
    "offer" those about the offer itself; without an offer the value is missing.
    """

    role: str | None = None
    kind: str | None = None
    channel: str | None = None
    topic: str | None = None
    where: Comparison | None = None

    def count(self, over: Days | None = None, *, why: str, same: str | None = None) -> Signals:
        """How many there were."""
        return self._over("count", over, why, same=same)

    def reached(
        self, least: int, over: Days | None = None, *, why: str, same: str | None = None
    ) -> Signals:
        """1 when there were at least so many, else 0."""
        return self._over("reached", over, why, least=least, same=same)

    def sum(
        self, column: str, over: Days | None = None, *, why: str, same: str | None = None
    ) -> Signals:
        """The sum of a numeric column, missing values left out; none at all sum to 0."""
        return self._over("sum", over, why, column=column, same=same)

    def mean(
        self, column: str, over: Days | None = None, *, why: str, same: str | None = None
    ) -> Signals:
        """The mean of a numeric column; missing when no value is there."""
        return self._over("mean", over, why, column=column, same=same)

    def minimum(
        self, column: str, over: Days | None = None, *, why: str, same: str | None = None
    ) -> Signals:
        """The least value of a numeric column; missing when no value is there."""
        return self._over("minimum", over, why, column=column, same=same)

    def maximum(
        self, column: str, over: Days | None = None, *, why: str, same: str | None = None
    ) -> Signals:
        """The greatest value of a numeric column; missing when no value is there."""
        return self._over("maximum", over, why, column=column, same=same)

    def last(
        self, column: str, over: Days | None = None, *, why: str, same: str | None = None
    ) -> Signals:
        """The latest value of a numeric column that is there; else missing."""
        return self._over("last", over, why, column=column, same=same)

    def days_since_last(self, *, why: str, same: str | None = None) -> Signals:
        """Days from the latest one to the instant; missing when there was none."""
        return self._over("days_since_last", None, why, same=same)

    def days_since_first(self, *, why: str, same: str | None = None) -> Signals:
        """Days from the first one to the instant; missing when there was none."""
        return self._over("days_since_first", None, why, same=same)

    def gap_mean(self, *, why: str) -> Signals:
        """Mean days between one and the next; missing when there were fewer than two."""
        return self._over("gap_mean", None, why)

    def gap_ratio(self, *, why: str) -> Signals:
        """Days since the last one, in units of the mean gap; missing where that is 0 or missing."""
        return self._over("gap_ratio", None, why)

    def gap_std(self, *, why: str) -> Signals:
        """Standard deviation of the gaps, in days; missing when there were fewer than two."""
        return self._over("gap_std", None, why)

    def gap_longest(self, *, why: str) -> Signals:
        """The longest gap so far, in days; missing when there was none."""
        return self._over("gap_longest", None, why)

    def gap_percentile(self, *, why: str) -> Signals:
        """The share of one's own gaps that were shorter than the present silence."""
        return self._over("gap_percentile", None, why)

    def decayed_count(self, half_lives: Days, *, why: str, same: str | None = None) -> Signals:
        """How many there were, each counting half as much with every half-life of its age."""
        return self._each("decayed_count", "half_life", half_lives, why, same=same)

    def decayed_sum(
        self, column: str, half_lives: Days, *, why: str, same: str | None = None
    ) -> Signals:
        """The sum of a numeric column, each value counting half with every half-life."""
        return self._each("decayed_sum", "half_life", half_lives, why, column=column, same=same)

    def erosion(self, half_lives: Days, *, why: str) -> Signals:
        """The product of ``1 - 2 ** -(1 + age / half-life)``: what each one leaves of a trust.

        A fresh one leaves half; what it took comes back by half with every half-life.
        """
        return self._each("erosion", "half_life", half_lives, why)

    def trend(self, over: Days, *, why: str) -> Signals:
        """A window's count against the one before: from -1 (stopped) to 1 (begun)."""
        return self._over("trend", over, why)

    def trend_long_run(self, over: Days, *, why: str) -> Signals:
        """A window's rate against that since the first, from -1 to 1; missing when younger."""
        return self._over("trend_long_run", over, why)

    def count_since(self, than: str, over: Days | None = None, *, why: str) -> Signals:
        """How many there were after the latest interaction of another role (all, if none)."""
        return self._over("count_since", over, why, than=than)

    def count_after(self, than: str, within: int, over: Days | None = None, *, why: str) -> Signals:
        """How many came within so many days after an interaction of another role."""
        return self._over("count_after", over, why, than=than, within=within)

    def distinct(self, column: str, over: Days | None = None, *, why: str) -> Signals:
        """How many different channels, topics, cases, offers, local days, weekdays or hours."""
        return self._over("distinct", over, why, column=column)

    def favourite(self, column: str, over: Days | None = None, *, why: str) -> Signals:
        """The most frequent channel, topic, weekday or hour; of several the one seen last.

        Missing when there is none. A weekday is 0 (Monday) to 6, an hour 0 to 23, by the
        project's clock.
        """
        number = column not in TEXT_COLUMNS
        return self._over("favourite", over, why, column=column, number=number)

    def favourite_share(self, column: str, over: Days | None = None, *, why: str) -> Signals:
        """The share of the most frequent one; missing when there is none."""
        return self._over("favourite_share", over, why, column=column)

    def fit(self, column: str, over: Days | None = None, *, why: str) -> Signals:
        """The share that happened on the instant's weekday, or in its hour; missing when none."""
        return self._over("fit", over, why, column=column)

    def repeated(self, column: str, within: int, over: Days | None = None, *, why: str) -> Signals:
        """How many came within so many days after one of the same topic (case, channel)."""
        return self._over("repeated", over, why, column=column, within=within)

    def of_cases(self, measure: str, over: Days | None = None, *, why: str) -> Signals:
        """Measure cases, each by those of its interactions that are chosen, in the window.

        A case is open until its latest interaction that says whether it is resolved says so; it
        is reopened where one says no after another said yes, and handed over where the channel
        changes. Its resolution is the first. Measures: ``case_contacts`` (their mean),
        ``case_contacts_most``, ``handovers``, ``handovers_most`` (in one case), ``cases_open``,
        ``oldest_open_case`` (days), ``cases_reopened`` (how often), ``unresolved_share``,
        ``resolution_mean`` and ``resolution_longest`` (days).

        A promise is an interaction with ``due_at``: kept when it, or a later one of its case,
        says resolved by then, broken when that moment has passed without. ``promises_kept`` and
        ``promises_broken`` count those made in the window.
        """
        return self._over(measure, over, why)

    def promise_erosion(self, half_lives: Days, *, why: str) -> Signals:
        """Like ``erosion``, of broken promises, whose age counts from when they were due."""
        return self._each("promise_erosion", "half_life", half_lives, why)

    def _over(self, measure: str, over: Days | None, why: str, **more: Any) -> Signals:
        windows: tuple[int | None, ...] = over.windows if over else (None,)
        return tuple(self._signal(measure, why, window=window, **more) for window in windows)

    def _each(self, measure: str, name: str, of: Days, why: str, **more: Any) -> Signals:
        return tuple(self._signal(measure, why, **{name: n}, **more) for n in of.windows)

    def _signal(self, measure: str, why: str, **more: Any) -> Signal:
        chosen = {n: getattr(self, n) for n in ("role", "kind", "channel", "topic", "where")}
        return Signal(measure, why, **chosen, **more)


def interactions(
    role: str | None = None,
    *,
    kind: str | None = None,
    channel: str | None = None,
    topic: str | None = None,
    where: Comparison | None = None,
) -> Interactions:
    """Return the interactions of a role, kind, channel or topic, or all of them.

    Args:
        role: a role of the settings.
        kind: one kind.
        channel: one channel.
        topic: one topic.
        where: a comparison that holds, such as ``("rating", "<", 0.5)``; ``resolved`` is 1 or 0.
    """
    return Interactions(role, kind, channel, topic, where)


def attribute(name: str, *, why: str, number: bool = False) -> Signals:
    """Declare the latest value of a customer's attribute known before the instant."""
    return (Signal("attribute", why, column=name, number=number),)


def offer_attribute(name: str, *, why: str, number: bool = False) -> Signals:
    """Declare an attribute of the offer that is considered."""
    return (Signal("offer_attribute", why, column=name, number=number),)


def calendar(part: str, *, why: str) -> Signals:
    """Declare a part of the instant by the project's clock.

    Parts are ``weekday`` (0 is Monday), ``hour``, ``day_of_month`` and ``month`` (from 1).
    """
    return (Signal("calendar", why, column=part),)


def ratio(
    numerator: Signals, denominator: Signals, *, prior: tuple[float, float], why: str
) -> Signals:
    """Declare ratios of signals, pair by pair, smoothed towards a prior.

    The value is ``(numerator + ratio * weight) / (denominator + weight)`` where ``prior`` is
    ``(ratio, weight)``: constants of the settings, never learnt from other customers. It is
    missing where the denominator and the weight cancel out.

    Raises:
        DeclarationError: there are not as many of the one as of the other.
    """
    if len(numerator) != len(denominator):
        raise DeclarationError(
            "ratio",
            f"{len(numerator)} signals to divide by {len(denominator)}",
            "as many of the one as of the other",
            "Declare both over the same windows.",
        )
    pairs = zip(numerator, denominator, strict=True)
    return tuple(Signal("ratio", why, parts=pair, prior=prior) for pair in pairs)
