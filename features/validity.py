"""Validity: which declarations of signals mean something."""

import math
import re
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from features.declaration import Signal

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
_MAY_BE_TEXT = ("attribute", "offer_attribute", "favourite", "stage")
_COLUMNS = {
    CODE: CODE_COLUMNS,
    HABIT: (*TEXT_COLUMNS, *MOMENT_COLUMNS),
    MOMENT: MOMENT_COLUMNS,
    INSTANT: CALENDAR,
}
_COLUMN = re.compile(r"[A-Za-z_]\w*")
_ATTRIBUTE = re.compile(r".*\w.*")


def check(signal: "Signal") -> None:
    """Refuse a declaration that means nothing.

    Raises:
        DeclarationError: what the signal takes and what it is given do not go together.
    """
    _one_of("measure", signal.measure, tuple(MEASURES))
    takes = MEASURES[signal.measure]
    for role in (signal.role, signal.than):
        if role is not None:
            _one_of("role", role, ROLES)
    if signal.same is not None:
        _one_of("same", signal.same, ("topic", "offer"))
        _one_of("keyed measure", signal.measure, tuple(n for n, m in MEASURES.items() if m.keyed))
    _check_texts(signal)
    _check_where(signal)
    _check_days(signal, takes)
    _check_column(signal, takes)
    _check_parts(signal, takes)
    if not signal.number and signal.measure not in _MAY_BE_TEXT:
        raise DeclarationError(
            f"number of {signal.measure}", False, "True: it is a number", "Leave it out."
        )


def is_days(given: object) -> bool:
    """Return whether something is a whole number of days that can be looked back.

    >>> is_days(28), is_days(0), is_days(0.5), is_days(True)
    (True, False, False, False)
    """
    return isinstance(given, int) and not isinstance(given, bool) and 0 < given <= LONGEST_WINDOW


def _check_texts(signal: "Signal") -> None:
    for name in ("kind", "channel", "topic"):
        given = getattr(signal, name)
        if given is not None and not (isinstance(given, str) and given.strip()):
            raise DeclarationError(
                f"{name} of {signal.measure}",
                repr(given),
                "a text that is not blank",
                f"Leave the {name} out to take interactions of any.",
            )


def _check_where(signal: "Signal") -> None:
    if signal.where is None:
        return
    if not isinstance(signal.where, tuple) or len(signal.where) != 3:
        raise DeclarationError(
            f"comparison of {signal.measure}",
            repr(signal.where),
            "a column, a comparison and a number",
            "Write for example where=('rating', '<', 0.5).",
        )
    column, comparison, bound = signal.where
    if not (isinstance(column, str) and _COLUMN.fullmatch(column)):
        raise DeclarationError(
            f"column compared by {signal.measure}",
            repr(column),
            "the name of a numeric column",
            "Write for example where=('rating', '<', 0.5).",
        )
    _numeric(f"column compared by {signal.measure}", column)
    _one_of("comparison", comparison, COMPARISONS)
    if not _finite(bound):
        raise DeclarationError(
            f"number that {signal.measure} compares {column} with",
            repr(bound),
            "a finite number",
            "What is true or false compares as 1 or 0.",
        )


def _finite(given: object) -> bool:
    """Return whether something is a number that a float can hold."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    try:
        return math.isfinite(given)
    except OverflowError:
        return False


def _check_days(signal: "Signal", takes: Measure) -> None:
    if signal.window is not None and not (takes.windowed and is_days(signal.window)):
        raise DeclarationError(
            f"window of {signal.measure}",
            signal.window,
            f"1 to {LONGEST_WINDOW} whole days, on "
            + " or ".join(m.name for m in MEASURES.values() if m.windowed),
            "Use days(28), or no window for the whole history.",
        )
    if signal.window is None and signal.measure.startswith("trend"):
        raise DeclarationError(
            f"window of {signal.measure}", None, f"1 to {LONGEST_WINDOW} days", "Use days(28)."
        )
    for name in ("half_life", "within", "least", "half"):
        given = getattr(signal, name)
        bad = given is not None and not is_days(given)
        if (takes.parameter == name) != (given is not None) or bad:
            raise DeclarationError(
                f"{name.replace('_', '-')} of {signal.measure}",
                given,
                f"a whole number from 1 to {LONGEST_WINDOW}" if takes.parameter == name else "none",
                "Write for example decayed_count(half_lives=days(28)).",
            )


def _check_column(signal: "Signal", takes: Measure) -> None:
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


def _check_parts(signal: "Signal", takes: Measure) -> None:
    enough = len(signal.parts) == takes.parts if takes.parts >= 0 else bool(signal.parts)
    weighed = signal.prior is None or (
        len(signal.prior) == 2 and all(map(_finite, signal.prior)) and signal.prior[1] > 0
    )
    if not enough or (signal.measure == "ratio") != bool(signal.prior) or not weighed:
        raise DeclarationError(
            f"parts of {signal.measure}",
            f"{len(signal.parts)} signals and the prior {signal.prior}",
            "the signals it is made of, and for a ratio a prior of two numbers, the weight above 0",
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
