"""The plan: declared signals compiled into the program that the kernel runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features import arrays, clock
from features.declaration import MEASURES, OF_COLUMN, Signal
from features.errors import DeclarationError
from features.offers import Offer, Value

KindsOfRole = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Plan:
    """Signals in order, and what computing them takes. Build it with ``compile_plan``.

    ``kinds`` are the kinds that some signal tells apart, ``numbers`` the numeric columns read,
    ``attributes`` and ``offer_attributes`` the names read.
    """

    signals: tuple[Signal, ...]
    roles: KindsOfRole
    kinds: tuple[str, ...]
    numbers: tuple[str, ...]
    attributes: tuple[str, ...]
    offer_attributes: tuple[str, ...]

    @cached_property
    def names(self) -> list[str]:
        """The names of the signals, in order."""
        return [signal.name for signal in self.signals]

    @property
    def needs_offer(self) -> bool:
        """Whether some signal is about an offer."""
        return any(s.same or s.measure == "offer_attribute" for s in self.signals)

    @cached_property
    def kind_codes(self) -> dict[str, int]:
        """The code of each kind told apart; every other kind has the code after the last."""
        return {kind: code for code, kind in enumerate(self.kinds)}

    @cached_property
    def attribute_codes(self) -> dict[str, int]:
        """The place of each attribute among those read."""
        return {name: code for code, name in enumerate(self.attributes)}

    @cached_property
    def program(self) -> arrays.Program:
        """The arrays that the kernel runs."""
        filters: list[str | None] = []
        steps = np.zeros((len(self.signals), 6), dtype=np.int64)
        columns = {"attribute": self.attributes, "offer_attribute": self.offer_attributes}
        for row, signal in zip(steps, self.signals, strict=True):
            if signal.role not in filters:
                filters.append(signal.role)
            names = columns.get(signal.measure, self.numbers)
            row[:] = (
                MEASURES.index(signal.measure),
                filters.index(signal.role),
                names.index(signal.column) if signal.column else -1,
                (signal.window or 0) * clock.DAY,
                signal.same is not None,
                (signal.half_life or 0) * clock.DAY,
            )
        wanted = np.zeros((len(filters), len(self.kinds) + 1), dtype=np.uint8)
        for i, role in enumerate(filters):
            if role is None:
                wanted[i] = 1
            else:
                wanted[i, [self.kind_codes[kind] for kind in self.roles.get(role, ())]] = 1
        return arrays.Program(steps, wanted)

    @cached_property
    def categories(self) -> tuple[bool, ...]:
        """Of each signal, whether its value is a category."""
        return tuple(signal.unit == "category" for signal in self.signals)


def compile_plan(signals: Iterable[Signal], roles: KindsOfRole) -> Plan:
    """Compile signals, in order, for the kinds that each role stands for.

    Raises:
        DeclarationError: two signals have one name, or there is none.
    """
    signals = tuple(signals)
    names = [signal.name for signal in signals]
    if len(set(names)) < len(names) or not names:
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DeclarationError(
            "signals",
            twice or "none at all",
            "at least one signal, each with its own name",
            "Declare each signal once.",
        )

    def columns(*measures: str) -> tuple[str, ...]:
        return tuple(sorted({s.column for s in signals if s.measure in measures and s.column}))

    used = {signal.role for signal in signals if signal.role}
    return Plan(
        signals=signals,
        roles={role: tuple(sorted(roles.get(role, ()))) for role in sorted(used)},
        kinds=tuple(sorted({kind for role in used for kind in roles.get(role, ())})),
        numbers=columns(*OF_COLUMN),
        attributes=columns("attribute"),
        offer_attributes=columns("offer_attribute"),
    )


class Categories:
    """Codes for the categories met in one evaluation; a code means nothing outside it."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, value: str) -> float:
        """Return the code of a category, a new one when it is met for the first time."""
        if value not in self._codes:
            self._codes[value] = len(self.values)
            self.values.append(value)
        return float(self._codes[value])

    def encode(self, value: Value, number: bool) -> float:
        """Return a number as it is, a category as its code, and NaN for what is missing."""
        if value is None:
            return float("nan")
        if number:
            return as_number(value)
        return self.code(as_category(value))

    def decode(self, code: float) -> str | None:
        """Return the category of a code, ``None`` for NaN."""
        return None if code != code else self.values[int(code)]


def as_number(value: float | str) -> float:
    """Return an attribute's value as a number; text that is none is missing, NaN.

    >>> as_number("3"), as_number("3+")
    (3.0, nan)
    """
    try:
        found = float(value)
    except ValueError:
        return float("nan")
    return found + 0.0 if np.isfinite(found) else float("nan")


def as_category(value: float | str) -> str:
    """Return an attribute's value as text; a whole number loses its point.

    >>> as_category(2.0), as_category("5+")
    ('2', '5+')
    """
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def offer_table(
    plan: Plan, offers: Iterable[Offer], topics: Mapping[str, int], categories: Categories
) -> arrays.OfferTable:
    """Return the offers as the kernel reads them; ``topics`` are the codes of the history's."""
    offers = list(offers)
    numeric = {s.column: s.number for s in plan.signals if s.measure == "offer_attribute"}
    values = np.full((len(offers), len(plan.offer_attributes)), np.nan)
    members = np.zeros((len(offers), len(topics) + 1), dtype=np.uint8)
    for row, offer in enumerate(offers):
        for column, name in enumerate(plan.offer_attributes):
            values[row, column] = categories.encode(offer.attribute(name), numeric[name])
        for topic in offer.topics:
            if topic in topics:
                members[row, topics[topic]] = 1
    return arrays.OfferTable(values, members)
