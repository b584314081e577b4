"""Reading one source table as attributes."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features import clock
from features.errors import SourceError, nearest
from features.history import ATTRIBUTES_SCHEMA
from features.rules import Rule
from features.settings import Settings
from features.sources import report
from features.sources.conditions import FORM, Condition, first_met, text_condition
from features.sources.parsing import Parsed, instants_of, literal, parsed_number, quoted, text
from features.sources.rejections import Broken, file_of, refuse_many, reject
from features.sources.tables import first_row, open_table, shown
from features.tables import AttributesSource

NOTHING = Rule("a customer and a time in every row", "A fact needs a customer and a time.")
VALUE = Rule("text that a database takes", "Take the character NUL out of it.")


def read_attributes(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    source: AttributesSource,
    known_until: int,
    folder: Path | None = None,
) -> tuple[pa.Table, report.Attributes, dict[str, bool]]:
    """Read one source, and say of each of its attributes whether it is a number.

    Args:
        connection: a database in memory, for this reading.
        settings: the deployment's.
        source: the table to read.
        known_until: what is known from then on does not say whether an attribute is a number.
        folder: takes the rejected rows.

    Raises:
        SourceError: the source cannot be read, lacks a column, or too many of its rows are wrong.
    """
    opened = open_table(connection, settings, source.source, source.query)
    types = dict(zip(opened.columns, map(str, opened.types), strict=True))
    label = f"{shown(source.source)}, attributes"
    customer = source.columns.get("customer_id", "customer_id")
    known_at = source.columns.get("known_at", "known_at")
    if customer not in types or ("known_at" in source.columns and known_at not in types):
        missing = customer if customer not in types else known_at
        raise SourceError(
            label, f"no column '{missing}'", "a column of the table", nearest(missing, list(types))
        )
    dated = known_at in types
    when = (
        instants_of(known_at, types[known_at], source.time_format)
        if dated
        else Parsed(str(clock.EVER))
    )
    names = [name for name in types if name not in (customer, known_at)]
    conditions = _conditions(customer, known_at if dated else None, when, names)
    opened.create_view("opened", replace=True)
    broken = _staged(connection, list(types), conditions)
    file = file_of(folder, "attributes", _label(settings, source))
    counted = reject(connection, report.Table(source.label, len(broken)), broken, conditions, file)
    refuse_many(settings, counted, label)
    connection.execute(f"DELETE FROM staged WHERE {quoted(_met(list(types)))} > 0")
    facts = _facts(connection, settings, customer, when, names)
    numeric = numbers_of(connection, facts, known_until)
    numbers = {name: name in numeric for name in names}
    columns = tuple(report.Column(name, _missing(connection, name)) for name in names)
    return facts, report.Attributes(replace(counted, columns=columns), dated), numbers


def _staged(
    connection: duckdb.DuckDBPyConnection, columns: list[str], conditions: list[Condition]
) -> Broken:
    """Copy the view ``opened`` to the table ``staged``, with the condition that each row meets."""
    met = _met(columns)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE staged AS "
        f"SELECT *, {first_met(conditions)} AS {quoted(met)} FROM opened"
    )
    staged = connection.sql(f"SELECT {quoted(met)} FROM staged").to_arrow_table()
    return np.array(staged[met].to_numpy(), dtype=np.uint16)


def _met(columns: list[str]) -> str:
    """Return a name that no column has."""
    return "condition met" + "_" * max(map(len, columns))


def _conditions(
    customer: str, known_at: str | None, when: Parsed, names: list[str]
) -> list[Condition]:
    who = text(customer).value
    conditions = [
        Condition(customer, f"{who} IS NULL", NOTHING, missing=True),
        text_condition(customer, who, examples=0),
    ]
    if known_at is not None:
        wrong = f"({when.value}) IS NULL"
        conditions += [
            Condition(known_at, f"{wrong} AND {when.given}", Rule(when.wanted, FORM)),
            Condition(known_at, wrong, NOTHING, missing=True),
        ]
    conditions += [
        Condition(name, f"contains({text(name).value}, chr(0))", VALUE, examples=0)
        for name in names
    ]
    return conditions


def _facts(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    customer: str,
    when: Parsed,
    names: list[str],
) -> pa.Table:
    """Turn rows into facts, one for each value that is there."""
    parts = [
        f"SELECT {text(customer).value} AS customer_id, ({when.value})::BIGINT AS known_at, "
        f"{when.naive} AS naive, {literal(name)} AS name, {text(name).value} AS value "
        f"FROM staged WHERE {text(name).value} IS NOT NULL"
        for name in names
    ]
    if not parts:
        return ATTRIBUTES_SCHEMA.empty_table()
    found = connection.sql(" UNION ALL ".join(parts)).to_arrow_table()
    instants = np.array(found["known_at"].to_numpy(), dtype=np.int64)
    if when.wanted:
        naive = found["naive"].fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
        instants[naive] = clock.local_to_utc(instants[naive], settings.project.timezone)
    columns = [found["customer_id"], pa.array(instants), found["name"], found["value"]]
    return pa.table(columns, names=ATTRIBUTES_SCHEMA.names).cast(ATTRIBUTES_SCHEMA)


def numbers_of(
    connection: duckdb.DuckDBPyConnection, facts: pa.Table, known_until: int
) -> set[str]:
    """Return the attributes of which every value known by then reads as a number."""
    read = parsed_number("value", "VARCHAR")
    connection.register("facts", facts)
    found = connection.execute(
        f"SELECT name, count(*) FILTER (WHERE {read.given} AND ({read.value}) IS NULL), "
        f"count({read.value}) FROM facts WHERE known_at < {known_until} GROUP BY name"
    ).fetchall()
    return {name for name, bad, good in found if good and not bad}


def _missing(connection: duckdb.DuckDBPyConnection, column: str) -> int:
    (missing,) = first_row(connection, f"SELECT count(*) - count({text(column).value}) FROM staged")
    return int(missing)


def _label(settings: Settings, source: AttributesSource) -> str:
    """Return the name of the source's file of rejected rows: two tables may be called alike."""
    alike = [each for each in settings.attributes if each.label == source.label]
    number = next(i for i, each in enumerate(alike, 1) if each is source)
    return source.label if number == 1 else f"{source.label} {number}"
