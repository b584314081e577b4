"""Interactions: their columns, their order, and what makes one wrong."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from features import clock
from features.errors import InteractionError, nearest
from features.rules import (
    CLOCK_SKEW,
    INSTANT,
    KIND,
    NUMBER,
    RANGES,
    TEXT,
    YEAR_1,
    YEAR_9999,
    Rule,
    is_text,
)

INSTANTS = ("occurred_at", "recorded_at")
STRINGS = ("interaction_id", "source", "kind", "channel", "topic", "case_id", "offer_id")
NUMBERS = ("amount", "wait_minutes", "rating")
ORDER = (*INSTANTS, *STRINGS, *NUMBERS, "resolved", "due_at")
"""The canonical order of one customer's interactions; further numeric columns follow by name."""
COLUMNS = ("customer_id", *ORDER)

_FIELDS = attrgetter(*ORDER)
_INSTANTS = attrgetter(*INSTANTS)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that happened between the customer and the business.

    Instants are microseconds since 1970 UTC; ``amount`` is money in the project's currency,
    ``rating`` lies in 0 to 1; ``numbers`` holds the further columns that the settings declare.
    ``None`` is missing.
    """

    customer_id: str
    occurred_at: int
    recorded_at: int
    kind: str
    interaction_id: str | None = None
    source: str | None = None
    channel: str | None = None
    topic: str | None = None
    case_id: str | None = None
    offer_id: str | None = None
    amount: float | None = None
    wait_minutes: float | None = None
    rating: float | None = None
    resolved: bool | None = None
    due_at: int | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A fact about a customer, known from ``known_at`` (``clock.EVER`` when undated).

    ``since`` is from when the key that it stands under is known to be the customer's. A fact
    counts after the later of the two; of those that count, the latest is that of ``known_at``.
    """

    customer_id: str
    known_at: int
    name: str
    value: str
    since: int = clock.EVER


def is_further(name: str) -> bool:
    """Whether a further numeric column may have a name: SQL tells it from any other's.

    >>> is_further("points"), is_further("Points"), is_further("amount")
    (True, False, False)
    """
    return name not in COLUMNS and re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None


def number(interaction: Interaction, column: str) -> float | None:
    """Return a numeric column of an interaction, ``None`` when it is missing or no number.

    ``resolved`` is 1 or 0.
    """
    value = _given(interaction, column)
    return None if value is None or value != value else float(value)


def _given(interaction: Interaction, column: str) -> float | None:
    if column in NUMBERS or column == "resolved":
        value: float | None = getattr(interaction, column)
        return value
    return interaction.numbers.get(column)


def canonical_order(interactions: Iterable[Interaction]) -> list[Interaction]:
    """Sort one customer's interactions so that equal sets come out in one order.

    Missing sorts before any value, and NaN is missing; negative zero equals zero, text sorts by
    code point, further numeric columns come last, by name.
    """
    ordered = sorted(interactions, key=_INSTANTS)
    n, begin = len(ordered), 0
    for end in range(1, n + 1):
        if end < n and _INSTANTS(ordered[end]) == _INSTANTS(ordered[begin]):
            continue
        if end - begin > 1:
            ordered[begin:end] = _tied_order(ordered[begin:end])
        begin = end
    return ordered


def _tied_order(tied: list[Interaction]) -> list[Interaction]:
    further = sorted({name for item in tied if item.numbers for name in item.numbers})
    rows = [(*_FIELDS(item), *(item.numbers.get(name) for name in further)) for item in tied]
    columns = zip(*rows, strict=True)
    # Most fields are the same in all: comparing those would take most of the time.
    differ = [k for k, (first, *rest) in enumerate(columns) if any(v != first for v in rest)]

    def key(place: int) -> list[tuple[bool, object]]:
        values = [rows[place][k] for k in differ]
        # NaN is not even itself: compared, it would leave the order to the input.
        return [(True, v) if v is not None and v == v else (False, 0) for v in values]

    return [tied[place] for place in sorted(range(len(tied)), key=key)]


def first_recorded(ordered: Iterable[Interaction]) -> list[Interaction]:
    """Keep, of the interactions of one customer that share source and id, the first recorded.

    Args:
        ordered: interactions in canonical order, which decides between those recorded at once.
    """
    kept: list[Interaction] = []
    place: dict[tuple[str | None, str], int] = {}
    dropped: set[int] = set()
    for item in ordered:
        if item.interaction_id is not None:
            key = (item.source, item.interaction_id)
            earlier = place.get(key)
            if earlier is not None and kept[earlier].recorded_at <= item.recorded_at:
                continue
            if earlier is not None:
                dropped.add(earlier)
            place[key] = len(kept)
        kept.append(item)
    return [item for i, item in enumerate(kept) if i not in dropped] if dropped else kept


def check_interaction(
    item: Interaction, kinds: frozenset[str], declared: frozenset[str], now: int
) -> None:
    """Refuse an interaction that cannot be recorded.

    Args:
        item: the interaction as it was sent.
        kinds: the kinds that the settings' roles know.
        declared: the further numeric columns that the settings declare.
        now: the recording clock, microseconds since 1970 UTC.

    Raises:
        InteractionError: with the field, the value got, what is wanted and the remedy.
    """
    for name in (
        "customer_id",
        "kind",
        "interaction_id",
        "channel",
        "topic",
        "case_id",
        "offer_id",
    ):
        _check_text(name, getattr(item, name), required=name in ("customer_id", "kind"))
    if item.kind not in kinds:
        near = nearest(item.kind, sorted(kinds))
        raise InteractionError("kind", repr(item.kind), KIND.wanted, f"{near} {KIND.remedy}")
    for name in ("occurred_at", "due_at"):
        instant = getattr(item, name)
        if instant is not None and not YEAR_1 <= instant <= YEAR_9999:
            raise _broken(INSTANT, name, instant)
    if item.occurred_at > now + CLOCK_SKEW:
        raise InteractionError(
            "occurred_at",
            clock.isoformat(item.occurred_at),
            f"a time before the recording clock, {clock.isoformat(now)}",
            "Send it once it has happened; a time without a zone is read in the project's. "
            "Where [project] clock is set, it is that.",
        )
    for name in (*NUMBERS, *item.numbers):
        value = _given(item, name)
        if value is not None and not math.isfinite(value):
            raise _broken(NUMBER, name, value)
    for name, allowed in RANGES.items():
        value = number(item, name)
        if value is not None and not allowed.low <= value <= allowed.high:
            raise _broken(allowed.rule, name, value)
    if unknown := sorted(set(item.numbers) - declared):
        raise InteractionError(
            f"numbers.{unknown[0]}",
            item.numbers[unknown[0]],
            "a number the settings declare",
            nearest(unknown[0], sorted(declared)),
        )


def _check_text(name: str, value: str | None, required: bool) -> None:
    if (value is None and required) or (value is not None and not is_text(value)):
        raise _broken(
            TEXT, name, repr(value if value is None or len(value) <= 40 else value[:40] + "…")
        )


def _broken(rule: Rule, name: str, got: object) -> InteractionError:
    return InteractionError(name, got, rule.wanted, rule.remedy)
