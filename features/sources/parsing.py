"""SQL expressions that read a column's values and set aside those of a wrong form."""

from dataclasses import dataclass

ZONED = r":\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$"


@dataclass(frozen=True, slots=True)
class Parsed:
    """SQL for one column.

    ``value`` is what was read, ``bad`` the text that could not be (else NULL), ``naive``
    whether a time lacks its zone, ``wanted`` what a value should look like.
    """

    value: str
    bad: str = "NULL"
    naive: str = "false"
    wanted: str = ""


def text(column: str) -> Parsed:
    """Read text; empty is missing."""
    return Parsed(f"nullif({_quoted(column)}::VARCHAR, '')")


def instants_of(column: str, type_name: str) -> Parsed:
    """Read times as microseconds since 1970, by their own zone or (naive) by the wall clock."""
    raw = _quoted(column)
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return Parsed(f"epoch_us({raw})")
    if type_name.startswith(("TIMESTAMP", "DATE")):
        return Parsed(f"epoch_us({raw}::TIMESTAMP)", naive="true")
    zoned = f"regexp_matches({raw}::VARCHAR, '{ZONED}')"
    filled = f"nullif(trim({raw}::VARCHAR), '')"
    value = (
        f"CASE WHEN {zoned} THEN epoch_us(try_cast({filled} AS TIMESTAMPTZ)) "
        f"ELSE epoch_us(try_cast({filled} AS TIMESTAMP)) END"
    )
    bad = f"CASE WHEN {filled} IS NOT NULL AND ({value}) IS NULL THEN {filled} END"
    wanted = "a time such as 2017-11-30T16:45:00 or 2017-11-30T16:45:00-05:00"
    return Parsed(value, bad, f"NOT {zoned}", wanted)


def parsed_number(column: str, boolean: bool) -> Parsed:
    """Read finite numbers, or true and false; NaN and empty are missing."""
    filled = f"nullif(trim({_quoted(column)}::VARCHAR), '')"
    if boolean:
        value = f"try_cast({filled} AS BOOLEAN)"
        bad = f"CASE WHEN {filled} IS NOT NULL AND {value} IS NULL THEN {filled} END"
        return Parsed(value, bad, wanted="true or false")
    number = f"try_cast({filled} AS DOUBLE)"
    value = f"CASE WHEN isfinite({number}) THEN {number} + 0.0 END"
    bad = (
        f"CASE WHEN {filled} IS NOT NULL AND coalesce(isinf({number}), {number} IS NULL) "
        f"THEN {filled} END"
    )
    return Parsed(value, bad, wanted="a finite number")


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
