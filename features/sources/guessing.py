"""Guessing: what the columns and tables of an unknown deployment mean, and by what it was told."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from features.sources.naming import number_name
from features.sources.profile import Column, Profile, words_of
from features.sources.words import (
    ABOUT,
    CASE,
    CHANNEL,
    CUSTOMER,
    DUE,
    GROUP,
    ID,
    KIND,
    LATER,
    MEANINGS,
    MONEY,
    NOT_WHO,
    OFFER,
    PRICE,
    QUANTITY,
    RATING,
    RESOLVED,
    TOPIC,
    TRUTHS,
    WAIT,
    WHEN,
)

FEW_KINDS, FEW_CHANNELS, FEW_TOPICS = 60, 30, 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a table of interactions holds, by our names for its columns.

    ``columns`` and ``numbers`` map ours to the table's (a product has ``*`` between two), ``left``
    are columns that mean nothing to us, each with the reason.
    """

    columns: dict[str, str]
    numbers: dict[str, str] = field(default_factory=dict)
    group: str | None = None
    time_format: str | None = None
    decimal: str = "."
    left: dict[str, str] = field(default_factory=dict)


def role_of(kind: str) -> str | None:
    """Return the role that a kind's name speaks of, ``None`` where it says nothing.

    >>> role_of("purchase"), role_of("Support-Call"), role_of("page_view")
    ('value', 'contact', None)
    """
    words = {re.sub(r"(?<=[a-z]{3})s$", "", word) for word in words_of(kind)} | {*words_of(kind)}
    return next((role for role, names in MEANINGS.items() if words & names), None)


def customer_column(table: Profile) -> Column | None:
    """Return the column that says who, ``None`` where none looks like it."""
    ids = [c for c in table.columns.values() if _is_id(c) and not set(c.words) & (MONEY | ABOUT)]
    named = [c for c in ids if set(c.words) & CUSTOMER]
    if not named:  # an id that repeats and is not that of something else
        named = [
            c
            for c in ids
            if set(c.words) & ID and not set(c.words) & NOT_WHO and c.distinct < c.filled
        ]
    return max(named, key=lambda c: (bool(set(c.words) & ID), -_place(table, c)), default=None)


def offer_column(table: Profile) -> Column | None:
    """Return the column that names offers, ``None`` where none looks like it."""
    return _first(table, OFFER, _is_id)


def time_columns(table: Profile) -> list[Column]:
    """Return the columns of times, in the table's order."""
    return [column for column in table.columns.values() if column.is_time]


def guess(table: Profile) -> Found | None:
    """Return what a table of interactions holds; ``None`` where who or when is missing."""
    who, times = customer_column(table), time_columns(table)
    if who is None or not times:
        return None
    taken = {who.name}
    columns = {"customer_id": who.name}
    for name, column in _times(times).items():
        columns[name] = column.name
        taken.add(column.name)
    form = table.columns[columns["occurred_at"]].form
    group = _group(table, taken)
    taken |= {group.name} if group else set()
    for name, words, fits in SOUGHT:
        sought = _first(table, words, fits, taken)
        if sought is not None:
            columns[name] = sought.name
            taken.add(sought.name)
    amount, factors = _amount(table, taken)
    if amount:
        columns["amount"] = amount
        taken |= factors
    once = group is not None and group.distinct == group.rows
    own = group if once else None if group else _own_id(table, taken)
    if own is not None:
        columns["interaction_id"] = own.name
        taken.add(own.name)
    numbers, left = _others(table, taken, factors)
    decimals = [table.columns[name].decimal for name in (*factors, *numbers.values())]
    return Found(
        columns,
        numbers,
        None if once or group is None else group.name,
        form,
        "," if "," in decimals else ".",
        left,
    )


def _times(times: list[Column]) -> dict[str, Column]:
    """Say of columns of times which is which; the first that says nothing else is when."""
    found: dict[str, Column] = {}
    for name, words in (("recorded_at", LATER), ("due_at", DUE)):
        told = [c for c in times if set(c.words) & words and len(times) > 1 + len(found)]
        if told:
            found[name] = told[0]
    rest = [c for c in times if c not in found.values()]
    found["occurred_at"] = max(rest, key=lambda c: (len(set(c.words) & WHEN), -times.index(c)))
    return {name: c for name, c in found.items() if c.form == found["occurred_at"].form}


def _group(table: Profile, taken: set[str]) -> Column | None:
    """Return the column whose values name one purchase each, whose lines the rows may be."""
    named = [
        c
        for c in table.columns.values()
        if c.name not in taken and _is_id(c) and not c.missing and set(c.words) & GROUP
    ]
    return max(named, key=lambda c: bool(set(c.words) & ID), default=None)


def _own_id(table: Profile, taken: set[str]) -> Column | None:
    """Return the column that names each row."""
    named = [
        c
        for c in table.columns.values()
        if c.name not in taken and _is_id(c) and c.distinct == c.rows and set(c.words) & ID
    ]
    return named[0] if named else None


