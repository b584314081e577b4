"""Guessing: what the columns and tables of an unknown deployment mean, and by what it was told."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from features.sources.fitting import (
    FEW_TOPICS,
    OFFERED,
    SOUGHT,
    first_of,
    is_id,
    is_money,
    is_named,
    is_since_1970,
    may_have_thousands,
)
from features.sources.kinds import is_of_people
from features.sources.naming import number_name
from features.sources.profile import Column, Profile
from features.sources.words import (
    ABOUT,
    ARTICLE,
    CUSTOMER,
    DUE,
    GROUP,
    ID,
    KNOWN,
    LATER,
    MONEY,
    NOT_WHO,
    OFFER,
    PERSONAL,
    PRICE,
    QUANTITY,
    RATE,
    STAFF,
    WHEN,
)

SECONDS = (
    "seconds or milliseconds since 1970: write times such as 2017-11-30T16:45:00Z, of a database "
    "by its `query`"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a table of interactions holds, by our names for its columns.

    ``columns`` and ``numbers`` map ours to the table's (a product has ``*`` between two), ``sums``
    are those that are added up over the lines of a ``group``, ``left`` are columns that mean
    nothing to us, each with the reason; ``asked`` are questions about columns of ours.
    """

    columns: dict[str, str]
    numbers: dict[str, str] = field(default_factory=dict)
    sums: tuple[str, ...] = ()
    group: str | None = None
    time_format: str | None = None
    decimal: str = "."
    left: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)


def customer_column(table: Profile) -> Column | None:
    """Return the column that says who, ``None`` where none looks like it."""
    ids = [c for c in table.columns.values() if is_id(c) and not set(c.words) & (MONEY | ABOUT)]
    named = [c for c in ids if set(c.words) & CUSTOMER]
    if not named and is_of_people(table.label):
        named = [c for c in ids if set(c.words) <= ID and c.distinct == c.rows]
    if not named:
        named = [c for c in table.columns.values() if _is_email(c)]
    if not named:  # an id that repeats and is not that of something else
        named = [
            c
            for c in ids
            if set(c.words) & ID and not set(c.words) & NOT_WHO and c.distinct < c.filled
        ]
    return max(
        named,
        key=lambda c: (bool(set(c.words) & ID), -list(table.columns).index(c.name)),
        default=None,
    )


def _is_email(column: Column) -> bool:
    """Whether a column holds the addresses of customers, not of those who serve them."""
    words = set(column.words)
    held = bool(column.values) and all("@" in value for value in column.values)
    return held and bool(words & {"email", "mail"}) and not words & STAFF


def seconds_column(table: Profile) -> Column | None:
    """Return a column of whole numbers that look like seconds or milliseconds since 1970."""
    return first_of(table, WHEN | KNOWN | {"epoch", "unix", "created", "sold"}, is_since_1970)


def offer_column(table: Profile) -> Column | None:
    """Return the column that names offers, ``None`` where none looks like it."""
    return first_of(table, OFFER, is_id)


def time_columns(table: Profile) -> list[Column]:
    """Return the columns of times, in the table's order."""
    return [column for column in table.columns.values() if column.is_time]


def guess(table: Profile, repeated: Collection[str] = ()) -> Found | None:
    """Return what a table of interactions holds; ``None`` where who or when is missing.

    Args:
        table: the table.
        repeated: the columns that say the same on each line of a group.
    """
    decimal = _decimal(table)
    other = {c.name for c in table.columns.values() if c.decimal not in (None, decimal)}
    of_one_sign = {name: c for name, c in table.columns.items() if name not in other}
    found = _guess(replace(table, columns=of_one_sign), repeated)
    if found is None:
        return None
    why = f"numbers whose decimals do not begin with '{decimal}' as the amounts' do: mend them"
    amount = table.columns.get(found.columns.get("amount", ""))
    if amount is not None and amount.is_number and may_have_thousands(amount):
        found.asked["amount"] = "or are its commas between thousands? Then take them out"
    return replace(found, decimal=decimal, left=found.left | dict.fromkeys(sorted(other), why))


def _guess(table: Profile, repeated: Collection[str]) -> Found | None:
    """Say what a table of interactions holds whose numbers are written alike."""
    who, times = customer_column(table), time_columns(table)
    if who is None or not times:
        return None
    taken = {who.name}
    columns = {"customer_id": who.name}
    for name, column in _times(times).items():
        columns[name] = column.name
        taken.add(column.name)
    when = table.columns[columns["occurred_at"]]
    asked = {"occurred_at": "did it happen then, or is it a record's time?"}
    group = _group(table, taken)
    taken |= {group.name} if group else set()
    for name, words, fits in SOUGHT:
        sought = first_of(table, words, fits, taken)
        if sought is not None:
            columns[name] = sought.name
            taken.add(sought.name)
    amount, factors = _amount(table, taken, repeated)
    if amount:
        columns["amount"] = amount
        taken |= factors
    once = group is not None and group.distinct == group.rows
    own = group if once else None if group else _own_id(table, taken)
    if own is not None:
        columns["interaction_id"] = own.name
        taken.add(own.name)
    numbers, left = _others(table, taken, factors, group is not None and not once)
    added = {"amount": amount} if amount else {}
    return Found(
        columns,
        numbers,
        tuple(name for name, of in (added | numbers).items() if of not in repeated),
        None if once or group is None else group.name,
        when.form,
        left=left,
        asked=asked if _is_of_record(when) else {},
    )


