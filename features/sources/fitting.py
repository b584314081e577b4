"""Fitting: what a column must be called and hold to be one of ours."""

import re
from collections.abc import Callable, Iterable

from features.sources.profile import Column, Profile
from features.sources.words import (
    CASE,
    CHANNEL,
    ID,
    KIND,
    MONEY,
    OFFER,
    PART,
    RATING,
    RESOLVED,
    TOPIC,
    TRUTHS,
    WAIT,
)

FEW_KINDS, FEW_CHANNELS, FEW_TOPICS = 60, 30, 2_000
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+")
SINCE = (600_000_000, 2_500_000_000)
"""Seconds from 1970 to 1989 and to 2049."""
Sought = tuple[tuple[str, set[str], Callable[[Column], bool]], ...]
"""Columns of ours, each with the words that theirs are called by and with what they must hold."""


def first_of(
    table: Profile,
    words: set[str],
    fits: Callable[[Column], bool],
    taken: Iterable[str] = (),
) -> Column | None:
    """Return the column that is called by one of the words and fits, the plainest name first."""
    named = [
        c
        for c in table.columns.values()
        if c.name not in taken and set(c.words) & words and fits(c)
    ]
    return min(named, key=lambda c: len(c.words), default=None)


def is_id(column: Column) -> bool:
    """Whether a column may hold ids."""
    return bool(column.filled) and not column.is_time and (column.is_whole or not column.is_number)


def is_named(column: Column) -> bool:
    """Whether a column of whole numbers is one of names, not of amounts."""
    return bool(set(column.words) & (ID | {"code", "zip", "postcode", "phone", "year"}))


def is_money(column: Column) -> bool:
    """Whether a column may hold whole amounts, not a part or a rate of them."""
    return column.is_number and not is_named(column) and not set(column.words) & PART


def is_since_1970(column: Column) -> bool:
    """Whether whole numbers may be the seconds or milliseconds since 1970 of our times."""
    if not column.is_whole or column.least is None or column.greatest is None:
        return False
    least, greatest = column.least, column.greatest
    return any(SINCE[0] * n <= least <= greatest <= SINCE[1] * n for n in (1, 1000))


def may_have_thousands(column: Column) -> bool:
    """Whether the commas of a column may stand between thousands, not before decimals."""
    with_comma = [value.strip() for value in column.values if "," in value]
    return bool(with_comma) and all(THOUSANDS.fullmatch(value) for value in with_comma)


def _is_category(most: int) -> Callable[[Column], bool]:
    def fits(column: Column) -> bool:
        return not (column.is_time or column.is_number) and 1 <= column.distinct <= most

    return fits


def _is_share(column: Column) -> bool:
    return column.is_number and (column.least or 0) >= 0 and (column.greatest or 0) <= 1


def _is_wait(column: Column) -> bool:
    seconds = {"s", "sec", "secs", "second", "seconds", "ms", "hours", "h"}
    return column.is_number and (column.least or 0) >= 0 and not set(column.words) & seconds


def _is_truth(column: Column) -> bool:
    return not column.is_time and {value.strip().lower() for value in column.values} <= TRUTHS


SOUGHT: Sought = (
    ("kind", KIND, _is_category(FEW_KINDS)),
    ("channel", CHANNEL, _is_category(FEW_CHANNELS)),
    ("case_id", CASE, is_id),
    ("offer_id", OFFER, is_id),
    ("wait_minutes", WAIT, _is_wait),
    ("rating", RATING, _is_share),
    ("resolved", RESOLVED, _is_truth),
    ("topic", TOPIC, _is_category(FEW_TOPICS)),
)


OFFERED: Sought = (
    ("valid_from", {"from", "start", "begin", "starts"}, lambda c: c.is_time),
    ("valid_to", {"to", "end", "until", "ends", "expires", "expiry"}, lambda c: c.is_time),
    ("topics", TOPIC | {"topics", "categories", "products"}, lambda c: not c.is_number),
    ("channels", CHANNEL | {"channels"}, lambda c: not c.is_number),
    ("cost", {"cost", "costs"}, lambda c: c.is_number),
    ("customer_value", {"benefit", "saving", "savings", "customer"}, lambda c: c.is_number),
    ("value", MONEY | {"margin", "profit"}, lambda c: c.is_number),
    ("stock", {"stock", "available"}, lambda c: c.is_whole),
)