def _amount(table: Profile, taken: set[str]) -> tuple[str | None, set[str]]:
    """Return the column of money, or the product that is it, and the columns it is made of."""
    total = _first(table, MONEY, _is_money, taken)
    if total:
        return total.name, {total.name}
    price = _first(table, PRICE, lambda c: c.is_number, taken)
    quantity = _first(table, QUANTITY, lambda c: c.is_number, taken)
    if price and quantity:
        return f"{quantity.name} * {price.name}", {quantity.name, price.name}
    return (price.name, {price.name}) if price else (None, set())


def _others(
    table: Profile, taken: Iterable[str], factors: Iterable[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the further numbers, by a name of ours, and what is left out with the reason."""
    numbers: dict[str, str] = {}
    left: dict[str, str] = {}
    counted = [c for c in factors if set(table.columns[c].words) & QUANTITY]
    for column in table.columns.values():
        is_counted = column.name in counted
        if column.name in taken and not is_counted:
            continue
        if column.is_number and (is_counted or not _is_named(column)):
            numbers[number_name(column.name, numbers)] = column.name
        elif column.name not in taken:
            left[column.name] = _why_left(column)
    return numbers, left


def _why_left(column: Column) -> str:
    if not column.filled:
        return "empty"
    if column.is_time:
        return "another time"
    return "an id or text" if column.distinct > FEW_TOPICS else "a category"


def _first(
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


def _is_id(column: Column) -> bool:
    return bool(column.filled) and not column.is_time and (column.is_whole or not column.is_number)


def _is_named(column: Column) -> bool:
    """Whether a column of whole numbers is one of names, not of amounts."""
    return bool(set(column.words) & (ID | {"code", "zip", "postcode", "phone", "year"}))


def _is_money(column: Column) -> bool:
    return column.is_number and not _is_named(column)


def _is_category(most: int) -> Callable[[Column], bool]:
    def fits(column: Column) -> bool:
        return not (column.is_time or column.is_number) and 1 <= column.distinct <= most

    return fits


def _place(table: Profile, column: Column) -> int:
    return list(table.columns).index(column.name)


def _is_share(column: Column) -> bool:
    return column.is_number and (column.least or 0) >= 0 and (column.greatest or 0) <= 1


def _is_wait(column: Column) -> bool:
    seconds = {"s", "sec", "secs", "second", "seconds", "ms", "hours", "h"}
    return column.is_number and (column.least or 0) >= 0 and not set(column.words) & seconds


def _is_truth(column: Column) -> bool:
    return not column.is_time and {value.lower() for value in column.values} <= TRUTHS


SOUGHT: tuple[tuple[str, set[str], Callable[[Column], bool]], ...] = (
    ("kind", KIND, _is_category(FEW_KINDS)),
    ("channel", CHANNEL, _is_category(FEW_CHANNELS)),
    ("case_id", CASE, _is_id),
    ("offer_id", OFFER, _is_id),
    ("wait_minutes", WAIT, _is_wait),
    ("rating", RATING, _is_share),
    ("resolved", RESOLVED, _is_truth),
    ("topic", TOPIC, _is_category(FEW_TOPICS)),
)


def offers_columns(table: Profile) -> dict[str, str]:
    """Return what a table of offers holds, by our names for its columns."""
    offer = offer_column(table)
    assert offer is not None  # who calls asked
    found, taken = {"offer_id": offer.name}, {offer.name}
    for name, words, fits in OFFERED:
        column = _first(table, words, fits, taken)
        if column is not None and (name != "value" or "customer" not in column.words):
            found[name] = column.name
            taken.add(column.name)
    return found


OFFERED: tuple[tuple[str, set[str], Callable[[Column], bool]], ...] = (
    ("valid_from", {"from", "start", "begin", "starts"}, lambda c: c.is_time),
    ("valid_to", {"to", "end", "until", "ends", "expires", "expiry"}, lambda c: c.is_time),
    ("topics", TOPIC | {"topics", "categories", "products"}, lambda c: not c.is_number),
    ("channels", CHANNEL | {"channels"}, lambda c: not c.is_number),
    ("cost", {"cost", "costs"}, lambda c: c.is_number),
    ("customer_value", {"benefit", "saving", "savings", "customer"}, lambda c: c.is_number),
    ("value", MONEY | {"margin", "profit"}, lambda c: c.is_number),
    ("stock", {"stock", "available"}, lambda c: c.is_whole),
)


def roles_of(kinds: Mapping[str, bool]) -> dict[str, list[str]]:
    """Return the roles of kinds by their names; ``kinds`` says of each whether it has amounts.

    Something must carry value: where no name says so, what has amounts, else the first.
    """
    roles: dict[str, list[str]] = {}
    for kind in kinds:
        roles.setdefault(role_of(kind) or "other", []).append(kind)
    if "value" not in roles:
        paid = [
            kind for kind, has_amounts in kinds.items() if has_amounts and role_of(kind) is None
        ]
        chosen = paid or [kind for kind in kinds if role_of(kind) is None][:1] or [*kinds][:1]
        for role in list(roles):
            roles[role] = [kind for kind in roles[role] if kind not in chosen]
        roles["value"] = chosen
    return {role: sorted(found) for role, found in roles.items() if found}
