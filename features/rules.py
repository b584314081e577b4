"""What makes an interaction wrong: the rules that the API and the reader of tables share."""

import math
from dataclasses import dataclass

REQUIRED = ("customer_id", "occurred_at", "kind")
LONGEST_TEXT = 500
YEAR_1, YEAR_9999 = -62_135_596_800_000_000, 253_402_300_799_999_999
CLOCK_SKEW = 300_000_000
"""How far (microseconds) an interaction may lie ahead of the clock that records it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value should be, and what to do about one that is not."""

    wanted: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers a column may hold, both ends included."""

    low: float
    high: float
    rule: Rule


TEXT = Rule(f"1 to {LONGEST_TEXT} characters of text", "Shorten it, or leave out what is unknown.")
KIND = Rule("a kind that [roles] in the settings knows", "A new kind is added under [roles].")
INSTANT = Rule("a time of the years 1 to 9999", "Mend it.")
NUMBER = Rule("a finite number", "Leave out what is unknown.")
RANGES = {
    "rating": Range(0.0, 1.0, Rule("a number from 0 to 1", "Divide by the best rating.")),
    "wait_minutes": Range(0.0, math.inf, Rule("minutes of at least 0", "Give the time waited.")),
}


def is_text(value: str) -> bool:
    """Whether text can be recorded: neither empty nor too long, and any database takes it.

    >>> is_text("007"), is_text(""), is_text("a\\x00b")
    (True, False, False)
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return 1 <= len(value) <= LONGEST_TEXT and "\x00" not in value
