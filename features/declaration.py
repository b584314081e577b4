"""A declared signal: its checks, and the name, unit and group of meaning that follow from it."""

import re
from dataclasses import dataclass, fields
from typing import Any

from features.errors import DeclarationError, nearest
from features.interactions import COLUMNS, NUMBERS
from features.measures import (
    ATTRIBUTE,
    CALENDAR,
    CODE,
    CODE_COLUMNS,
    COMPARISONS,
    HABIT,
    INSTANT,
    MEASURES,
    MOMENT,
    MOMENT_COLUMNS,
    NUMBER,
    TEXT_COLUMNS,
    Measure,
)

OF_COLUMN = tuple(name for name, measure in MEASURES.items() if measure.column == NUMBER)
DECAYED = ("decayed_count", "decayed_sum")
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
MAY_BE_TEXT = ("attribute", "offer_attribute", "favourite", "stage")
_NAMED = {"known": "facts_known", "saturation": "knowledge", "trust": "trust"}
_NAMED |= {"exchange": "exchanged_value", "stage": "engagement_stage"}
_COLUMNS = {
    CODE: CODE_COLUMNS,
    HABIT: (*TEXT_COLUMNS, *MOMENT_COLUMNS),
    MOMENT: MOMENT_COLUMNS,
    INSTANT: CALENDAR,
}
_COLUMN = re.compile(r"[A-Za-z_]\w*")
_ATTRIBUTE = re.compile(r".*\w.*")

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
        _one_of("measure", self.measure, tuple(MEASURES))
        takes = MEASURES[self.measure]
        for role in (self.role, self.than):
            if role is not None:
                _one_of("role", role, ROLES)
        if self.same is not None:
            _one_of("same", self.same, ("topic", "offer"))
            _one_of("keyed measure", self.measure, tuple(m.name for m in _keyed()))
        if not self.why.strip():
            raise DeclarationError(
                f"signal {self.name}", "no why", "one line that says why it matters", "Add why=…."
            )
        _check_days(self, takes)
        _check_column(self, takes)
        _check_parts(self, takes)
        if not self.number and self.measure not in MAY_BE_TEXT:
            raise DeclarationError(
                f"number of {self.measure}", False, "True: it is a number", "Leave it out."
            )
        if self.where is not None:
            _numeric(f"column compared by {self.measure}", self.where[0])
            _one_of("comparison", self.where[1], COMPARISONS)

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


def _keyed() -> list[Measure]:
    return [measure for measure in MEASURES.values() if measure.keyed]


def _worded(part: object) -> str:
    words = {"<": "under", "<=": "at_most", ">": "over", ">=": "at_least", "==": "is", "!=": "not"}
    return words.get(str(part), f"{part:g}" if isinstance(part, float) else str(part))


def _check_days(signal: Signal, takes: Measure) -> None:
    if signal.window is not None and not (takes.windowed and 0 < signal.window <= LONGEST_WINDOW):
        raise DeclarationError(
            f"window of {signal.measure}",
            signal.window,
            f"1 to {LONGEST_WINDOW} days, on "
            + " or ".join(m.name for m in MEASURES.values() if m.windowed),
            "Use days(28), or no window for the whole history.",
        )
    if signal.window is None and signal.measure.startswith("trend"):
        raise DeclarationError(
            f"window of {signal.measure}", None, f"1 to {LONGEST_WINDOW} days", "Use days(28)."
        )
    for name in ("half_life", "within", "least", "half"):
        given = getattr(signal, name)
        bad = given is not None and not 0 < given <= LONGEST_WINDOW
        if (takes.parameter == name) != (given is not None) or bad:
            raise DeclarationError(
                f"{name.replace('_', '-')} of {signal.measure}",
                given,
                f"1 to {LONGEST_WINDOW}" if takes.parameter == name else "none",
                "Write for example decayed_count(half_lives=days(28)).",
            )


def _check_column(signal: Signal, takes: Measure) -> None:
    known = _COLUMNS.get(takes.column)
    if known and signal.column:
        _one_of(f"column of {signal.measure}", signal.column, known)
    if takes.column == HABIT and signal.number == (signal.column in TEXT_COLUMNS):
        raise DeclarationError(
            f"number of {signal.measure} {signal.column}",
            signal.number,
            str(not signal.number),
            "A channel or topic is a category, a weekday or hour a number.",
        )
    if takes.column == NUMBER and signal.column:
        _numeric(f"column of {signal.measure}", signal.column)
    form = _ATTRIBUTE if takes.column == ATTRIBUTE else _COLUMN
    if bool(takes.column) != bool(signal.column and form.fullmatch(signal.column)):
        raise DeclarationError(
            f"column of {signal.measure}",
            repr(signal.column),
            takes.column or "no column",
            "Write for example sum('amount', days(28)).",
        )


def _numeric(subject: str, column: str) -> None:
    """Refuse the columns of interactions that hold no number of their own."""
    if column in COLUMNS and column not in (*NUMBERS, "resolved"):
        raise DeclarationError(
            subject,
            repr(column),
            f"one of {', '.join((*NUMBERS, 'resolved'))}, or a further numeric column",
            "Texts are counted by distinct(…), instants measured by days_since_last(…).",
        )


def _check_parts(signal: Signal, takes: Measure) -> None:
    enough = len(signal.parts) == takes.parts if takes.parts >= 0 else bool(signal.parts)
    weighed = signal.prior is None or signal.prior[1] > 0
    if not enough or (signal.measure == "ratio") != bool(signal.prior) or not weighed:
        raise DeclarationError(
            f"parts of {signal.measure}",
            f"{len(signal.parts)} signals and the prior {signal.prior}",
            "the signals it is made of, and for a ratio a prior with a weight above 0",
            "Write for example ratio(taken, shown, prior=(0.1, 5), why=…).",
        )
    if takes.than != (signal.than is not None):
        raise DeclarationError(
            f"role compared with by {signal.measure}",
            repr(signal.than),
            "another role" if takes.than else "none",
            "Write for example count_since('offer_accepted', why=…).",
        )


def _one_of(subject: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DeclarationError(
            subject, repr(value), "a known name", nearest(str(value), list(known))
        )
