"""The catalogue as text: under headings of meaning, what each signal measures and why."""

import textwrap
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from html import escape

from features.catalog import DataShape, customer_signals, offer_signals
from features.declaration import Signal
from features.english import counted
from features.groups import group_of
from features.meaning import PLAIN, meaning, unit_of
from features.wording import Wording

COLUMNS = ("group", "name", "meaning", "unit", "why")
NARROW = 110
"""Below so many characters a line, a signal takes lines of its own."""
_NAME, _UNIT, _WHY, _BETWEEN = 34, 12, 26, 2


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A signal of the catalogue, in words."""

    group: str
    name: str
    meaning: str
    unit: str
    why: str

    def __repr__(self) -> str:
        """Return it in lines for people."""
        return f"{self.name} ({self.group})\n  {self.meaning} [{self.unit}]\n  why: {self.why}"

    def _repr_html_(self) -> str:
        """Return it as notebooks show it."""
        name, group, said, unit, why = map(
            escape, (self.name, self.group, self.meaning, self.unit, self.why)
        )
        return f"<b><code>{name}</code></b> ({group})<br>{said} [{unit}]<br><i>why: {why}</i>"


def entries(shape: DataShape, wording: Wording = PLAIN) -> list[Entry]:
    """Return all signals that such data get, those of one group together."""
    found = [entry_of(signal, wording) for signal in offer_signals(shape)]
    groups = list(dict.fromkeys(entry.group for entry in found))
    return sorted(found, key=lambda entry: groups.index(entry.group))


def entry_of(signal: Signal, wording: Wording = PLAIN) -> Entry:
    """Return one signal in words.

    >>> from features.signals import days, interactions
    >>> (bad,) = interactions(role="negative").count(days(90), why="it loses them")
    >>> print(entry_of(bad))
    negative_count_90d (treatment)
      number of bad experiences in the 90 days before the instant [interactions]
      why: it loses them
    """
    said, unit = meaning(signal, wording), unit_of(signal, wording.currency)
    return Entry(group_of(signal), signal.name, said, unit, signal.why)


def tally(shape: DataShape) -> str:
    """Return how many signals such data get."""
    own = len(customer_signals(shape))
    more = len(offer_signals(shape)) - own
    return (
        f"{counted(own, 'signal', 'signals')} of a customer, {more} more of a customer and an offer"
    )


def tab_separated(listed: list[Entry]) -> Iterator[str]:
    """Yield the entries for other programs: a heading, then a line each."""
    yield "\t".join(COLUMNS)
    for entry in listed:
        yield "\t".join(" ".join(str(part).split()) for part in astuple(entry))


def table(listed: list[Entry], width: int) -> Iterator[str]:
    """Yield the entries for people, in lines that are no longer than the width allows."""
    group = ""
    for entry in listed:
        if entry.group != group:
            group = entry.group
            yield from ("", group.capitalize(), "-" * len(group))
        yield from _columns(entry, width) if width >= NARROW else _stacked(entry, width)


def _columns(entry: Entry, width: int) -> Iterator[str]:
    rest = width - _NAME - _UNIT - _WHY - 3 * _BETWEEN
    cells = [
        (_wrapped_name(entry.name, _NAME), _NAME),
        (textwrap.wrap(entry.meaning, rest), rest),
        (textwrap.wrap(entry.unit, _UNIT), _UNIT),
        (textwrap.wrap(entry.why, _WHY), _WHY),
    ]
    for place in range(max(len(lines) for lines, _ in cells)):
        parts = [(lines[place] if place < len(lines) else "").ljust(w) for lines, w in cells]
        yield (" " * _BETWEEN).join(parts).rstrip()


def _stacked(entry: Entry, width: int) -> Iterator[str]:
    yield entry.name
    for text in (f"{entry.meaning} [{entry.unit}]", f"why: {entry.why}"):
        yield from textwrap.wrap(
            text, max(width, 20), initial_indent="  ", subsequent_indent="    "
        )


def _wrapped_name(name: str, width: int) -> list[str]:
    """Return a name in lines that break where its words do."""
    lines = [""]
    for word in name.replace("_", "_ ").split():
        if lines[-1] and len(lines[-1]) + len(word) > width - 2 * bool(lines[1:]):
            lines.append("")
        lines[-1] += word
    return [lines[0], *(f"  {line}" for line in lines[1:])]
