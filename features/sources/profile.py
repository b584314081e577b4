"""Profiles: what the columns of an unknown table hold, so that their meaning can be guessed."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from features.sources.parsing import instants_of, literal, parsed_number, quoted
from features.sources.tables import first_row

FORMS = (
    *("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"),
    *("%d-%m-%Y %H:%M:%S", "%m-%d-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%m-%d-%Y %H:%M"),
    *("%d-%m-%Y", "%m-%d-%Y", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d %b %Y", "%d-%b-%Y"),
    *("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d", "%d/%m/%y %H:%M"),
    *("%m/%d/%y %H:%M", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y %H:%M", "%d.%m.%y", "%d-%m-%y %H:%M"),
    *("%d-%m-%y", "%m-%d-%y", "%d-%b-%y", "%d %b %y", "%y/%m/%d", "%y-%m-%d"),
)
"""How times are written beside ISO 8601; of two that fit, day before month comes first."""
ENOUGH = 0.98
"""The share of a column's values that must be read alike."""
SAMPLE, SHOWN = 20_000, 60
COMMA = r"^-?(\d{1,3}(\.\d{3})+|\d+),\d+$"
THOUSANDS = r"^-?\d{1,3}(\.\d{3})+(,\d+)?$"
YEAR = r"\d{4}"
"""What a time with its century holds; a database reads 24 as the year 24."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of an unknown table holds.

    Shares are of the values that are there. ``form`` says how times are written where they are
    not as ISO 8601, ``swapped`` is another form that fits as well; ``decimal`` is the sign before
    the decimals in text, ``None`` where there is none; ``unread`` is the share that cannot be
    read; ``values`` are the most frequent texts, all of them where they are few.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    is_time: bool = False
    form: str | None = None
    swapped: str | None = None
    zoned: bool = False
    timed: bool = False
    is_number: bool = False
    decimal: str | None = None
    is_whole: bool = False
    least: float | None = None
    greatest: float | None = None
    negative: int = 0
    unread: float = 0.0
    values: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name.

        >>> Column("CustomerID", 1, 1, 1).words, Column("sold_at", 1, 1, 1).words
        (('customer', 'id'), ('sold', 'at'))
        """
        return words_of(self.name)

    @property
    def given(self) -> float:
        """The share of rows that hold something."""
        return self.filled / self.rows if self.rows else 1.0

    @property
    def missing(self) -> float:
        """The share of rows that hold nothing."""
        return 1 - self.given


