"""SQL expressions that read a column's values and tell those of a wrong form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from features import clock
from features.rules import NUMBER, YEAR_1, YEAR_9999

ZONE = r"(Z| ?UTC|[+-]\d\d(:?\d\d)?)"
TIME = rf"^\d{{4}}-\d\d?-\d\d?([T ]\d\d?:\d\d(:\d\d(\.\d+)?)?{ZONE}?)?$"
"""What text is read as a time: a database reads more, and drops an afternoon's PM or a zone."""
COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d*)?([eE][+-]?\d+)?$|^[^.,]*$"
"""What text is read as a number by its comma, or has neither sign: 1.5 would become 15."""
FOUR_DIGITS = 1000
"""The first year that a form's ``%Y`` reads: a database takes the year 24 for one, too."""
EARLIEST, LATEST = YEAR_1 + 7 * clock.DAY, YEAR_9999 - 7 * clock.DAY
"""Python's calendar ends here, whatever the zone."""
WALL_CLOCKS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")
EXACT_NUMBERS = ("DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
"""Types whose numbers are what their text says; a FLOAT's 0.1 is read as 0.1 by its text."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """SQL for one column.

    ``value`` is what was read, ``given`` whether there was anything to read, ``naive`` whether
    a time lacks its zone, ``wanted`` what a value should look like. What was given and has no
    value is of a wrong form.
    """

    value: str
    given: str = "false"
    naive: str = "false"
    wanted: str = ""


def text(column: str) -> Parsed:
    """Read text; empty is missing."""
    return Parsed(f"nullif({quoted(column)}::VARCHAR, '')")


def instants_of(column: str, type_name: str, form: str | None = None) -> Parsed:
    """Read times as microseconds since 1970, by their own zone or (naive) by the wall clock.

    Args:
        column: where they are.
        type_name: what DuckDB calls its type.
        form: how those in text are written, in the signs of strptime; by default as ISO 8601.
    """
    wanted = "a time such as 2017-11-30T16:45:00 or 2017-11-30T16:45:00-05:00"
    given = f"{quoted(column)} IS NOT NULL"
    if type_name.startswith("TIMESTAMP") and type_name.endswith("WITH TIME ZONE"):
        value, naive = f"epoch_us(try_cast({quoted(column)} AS TIMESTAMPTZ))", "false"
    elif type_name in WALL_CLOCKS:
        value, naive = f"epoch_us(try_cast({quoted(column)} AS TIMESTAMP))", "true"
    elif form is not None:
        filled = _filled(column)
        with_zone = "%z" in form
        kind = "TIMESTAMPTZ" if with_zone else "TIMESTAMP"
        read = f"try_strptime({filled}, {literal(form)})::{kind}"
        value = f"epoch_us({read})"
        if "%Y" in form:
            value = f"CASE WHEN year({read}) >= {FOUR_DIGITS} THEN {value} END"
        naive, given = str(not with_zone).lower(), f"{filled} IS NOT NULL"
        wanted = f"a time written as `time_format` says, {form}"
    else:
        filled = _filled(column)
        zoned = f"(contains({filled}, ':') AND regexp_matches({filled}, '{ZONE}$'))"
        value = (
            f"CASE WHEN NOT regexp_matches({filled}, '{TIME}') THEN NULL "
            f"WHEN {zoned} THEN epoch_us(try_cast({filled} AS TIMESTAMPTZ)) "
            f"ELSE epoch_us(try_cast({filled} AS TIMESTAMP)) END"
        )
        naive, given = f"NOT {zoned}", f"{filled} IS NOT NULL"
    value = f"CASE WHEN {value} BETWEEN {EARLIEST} AND {LATEST} THEN {value} END"
    return Parsed(value, given, naive, wanted)


def factors_of(column: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the columns whose product is meant: the column itself, or two with ``*`` between.

    >>> factors_of("Quantity * Price", ["Quantity", "Price"]), factors_of("a * b", ["a", "a * b"])
    (('Quantity', 'Price'), ('a * b',))
    """
    parts = tuple(part.strip() for part in column.split("*"))
    is_product = column not in names and len(parts) == 2 and set(parts) <= set(names)
    return parts if is_product else (column,)


def parsed_product(columns: Sequence[str], types: Mapping[str, str], decimal: str = ".") -> Parsed:
    """Read the product of columns of numbers; missing where one of them is."""
    parsed = [parsed_number(column, types[column], decimal) for column in columns]
    return Parsed(
        " * ".join(f"({each.value})" for each in parsed),
        " AND ".join(f"({each.given})" for each in parsed),
        wanted=NUMBER.wanted,
    )


def parsed_number(column: str, type_name: str, decimal: str = ".") -> Parsed:
    """Read finite numbers; NaN and empty are missing.

    Args:
        column: where they are.
        type_name: what DuckDB calls its type.
        decimal: the sign before the decimals in text; by a comma, a point must stand
            between thousands.
    """
    filled = quoted(column) if type_name in EXACT_NUMBERS else _filled(column)
    whole = filled
    if decimal == "," and type_name == "VARCHAR":
        points = f"replace(replace({filled}, '.', ''), ',', '.')"
        whole = f"CASE WHEN regexp_matches({filled}, '{COMMA}') THEN {points} END"
    number = f"try_cast({whole} AS DOUBLE)"
    return Parsed(
        f"CASE WHEN isfinite({number}) THEN {number} + 0.0 END",
        f"{filled} IS NOT NULL AND NOT coalesce(isnan({number}), false)",
        wanted=NUMBER.wanted,
    )


def parsed_boolean(column: str) -> Parsed:
    """Read true and false; empty is missing."""
    filled = _filled(column)
    return Parsed(f"try_cast({filled} AS BOOLEAN)", f"{filled} IS NOT NULL", wanted="true or false")


def literal(value: str) -> str:
    """Return text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted(column: str) -> str:
    """Return the name of a column as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'


def _filled(column: str) -> str:
    return f"nullif(trim({quoted(column)}::VARCHAR), '')"
