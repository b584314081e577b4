"""A declared signal, and the name, unit and group of meaning that follow from it."""

import re
from dataclasses import dataclass, fields
from typing import Any

from features import validity
from features.errors import DeclarationError
from features.measures import MEASURES, NUMBER
from features.validity import LONGEST_WINDOW, ROLES

__all__ = ["DECAYED", "LONGEST_WINDOW", "OF_COLUMN", "ROLES", "Comparison", "Signal"]

OF_COLUMN = tuple(name for name, measure in MEASURES.items() if measure.column == NUMBER)
DECAYED = ("decayed_count", "decayed_sum")
_NAMED = {"known": "facts_known", "saturation": "knowledge", "trust": "trust"}
_NAMED |= {"exchange": "exchanged_value", "stage": "engagement_stage"}

Comparison = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Signal:
    """One number or category that describes a customer (and an offer) at an instant.

    Attributes:
        measure: one of ``MEASURES``.
        why: one line, shown to people.
        role: the role of the interactions measured; ``None`` is all of them.
        column: the column measured, or the name of the attribute or the part of the calendar.
        window: days of 24 hours before the instant; ``None`` is the whole history.
        same: ``"topic"`` keeps only interactions that share one of the offer's topics,
            ``"offer"`` only those about the offer itself.
        number: whether an attribute (or a favourite) is a number; else it is a category.
        half_life: days after which an interaction counts half, in decayed measures.
        kind, channel, topic: keep only interactions of that kind, channel, topic.
        where: (column, comparison, number): keep only interactions for which it holds.
        within: days between two interactions that belong together.
        least: how many must be reached.
        half: how much makes half of the whole, in saturating measures.
        than: the role of the interactions compared with.
        parts: the signals that a combined one is made of.
        prior: (ratio, weight): so many of the denominator's kind with that ratio are added.
    """

    measure: str
    why: str
    role: str | None = None
    column: str | None = None
    window: int | None = None
    same: str | None = None
    number: bool = True
    half_life: int | None = None
    kind: str | None = None
    channel: str | None = None
    topic: str | None = None
    where: Comparison | None = None
    within: int | None = None
    least: int | None = None
    half: int | None = None
    than: str | None = None
    parts: tuple["Signal", ...] = ()
    prior: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        validity.check(self)
        if not self.why.strip():
            raise DeclarationError(
                f"signal {self.name}", "no why", "one line that says why it matters", "Add why=…."
            )

    def __repr__(self) -> str:
        return f"<Signal {self.name}>"

    @property
    def name(self) -> str:
        """The derived name, such as ``value_sum_amount_28d``.

        >>> Signal("sum", "how much they spend", "value", "amount", 28).name
        'value_sum_amount_28d'
        """
        if self.measure == "ratio":
            return f"{self.parts[0].name}_per_{self.parts[1].name}"
        if self.measure in _NAMED:
            return _NAMED[self.measure]
        chosen = [self.role or self.kind or "any", self.kind if self.role else None]
        chosen += [self.channel, self.topic, *map(_worded, self.where or ())]
        parts = {
            "offer_attribute": ["offer", self.column],
            "attribute": ["attribute", self.column],
            "calendar": ["at", self.column],
        }.get(self.measure, [*chosen, self.measure, self.column])
        parts += [self.than, str(self.least) if self.least else None]
        parts.append(f"within_{self.within}d" if self.within else None)
        parts.append(f"{self.window}d" if self.window else None)
        parts.append(f"half_{self.half_life}d" if self.half_life else None)
        parts.append(f"same_{self.same}" if self.same else None)
        return re.sub(r"\W+", "_", "_".join(part for part in parts if part).lower())

    @property
    def unit(self) -> str:
        """The unit of the value: interactions, days, ratio, the column's own, or a category."""
        if not self.number:
            return "category"
        if self.measure == "distinct":
            return {"case_id": "cases", "offer_id": "offers"}.get(
                self.column or "", f"{self.column}s"
            )
        return MEASURES[self.measure].unit or (self.column or "")

    def everything(self) -> "tuple[Signal, ...]":
        """Return the signal and all that it is made of, parts before the whole."""
        return (*(s for part in self.parts for s in part.everything()), self)

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as plain data, defaults left out."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain |= {name: list(plain[name]) for name in ("where", "prior") if plain[name]}
        plain["parts"] = [part.to_dict() for part in self.parts] or None
        return {key: value for key, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Signal":
        """Return the signal that ``to_dict`` wrote.

        Raises:
            DeclarationError: the data declare no signal that this code knows.
        """
        try:
            made: dict[str, Any] = {n: tuple(plain[n]) for n in ("where", "prior") if n in plain}
            made["parts"] = tuple(cls.from_dict(part) for part in plain.get("parts", ()))
            return cls(**(plain | made))
        except TypeError as error:
            raise DeclarationError(
                "signal declaration",
                plain,
                "the fields of a signal",
                "Train the model again with this version.",
            ) from error


def _worded(part: object) -> str:
    words = {"<": "under", "<=": "at_most", ">": "over", ">=": "at_least", "==": "is", "!=": "not"}
    if not isinstance(part, float):
        return words.get(str(part), str(part))
    # In a name a sign becomes an underscore, a plus as well as a minus.
    whole = part.is_integer() and abs(part) < 1e16
    return str(int(part)) if whole else repr(part).replace("e+", "e")