def _decimal(table: Profile) -> Literal[".", ","]:
    """Return the sign before the decimals: that of the amounts, else of the first number."""
    money = [first_of(table, words, is_money) for words in (MONEY, PRICE)]
    signs = [c.decimal for c in (*money, *table.columns.values()) if c is not None]
    return "," if next((sign for sign in signs if sign is not None), ".") == "," else "."


def _times(times: list[Column]) -> dict[str, Column]:
    """Say of columns of times which is which; the first that says nothing else is when."""
    found: dict[str, Column] = {}
    for name, words in (("recorded_at", LATER), ("due_at", DUE)):
        told = [c for c in times if set(c.words) & words and len(times) > 1 + len(found)]
        if told:
            found[name] = told[0]
    rest = [c for c in times if c not in found.values()]
    found["occurred_at"] = max(
        rest,
        key=lambda c: (not _is_of_record(c), len(set(c.words) & WHEN), -times.index(c)),
    )
    return {name: c for name, c in found.items() if c.form == found["occurred_at"].form}


def _is_of_record(column: Column) -> bool:
    """Whether times are those of a record or a person, not of what happened."""
    return bool(set(column.words) & (KNOWN | PERSONAL))


def _group(table: Profile, taken: set[str]) -> Column | None:
    """Return the column whose values name one purchase each, whose lines the rows may be."""
    named = [
        c
        for c in table.columns.values()
        if c.name not in taken and is_id(c) and not c.missing and set(c.words) & GROUP
        if not set(c.words) & (MONEY | PRICE | QUANTITY)
    ]
    return max(named, key=lambda c: bool(set(c.words) & ID), default=None)


def _own_id(table: Profile, taken: set[str]) -> Column | None:
    """Return the column that names each row."""
    named = [
        c
        for c in table.columns.values()
        if c.name not in taken and is_id(c) and c.distinct == c.rows and set(c.words) & ID
    ]
    return named[0] if named else None


def _amount(
    table: Profile, taken: set[str], repeated: Collection[str]
) -> tuple[str | None, set[str]]:
    """Return the column of money, or the product that is it, and the columns it is made of.

    The total of the whole, which its lines repeat, comes before what each of them cost.
    """
    total = first_of(table, MONEY, lambda c: is_money(c) and c.name in repeated, taken)
    total = total or first_of(table, MONEY, is_money, taken)
    if total:
        return total.name, {total.name}
    price = first_of(table, PRICE, lambda c: c.is_number, taken)
    quantity = first_of(table, QUANTITY, lambda c: c.is_number, taken)
    if price and quantity:
        return f"{quantity.name} * {price.name}", {quantity.name, price.name}
    return (price.name, {price.name}) if price else (None, set())


def _others(
    table: Profile, taken: Iterable[str], factors: Iterable[str], lines: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the further numbers, by a name of ours, and what is left out with the reason."""
    numbers: dict[str, str] = {}
    left: dict[str, str] = {}
    counted = [c for c in factors if set(table.columns[c].words) & QUANTITY]
    for column in table.columns.values():
        is_counted = column.name in counted
        if column.name in taken and not is_counted:
            continue
        if is_since_1970(column) and set(column.words) & (WHEN | KNOWN):
            left[column.name] = SECONDS
        elif lines and column.is_number and set(column.words) & (PRICE | RATE):
            left.setdefault(column.name, "a price or rate of each line, no sum of which says much")
        elif column.is_number and (is_counted or not is_named(column)):
            numbers[_called(column, numbers)] = column.name
        elif column.name not in taken:
            left[column.name] = _why_left(column)
    return numbers, left


def _called(column: Column, taken: Collection[str]) -> str:
    """Return our name for a further number; pieces have one name, whatever theirs."""
    pieces = set(column.words) <= QUANTITY | {"item", "items", "sold", "ordered"}
    return number_name("items" if column.words and pieces else column.name, taken)


def _why_left(column: Column) -> str:
    if not column.filled:
        return "empty"
    if column.is_time:
        return "another time"
    if column.distinct == 1:
        return "one value in every row"
    if column.distinct > FEW_TOPICS:
        return "an id or text"
    about = ": a topic? See docs/own-data.md" if set(column.words) & ARTICLE else ""
    return f"a category of {column.distinct:,} values{about}"


def offers_columns(table: Profile) -> dict[str, str]:
    """Return what a table of offers holds, by our names for its columns."""
    offer = offer_column(table)
    assert offer is not None  # who calls asked
    found, taken = {"offer_id": offer.name}, {offer.name}
    for name, words, fits in OFFERED:
        column = first_of(table, words, fits, taken)
        if column is not None and (name != "value" or "customer" not in column.words):
            found[name] = column.name
            taken.add(column.name)
    return found
