"""Reading the table of offers."""

import math
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Any

import duckdb

from features import clock
from features.errors import SourceError, nearest
from features.offers import DERIVED_ATTRIBUTES, Offer, Value
from features.rules import NUMBER, TEXT, is_text
from features.settings import Settings
from features.sources.parsing import quoted
from features.sources.report import shortened
from features.sources.tables import open_table, reading, shown
from features.tables import OFFER_COLUMNS

SEPARATOR = "|"
VALIDITY = ("valid_from", "valid_to")


def read_offers(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> tuple[dict[str, Offer], dict[str, bool]]:
    """Read the offers of the settings, and say of each offer attribute whether it is a number.

    Topics and channels are lists, or text with ``|`` between; a bare date in ``valid_to`` is the
    last day on which the offer holds, and the year 9999 in it means without end.

    Raises:
        SourceError: the table lacks a column or holds a value of a wrong form.
    """
    if settings.offers is None:
        return {}, {}
    source = settings.offers
    with reading(settings, source.source):
        table = open_table(connection, settings, source.source, source.query)
        texts = ", ".join(map(_as_text, table.columns, map(str, table.types)))
        rows = table.project(texts).to_arrow_table().to_pylist()
    columns = {name: source.columns.get(name, name) for name in OFFER_COLUMNS}
    for name, theirs in columns.items():
        if theirs not in table.columns and (name in source.columns or name == "offer_id"):
            raise SourceError(
                f"{shown(source.source)}, column '{name}'",
                f"no column '{theirs}'",
                "a column of the table",
                nearest(theirs, table.columns),
            )
    further = [name for name in table.columns if name not in columns.values()]
    numbers = {name: _is_number([row[name] for row in rows]) for name in further}
    offers: dict[str, Offer] = {}
    for i, row in enumerate(rows, 1):
        label = f"{shown(source.source)}, row {i}"
        ours: dict[str, Any] = {name: row.get(theirs) for name, theirs in columns.items()}
        attributes = {n: _as_float(row[n]) if numbers[n] else _text(row[n]) for n in further}
        if source.time_format:
            ours |= {n: _in_iso(ours[n], source.time_format, label) for n in VALIDITY}
        offer = _offer(ours, attributes, settings.project.timezone, label)
        if offer.offer_id in offers:
            raise SourceError(
                label, f"offer_id '{offer.offer_id}' again", "each offer once", "Drop one of them."
            )
        offers[offer.offer_id] = offer
    return offers, {**numbers, **dict.fromkeys(DERIVED_ATTRIBUTES, True)} if offers else {}


def _as_text(column: str, type_name: str) -> str:
    """Return SQL that reads a column as text, a list as a list of text: Python has no year 10,000.

    What text cannot say, a missing float, is missing; true and false are 1 and 0.
    """
    name = quoted(column)
    if type_name.endswith("]"):
        return f"{name}::VARCHAR[] AS {name}"
    if type_name in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN NOT isnan({name}) THEN {name}::VARCHAR END AS {name}"
    return f"{name}::{'TINYINT::' if type_name == 'BOOLEAN' else ''}VARCHAR AS {name}"


def _offer(row: dict[str, Any], attributes: dict[str, Value], zone: str, label: str) -> Offer:
    offer_id = _text(row["offer_id"])
    if offer_id is None:
        raise SourceError(label, "no offer_id", "an id", "Give every offer its own id.")
    if not is_text(offer_id):
        raise SourceError(f"{label}, offer_id", shortened(offer_id), TEXT.wanted, "Mend it.")
    money = {}
    for name in ("value", "customer_value", "cost"):
        amount = _as_float(row[name])
        given = _text(row[name])
        if amount is None and given is not None:
            raise SourceError(f"{label}, {name}", shortened(given), NUMBER.wanted, "Mend it.")
        money[name] = amount or 0.0
    valid_from = _instant(row["valid_from"], zone, f"{label}, valid_from", last_day=False)
    valid_to = _instant(row["valid_to"], zone, f"{label}, valid_to", last_day=True)
    offer = Offer(
        offer_id=offer_id,
        topics=_set(row["topics"]),
        channels=_set(row["channels"]),
        valid_from=clock.EVER if valid_from is None else valid_from,
        valid_to=2**63 - 1 if valid_to is None else valid_to,
        stock=_stock(row["stock"], f"{label}, stock"),
        attributes=attributes,
        **money,
    )
    if offer.valid_to <= offer.valid_from:
        raise SourceError(
            label, "an end before the beginning", "valid_from before valid_to", "Mend the dates."
        )
    return offer


def _stock(value: Any, label: str) -> int | None:
    filled = _text(value)
    if filled is None:
        return None
    number = _as_float(filled)
    if number is None or number < 0 or number != int(number):
        raise SourceError(label, shortened(filled), "a whole number from 0 on", "Mend it.")
    return int(number)


def _in_iso(value: Any, form: str, label: str) -> str | None:
    """Write a date or time as ISO 8601 does; a form without hours is that of a date."""
    filled = _text(value)
    if filled is None:
        return None
    try:
        moment = datetime.strptime(filled, form)
    except ValueError as error:
        wanted = f"a date written as `time_format` says, {form}"
        raise SourceError(label, shortened(filled), wanted, "Mend it.") from error
    timed = "%H" in form or "%I" in form
    return moment.isoformat() if timed else moment.date().isoformat()


def _instant(value: Any, zone: str, label: str, last_day: bool) -> int | None:
    filled = _text(value)
    if filled is None:
        return None
    try:
        moment = _parsed(filled)
        if last_day and moment.year == MAXYEAR:
            return None
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment + timedelta(days=1 if last_day else 0), time())
        return clock.to_instant(moment, zone)
    except (ValueError, OverflowError) as error:
        raise SourceError(
            label,
            shortened(filled),
            "a date such as 2017-12-24, or a time in ISO 8601",
            "Mend it.",
        ) from error


def _parsed(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value)


def _is_number(values: list[Any]) -> bool:
    """Whether every value that is not missing is a finite number."""
    present = [value for value in values if _text(value) is not None]
    return bool(present) and all(_as_float(value) is not None for value in present)


def _set(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    parts = value.split(SEPARATOR) if isinstance(value, str) else value
    return frozenset(part.strip() for part in parts if part and part.strip())


def _text(value: Any) -> str | None:
    return (None if value is None else str(value).strip()) or None


def _as_float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number + 0.0 if math.isfinite(number) else None
