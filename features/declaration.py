"""A declared signal: its checks, and the name, unit and group of meaning that follow from it."""

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
        if (
            decays != (self.half_life is not None)
            or not 0 < (self.half_life or 1) <= LONGEST_WINDOW
        ):
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

        >>> Signal("sum", "how much they spend", "value", "amount", 28).name
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
            if self.measure in OF_COLUMN:
                return "spend" if self.column == "amount" else "basket"
            by_measure = {"trend": "trend", "trend_long_run": "trend"}
            counts = dict.fromkeys(("count", "decayed_count"), "frequency")
            return {**by_measure, **counts}.get(self.measure, "silence")
        groups = {"detail": "breadth", "negative": "treatment", "contact": "contact"}
        return groups.get(self.role or "", "offers" if "offer" in (self.role or "") else "activity")

    @property
    def unit(self) -> str:
        """The unit of the value: interactions, days, ratio, the column's own, or a category."""
        if not self.number:
            return "category"
        units = {"count": "interactions", "decayed_count": "interactions"}
        units |= dict.fromkeys(("gap_ratio", "gap_percentile", "trend", "trend_long_run"), "ratio")
        if self.measure in (*OF_COLUMN, "attribute", "offer_attribute"):
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


def _one_of(subject: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DeclarationError(
            subject, repr(value), "a known name", nearest(str(value), list(known))
        )