@dataclass(frozen=True, slots=True)
class Profile:
    """A table that nobody has described: its rows and columns."""

    label: str
    rows: int
    columns: Mapping[str, Column]


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, however they are put together, in lower case."""
    apart = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name)
    return tuple(re.findall(r"[^\W_]+", apart.lower()))


def singular(words: Collection[str]) -> set[str]:
    """Return words, and those that they are the plurals of.

    >>> sorted(singular(["gas", "sales", "customers"]))
    ['customer', 'customers', 'gas', 'sale', 'sales']
    """
    return {re.sub(r"(?<=[a-z]{3})s$", "", word) for word in words} | {*words}


def profile_of(connection: duckdb.DuckDBPyConnection, label: str, table: str) -> Profile:
    """Look at every column of a table.

    Args:
        connection: where it is.
        label: what it is called.
        table: the name of a table or view in the database.
    """
    described = connection.execute(f"DESCRIBE {quoted(table)}").fetchall()
    types = {name: str(kind) for name, kind, *_ in described}
    (rows,) = first_row(connection, f"SELECT count(*) FROM {quoted(table)}")
    columns = {name: _column(connection, table, name, types[name], rows) for name in types}
    return Profile(label, rows, columns)


def _column(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, kind: str, rows: int
) -> Column:
    if kind.endswith("[]") or kind.startswith(("STRUCT", "MAP", "BLOB")):
        return Column(name, rows, rows, rows)
    text = f"nullif(trim({quoted(name)}::VARCHAR), '')"
    filled, distinct = first_row(
        connection, f"SELECT count({text}), count(DISTINCT {text}) FROM {quoted(table)}"
    )
    found = Column(name, rows, filled, min(distinct, filled))
    if not filled:
        return found
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sampled AS SELECT {quoted(name)} AS v FROM {quoted(table)} "
        f"WHERE {text} IS NOT NULL USING SAMPLE {SAMPLE} ROWS (reservoir, 1)"
    )
    numbers = _numbers(connection, table, name, kind)
    times = {} if numbers and "%Y%m%d" not in numbers else _times(connection, table, name, kind)
    numbers = {} if times else {n: v for n, v in numbers.items() if n != "%Y%m%d"}
    values = connection.execute(  # untrimmed, as they are read
        f"SELECT {quoted(name)}::VARCHAR AS v FROM {quoted(table)} WHERE v <> '' GROUP BY v "
        f"ORDER BY count(*) DESC, v LIMIT {SHOWN}"
    ).fetchall()
    return Column(  # what is measured exactly, where it decides
        name,
        rows,
        filled,
        len(values) if len(values) < SHOWN else found.distinct,
        values=tuple(value for (value,) in values),
        **times,
        **numbers,
    )


def _numbers(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, kind: str
) -> dict[str, Any]:
    """Return what there is to say of numbers; nothing where values are not numbers."""
    if kind.startswith(("TIMESTAMP", "DATE", "TIME", "BOOLEAN")):
        return {}
    decimal = _decimal(connection) if kind == "VARCHAR" else None
    read = parsed_number(name, kind, decimal or ".")
    column = f"({read.value})"
    good, bad, least, greatest, negative, whole = first_row(
        connection,
        f"SELECT count({column}), count(*) FILTER ({read.given} AND {column} IS NULL), "
        f"min({column}), max({column}), count(*) FILTER ({column} < 0), "
        f"count(*) FILTER ({column} = round({column})) FROM {quoted(table)}",
    )
    if not good or good / (good + bad) < ENOUGH:
        return {}
    told: dict[str, Any] = {
        "is_number": True,
        "decimal": decimal,
        "is_whole": whole == good,
        "least": least,
        "greatest": greatest,
        "negative": negative,
        "unread": bad / (good + bad),
    }
    # Days such as 20171130 are whole numbers, too.
    return told | ({"%Y%m%d": True} if whole == good and 19_000_000 < least <= 21_001_231 else {})


def _decimal(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return the sign before the decimals of sampled texts."""
    commas, points, others = first_row(
        connection,
        f"SELECT coalesce(avg(regexp_matches(trim(v), {literal(COMMA)})::INT), 0), "
        "coalesce(avg(contains(v, '.')::INT), 0), coalesce(avg((contains(v, '.') AND NOT "
        f"regexp_matches(trim(v), {literal(THOUSANDS)}))::INT), 0) FROM sampled",
    )
    if commas and not others:
        return ","
    return "." if points else None


def _times(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, kind: str
) -> dict[str, Any]:
    """Return how times are written; nothing where values are no times."""
    if kind.startswith(("TIMESTAMP", "DATE")):
        zoned = kind.endswith("WITH TIME ZONE")
        return {"is_time": True, "zoned": zoned, "timed": kind != "DATE"}
    iso = instants_of("v", "VARCHAR")
    good, zoned, timed = first_row(
        connection,
        f"SELECT avg((({iso.value}) IS NOT NULL)::INT), avg((NOT ({iso.naive}))::INT), "
        "avg(contains(v::VARCHAR, ':')::INT) FROM sampled",
    )
    told: dict[str, Any] = {"is_time": True, "timed": timed >= ENOUGH}
    if good >= ENOUGH:
        told["zoned"] = zoned >= ENOUGH
    else:
        fitting = [form for form in FORMS if _share(connection, form) >= ENOUGH]
        if not fitting:
            return {}
        swapped = [other for other in fitting[1:] if sorted(other) == sorted(fitting[0])]
        told |= {"form": fitting[0], "swapped": swapped[0] if swapped else None}
    read = instants_of(name, kind, told.get("form"))
    (told["unread"],) = first_row(
        connection,
        f"SELECT avg((({read.value}) IS NULL)::INT) FROM {quoted(table)} WHERE {read.given}",
    )
    return told


def _share(connection: duckdb.DuckDBPyConnection, form: str) -> float:
    century = f"AND regexp_matches(v::VARCHAR, '{YEAR}')" if "%Y" in form else ""
    parsed = f"try_strptime(trim(v::VARCHAR), {literal(form)})"
    (share,) = first_row(
        connection, f"SELECT avg(({parsed} IS NOT NULL {century})::INT) FROM sampled"
    )
    return float(share)
