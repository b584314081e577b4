"""The signal language: what is measured, over which interactions, in which window, and why.

A signal is declared once; its name, unit and group of meaning are derived from the declaration.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

from features.errors import DeclarationError, nearest

MEASURES = (
    "count",
    "sum",
    "days_since_last",
    "days_since_first",
    "gap_mean",
    "gap_ratio",
    "attribute",
    "offer_attribute",
    "mean",
    "minimum",
    "maximum",
    "last",
    "gap_std",
    "gap_longest",
    "gap_percentile",
    "decayed_count",
    "decayed_sum",
    "trend",
    "trend_long_run",
)
"""What a signal can measure; a measure's place in this list is its code in the kernel."""
OF_COLUMN = ("sum", "mean", "minimum", "maximum", "last", "decayed_sum")
WINDOWED = ("count", "sum", "mean", "minimum", "maximum", "last", "trend", "trend_long_run")
DECAYED = ("decayed_count", "decayed_sum")
KEYED = ("count", "sum", "days_since_last")
ROLES = (
    "value",
    "detail",
    "negative",
    "contact",
    "advocacy",
    "exit",
    "offer_shown",
    "offer_accepted",
    "offer_declined",
    "other",
)
LONGEST_WINDOW = 36_525
_COLUMN = re.compile(r"[A-Za-z_]\w*")
_ATTRIBUTE = re.compile(r".*\w.*")


@dataclass(frozen=True, slots=True)
class Signal:
    """One number or category that describes a customer (and an offer) at an instant.

    Attributes:
        measure: one of ``MEASURES``.
        why: one line, shown to people.
        role: the role of the interactions measured; ``None`` is all of them.
        column: the numeric column summed, or the name of the attribute.
        window: days of 24 hours before the instant; ``None`` is the whole history.
        same: ``"topic"`` keeps only interactions that share one of the offer's topics.
        number: whether an attribute is a number; else it is a category.
        half_life: days after which an interaction counts half, in decayed measures.
    """

    measure: str
    why: str
    role: str | None = None
    column: str | None = None
    window: int | None = None
    same: str | None = None
    number: bool = True
    half_life: int | None = None

    def __post_init__(self) -> None:
        _one_of("measure", self.measure, MEASURES)
        if self.role is not None:
            _one_of("role", self.role, ROLES)
        if self.same is not None:
            _one_of("same", self.same, ("topic",))
            _one_of("keyed measure", self.measure, KEYED)
        if not self.why.strip():
            raise DeclarationError(
                f"signal {self.name}", "no why", "one line that says why it matters", "Add why=…."
            )
        if self.window is not None and not (
            self.measure in WINDOWED and 0 < self.window <= LONGEST_WINDOW
        ):
            raise DeclarationError(
                f"window of {self.measure}",
                self.window,
                f"1 to {LONGEST_WINDOW} days, on {' or '.join(WINDOWED)}",
                "Use days(28), or no window for the whole history.",
            )
        decays = self.measure in DECAYED
        if decays != (self.half_life is not None) or not 0 < (self.half_life or 1) <= LONGEST_WINDOW:
            raise DeclarationError(
                f"half-life of {self.measure}",
                self.half_life,
                f"1 to {LONGEST_WINDOW} days" if decays else "none",
                "Write for example decayed_count(half_lives=days(28)).",
            )
        needs_column = self.measure in (*OF_COLUMN, "attribute", "offer_attribute")
        form = _COLUMN if self.measure in OF_COLUMN else _ATTRIBUTE
        if needs_column != bool(self.column and form.fullmatch(self.column)):
            raise DeclarationError(
                f"column of {self.measure}",
                repr(self.column),
                "the name of a column" if needs_column else "no column",
                "Write for example sum('amount', days(28)).",
            )

    @property
    def name(self) -> str:
        """The derived name, such as ``value_sum_amount_28d``.

        >>> interactions(role="value").sum("amount", days(28), why="spend")[0].name
        'value_sum_amount_28d'
        """
        parts = [self.measure, self.column]
        if self.measure == "offer_attribute":
            parts = ["offer", self.column]
        elif self.measure != "attribute":
            parts.insert(0, self.role or "any")
        parts.append(f"{self.window}d" if self.window else None)
        parts.append(f"half_{self.half_life}d" if self.half_life else None)
        parts.append(f"same_{self.same}" if self.same else None)
        return re.sub(r"\W+", "_", "_".join(part for part in parts if part).lower())

    @property
    def group(self) -> str:
        """The group of meaning under which the signal's effect is told."""
        if self.measure in ("attribute", "offer_attribute"):
            return "profile" if self.measure == "attribute" else "offer"
        if self.same:
            return "affinity"
        if self.measure == "days_since_first":
            return "tenure"
        if self.role == "value":
            if self.measure == "sum":
                return "spend" if self.column == "amount" else "basket"
            return "frequency" if self.measure == "count" else "silence"
        groups = {"detail": "breadth", "negative": "treatment", "contact": "contact"}
        return groups.get(self.role or "", "offers" if "offer" in (self.role or "") else "activity")

    @property
    def unit(self) -> str:
        """The unit of the value: interactions, days, ratio, the column's own, or a category."""
        if not self.number:
            return "category"
        units = {"count": "interactions", "gap_ratio": "ratio"}
        if self.measure in ("sum", "attribute", "offer_attribute"):
            return self.column or ""
        return units.get(self.measure, "days")

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as plain data, defaults left out."""
        plain = asdict(self)
        return {key: value for key, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Signal":
        """Return the signal that ``to_dict`` wrote.

        Raises:
            DeclarationError: the data declare no signal that this code knows.
        """
        try:
            return cls(**plain)
        except TypeError as error:
            raise DeclarationError(
                "signal declaration",
                plain,
                "the fields of a signal",
                "Train the model again with this version.",
            ) from error


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


def _one_of(subject: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DeclarationError(
            subject, repr(value), "a known name", nearest(str(value), list(known))
        )
