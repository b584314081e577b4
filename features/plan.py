"""The plan: declared signals compiled into the program that the kernel runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from features import arrays
from features.declaration import OF_COLUMN, Signal
from features.errors import DeclarationError
from features.groups import group_of
from features.measures import CODE_COLUMNS, OF_CASES, OF_PROMISES, STAGES
from features.program import FACTS, in_kernel_order, program_of

KindsOfRole = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Plan:
    """Signals in order, and what computing them takes. Build it with ``compile_plan``.

    ``kinds`` are the kinds that some signal tells apart, ``numbers`` the numeric columns read,
    ``attributes`` and ``offer_attributes`` the names read, ``named`` the categories whose codes
    are fixed because the program names them.
    """

    signals: tuple[Signal, ...]
    roles: KindsOfRole
    timezone: str
    kinds: tuple[str, ...]
    numbers: tuple[str, ...]
    attributes: tuple[str, ...]
    offer_attributes: tuple[str, ...]
    named: tuple[str, ...]

    @cached_property
    def names(self) -> list[str]:
        """The names of the signals, in order."""
        return [signal.name for signal in self.signals]

    @cached_property
    def groups(self) -> Mapping[str, list[int]]:
        """The places of the signals of each group of meaning."""
        groups: dict[str, list[int]] = {}
        for place, signal in enumerate(self.signals):
            groups.setdefault(group_of(signal), []).append(place)
        return groups

    @cached_property
    def bare_signals(self) -> tuple[Signal, ...]:
        """The signals without their whys, which change no value."""
        return tuple(bare(signal) for signal in self.signals)

    @cached_property
    def everything(self) -> tuple[Signal, ...]:
        """The signals and all that they are made of, each once, as the kernel computes them."""
        unique = dict.fromkeys(s for signal in self.bare_signals for s in signal.everything())
        return in_kernel_order(list(unique))

    @property
    def needs_offer(self) -> bool:
        """Whether some signal is about an offer."""
        return any(s.same or s.measure == "offer_attribute" for s in self.everything)

    @cached_property
    def keyed_by_topic(self) -> bool:
        """Whether some signal takes only what shares one of the offer's topics."""
        return any(s.same == "topic" for s in self.everything)

    @cached_property
    def code_columns(self) -> tuple[str, ...]:
        """The columns of categories that are read, a part of ``measures.CODE_COLUMNS``."""
        used = {s.column for s in self.everything if s.column in CODE_COLUMNS}
        used |= {"topic" if s.same == "topic" else "offer_id" for s in self.everything if s.same}
        if any(s.measure in (*OF_CASES, *OF_PROMISES) for s in self.everything):
            used |= {"case_id", "channel"}
        for name in ("channel", "topic"):
            used |= {name for s in self.everything if getattr(s, name) is not None}
        return tuple(name for name in CODE_COLUMNS if name in used)

    @cached_property
    def reads_due(self) -> bool:
        """Whether some signal reads what was promised."""
        return any(s.measure in OF_PROMISES for s in self.everything)

    @cached_property
    def reads_calendar(self) -> bool:
        """Whether some signal reads the calendar of the instant."""
        return any(s.measure in ("calendar", "fit") for s in self.everything)

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
        return program_of(self)

    @cached_property
    def categories(self) -> tuple[bool, ...]:
        """Of each signal, whether its value is a category."""
        return tuple(signal.unit == "category" for signal in self.signals)


def compile_plan(signals: Iterable[Signal], roles: KindsOfRole, timezone: str = "UTC") -> Plan:
    """Compile signals, in order, for the kinds that each role stands for.

    Args:
        signals: the signals, each with its own name.
        roles: the kinds of each role.
        timezone: the zone whose clock calendar signals go by.

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
    everything = [s for signal in signals for s in signal.everything()]
    facts = {(s.measure, s.column, s.number) for s in everything if s.measure in FACTS}
    if both := sorted({c for m, c, number in facts if (m, c, not number) in facts and c}):
        raise DeclarationError(
            f"attribute '{both[0]}'",
            "a number in one signal and a category in another",
            "one or the other",
            "Declare it alike everywhere.",
        )

    def columns(*measures: str) -> set[str]:
        return {s.column for s in everything if s.measure in measures and s.column}

    used = {role for s in everything for role in (s.role, s.than) if role}
    kinds = {kind for role in used for kind in roles.get(role, ())}
    numbers = columns(*OF_COLUMN) | {s.where[0] for s in everything if s.where}
    numbers |= {"resolved" for s in everything if s.measure in (*OF_CASES, *OF_PROMISES)}
    named = {c for s in everything for c in (s.channel, s.topic) if c is not None}
    staged = STAGES if any(s.measure == "stage" for s in everything) else ()
    return Plan(
        signals=signals,
        roles={role: tuple(sorted(roles.get(role, ()))) for role in sorted(used)},
        timezone=timezone,
        kinds=tuple(sorted(kinds | {s.kind for s in everything if s.kind is not None})),
        numbers=tuple(sorted(numbers)),
        attributes=tuple(sorted(columns("attribute"))),
        offer_attributes=tuple(sorted(columns("offer_attribute"))),
        named=(*staged, *sorted(named - set(staged))),
    )


def bare(signal: Signal) -> Signal:
    """Return a signal without its why, which changes no value."""
    parts = tuple(bare(part) for part in signal.parts)
    return replace(signal, why="-", parts=parts)
