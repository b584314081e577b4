"""SQL expressions that read a column's values and set aside those of a wrong form."""

from dataclasses import dataclass

from features import clock
from features.interactions import YEAR_1, YEAR_9999

ZONE = r"(Z| ?UTC|[+-]\d\d(:?\d\d)?)"
TIME = rf"^\d{{4}}-\d\d?-\d\d?([T ]\d\d?:\d\d(:\d\d(\.\d+)?)?{ZONE}?)?$"
"""What text is read as a time: a database reads more, and drops an afternoon's PM or a zone."""
EARLIEST, LATEST = YEAR_1 + 7 * clock.DAY, YEAR_9999 - 7 * clock.DAY
"""Python's calendar ends here, whatever the zone."""


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
    filled = f"nullif(trim({_quoted(column)}::VARCHAR), '')"
    wanted = "a time such as 2017-11-30T16:45:00 or 2017-11-30T16:45:00-05:00"
    if type_name == "TIMESTAMP WITH TIME ZONE":
        value, naive = f"epoch_us({_quoted(column)})", "false"
    elif type_name.startswith(("TIMESTAMP", "DATE")):
        value, naive = f"epoch_us(try_cast({_quoted(column)} AS TIMESTAMP))", "true"
    else:
        zoned = f"(contains({filled}, ':') AND regexp_matches({filled}, '{ZONE}$'))"
        value = (
            f"CASE WHEN NOT regexp_matches({filled}, '{TIME}') THEN NULL "
            f"WHEN {zoned} THEN epoch_us(try_cast({filled} AS TIMESTAMPTZ)) "
            f"ELSE epoch_us(try_cast({filled} AS TIMESTAMP)) END"
        )
        naive = f"NOT {zoned}"
    value = f"CASE WHEN {value} BETWEEN {EARLIEST} AND {LATEST} THEN {value} END"
    return Parsed(value, f"CASE WHEN ({value}) IS NULL THEN {filled} END", naive, wanted)


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


def literal(value: str) -> str:
    """Return text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
