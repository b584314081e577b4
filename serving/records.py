"""Records: interactions as rows of the store and back, and which ones no database could hold."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from features.errors import InteractionError
from features.interactions import NUMBERS, ORDER, STRINGS, Interaction
from features.rules import INSTANT, NUMBER, TEXT, YEAR_1, YEAR_9999, Rule

FIELDS = ("customer_id", *ORDER)
SELECTED = tuple(Interaction.__dataclass_fields__)
"""The columns from which an interaction is built, in the order that ``interaction`` wants."""
TEXTS = ("customer_id", *STRINGS)


class _Open:
    """An interaction that is being filled: frozen ones are filled four times as slowly.

    It has the same slots, so that once it is full it can become one.
    """

    __slots__ = SELECTED


def interaction(customer_id: str, since: int, row: Sequence[Any]) -> Interaction:
    """Build a customer's interaction from a row of ``SELECTED``.

    Args:
        customer_id: whose it is; the row says under which key it was recorded.
        since: from when (microseconds UTC) that is known.
        row: the values as the driver gives them.
    """
    filled: Any = _Open()
    (
        _,
        filled.occurred_at,
        recorded_at,
        filled.kind,
        filled.interaction_id,
        filled.source,
        filled.channel,
        filled.topic,
        filled.case_id,
        filled.offer_id,
        filled.amount,
        filled.wait_minutes,
        filled.rating,
        resolved,
        filled.due_at,
        numbers,
    ) = row
    filled.customer_id = customer_id
    filled.recorded_at = since if since > recorded_at else recorded_at
    filled.resolved = None if resolved is None else bool(resolved)  # SQLite has no booleans
    filled.numbers = json.loads(numbers) if numbers else {}
    filled.__class__ = Interaction
    whole: Interaction = filled
    return whole


def record_of(item: Interaction, seq: int, recorded_at: int) -> dict[str, Any]:
    """Return the row of an interaction; NaN is missing, as in every database but PostgreSQL."""
    row = {name: getattr(item, name) for name in FIELDS}
    for name in NUMBERS:
        value = row[name]
        row[name] = None if value is None or value != value else float(value)
    row.update(
        seq=seq,
        recorded_at=recorded_at,
        source=item.source or "",
        numbers=numbers_text(item.numbers),
    )
    return row


def content(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes two records of one id the same: all but place and recording time."""
    return {name: row[name] for name in (*FIELDS, "numbers") if name != "recorded_at"}


def numbers_text(numbers: Mapping[str, float | None]) -> str | None:
    """Return further numbers as JSON in order of their names, ``None`` when there are none.

    >>> numbers_text({"points": 2, "age": float("nan"), "items": 1.5})
    '{"items": 1.5, "points": 2.0}'
    """
    present = {n: float(v) for n, v in sorted(numbers.items()) if v is not None and v == v}
    return json.dumps(present) if present else None


def numbers_of(texts: Sequence[str | None]) -> list[dict[str, float]]:
    """Return the further numbers of rows, as ``numbers_text`` wrote them.

    >>> numbers_of(['{"points": 2.0}', None])
    [{'points': 2.0}, {}]
    """
    if not any(texts):
        return [{}] * len(texts)
    numbers: list[dict[str, float]] = json.loads(f"[{','.join(text or '{}' for text in texts)}]")
    return numbers


def refusal(item: Interaction) -> InteractionError | None:
    """Return why an interaction cannot be held by every database, ``None`` when it can.

    PostgreSQL takes no null byte, no database takes half a surrogate pair, JSON no infinity.
    """
    for name in TEXTS:
        text = getattr(item, name)
        if text is not None and not is_storable(text):
            return _broken(TEXT, name, ascii(text[:40]))
    for name in ("occurred_at", "due_at"):
        instant = getattr(item, name)
        if instant is not None and not YEAR_1 <= instant <= YEAR_9999:
            return _broken(INSTANT, name, instant)
    for name in NUMBERS:
        value = getattr(item, name)
        if value is not None and math.isinf(value):
            return _broken(NUMBER, name, value)
    for name, value in item.numbers.items():
        if value is not None and math.isinf(value):
            return _broken(NUMBER, f"numbers.{name}", value)
    return None


def is_storable(text: str) -> bool:
    """Whether every database can hold a text.

    >>> is_storable("Zoë"), is_storable("a\\x00b"), is_storable("\\ud800")
    (True, False, False)
    """
    if "\x00" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _broken(rule: Rule, name: str, got: object) -> InteractionError:
    return InteractionError(name, got, rule.wanted, rule.remedy)
