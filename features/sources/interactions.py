"""Reading one source table as interactions."""

import duckdb
import numpy as np
import pyarrow as pa

from features import clock
from features.errors import SourceError, nearest
from features.history import interactions_schema
from features.interactions import COLUMNS, INSTANTS, NUMBERS
from features.sections import InteractionsSource
from features.settings import Settings
from features.sources.parsing import Parsed, instants_of, literal, parsed_number, text
from features.sources.tables import first_row, open_table, shown

TEXTS = ("customer_id", "interaction_id", "kind", "channel", "topic", "case_id", "offer_id")
TIMES = (*INSTANTS, "due_at")
CONSTANTS = ("kind", "channel", "topic")


def read_interactions(
    connection: duckdb.DuckDBPyConnection, settings: Settings, source: InteractionsSource
) -> pa.Table:
    """Read one source; ``recorded_at`` is ``occurred_at`` where nothing says otherwise.

    Raises:
        SourceError: the source cannot be read, lacks a column, or holds values of a wrong form.
    """
    table = open_table(connection, settings, source.source, source.query)
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    label = shown(source.source)
    columns = _mapped(source, types, label)
    parsed: dict[str, Parsed] = {}
    for name in (*TEXTS, *TIMES, *NUMBERS, "resolved", *settings.numbers()):
        constant = getattr(source, name, None) if name in CONSTANTS else None
        if constant is not None:
            parsed[name] = Parsed(literal(constant))
        elif name not in columns:
            parsed[name] = Parsed("NULL")
        elif name in TEXTS:
            parsed[name] = text(columns[name])
        elif name in TIMES:
            parsed[name] = instants_of(columns[name], types[columns[name]])
        else:
            parsed[name] = parsed_number(columns[name], boolean=name == "resolved")
    table.create_view("opened", replace=True)
    selected = ", ".join(f'{p.value} AS "{name}"' for name, p in parsed.items())
    checks = ", ".join(f'{p.bad} AS "bad {n}", {p.naive} AS "naive {n}"' for n, p in parsed.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {selected}, {checks} FROM opened"
    )
    _refuse_bad(connection, label, parsed, columns)
    _refuse_missing(connection, label)
    _refuse_unknown_kinds(connection, settings, label)
    return _finished(connection, settings, source, list(parsed))


def _mapped(source: InteractionsSource, types: dict[str, str], label: str) -> dict[str, str]:
    """Return which of the table's columns holds each of ours."""
    wanted = {**source.columns, **source.numbers}
    for ours, theirs in wanted.items():
        if theirs not in types:
            raise SourceError(
                f"{label}, column '{ours}'",
                f"no column '{theirs}'",
                "a column of the table",
                nearest(theirs, list(types)),
            )
    same = {name: name for name in COLUMNS if name in types and name != "source"}
    constants = {n for n in CONSTANTS if getattr(source, n) is not None}
    columns = {n: c for n, c in {**same, **wanted}.items() if n not in constants}
    for name in ("customer_id", "occurred_at", "kind"):
        if name not in columns and name not in constants:
            raise SourceError(
                f"{label}, column '{name}'",
                "nothing mapped to it",
                "a column of the table",
                f"Map it under `columns`. The table has: {', '.join(types)}.",
            )
    return columns


def _refuse_bad(
    connection: duckdb.DuckDBPyConnection,
    label: str,
    parsed: dict[str, Parsed],
    columns: dict[str, str],
) -> None:
    for name in parsed:
        if parsed[name].bad == "NULL":
            continue
        count, example = first_row(
            connection, f'SELECT count("bad {name}"), min("bad {name}") FROM staged'
        )
        if count:
            raise SourceError(
                f"{label}, column '{columns[name]}'",
                f"'{example}' (in {count} rows)",
                parsed[name].wanted,
                "Mend or drop those rows, or map another column.",
            )


def _refuse_missing(connection: duckdb.DuckDBPyConnection, label: str) -> None:
    for name in ("customer_id", "occurred_at", "kind"):
        (count,) = first_row(connection, f'SELECT count(*) FROM staged WHERE "{name}" IS NULL')
        if count:
            raise SourceError(
                f"{label}, column '{name}'",
                f"nothing in {count} rows",
                "a value in every row",
                "Leave those rows out: an interaction needs a customer, a time and a kind.",
            )


def _refuse_unknown_kinds(
    connection: duckdb.DuckDBPyConnection, settings: Settings, label: str
) -> None:
    kinds = settings.roles.all_kinds()
    found = connection.execute("SELECT kind, count(*) FROM staged GROUP BY 1 ORDER BY 1").fetchall()
    unknown = [f"'{kind}' ({count} rows)" for kind, count in found if kind not in kinds]
    if unknown:
        raise SourceError(
            f"{label}, kind",
            ", ".join(unknown[:10]),
            "kinds that [roles] knows",
            f"Known: {', '.join(sorted(kinds))}. Add the new ones under [roles]; "
            "those of no other meaning under `other`.",
        )


def _finished(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    source: InteractionsSource,
    names: list[str],
) -> pa.Table:
    """Turn local times into instants and give the table the schema of interactions."""
    staged = connection.sql("FROM staged").to_arrow_table()
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {name: staged[name] for name in names}
    for name in TIMES:
        if staged[name].null_count == len(staged):
            continue
        instants = np.array(staged[name].fill_null(0).to_numpy(), dtype=np.int64)
        naive = staged[f"naive {name}"].fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
        instants[naive] = clock.local_to_utc(instants[naive], settings.project.timezone)
        arrays[name] = pa.array(instants, mask=staged[name].is_null().to_numpy())
    if staged["recorded_at"].null_count:
        recorded = arrays["recorded_at"].cast(pa.int64())
        arrays["recorded_at"] = pa.compute.coalesce(recorded, arrays["occurred_at"])
    arrays["source"] = pa.array([source.label] * len(staged), pa.string())
    schema = interactions_schema(settings.numbers())
    return pa.table({field.name: arrays[field.name] for field in schema}).cast(schema)
