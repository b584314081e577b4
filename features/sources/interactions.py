"""Reading one source table as interactions."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import clock
from features.errors import SourceError, nearest
from features.history import interactions_schema
from features.interactions import COLUMNS, INSTANTS, NUMBERS
from features.rules import CLOCK_SKEW, KIND, REQUIRED, TEXT, is_text
from features.sections import InteractionsSource
from features.settings import Settings
from features.sources import measures, report
from features.sources.conditions import (
    CONSTANTS,
    FUTURE,
    TIMES,
    Condition,
    conditions_of,
    kinds_remedy,
    parsed_columns,
    selection,
)
from features.sources.grouping import grouped, with_returns
from features.sources.parsing import factors_of
from features.sources.rejections import Broken, file_of, refuse_many, reject
from features.sources.tables import open_table, shown


def read_interactions(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    source: InteractionsSource,
    now: int,
    folder: Path | None = None,
) -> tuple[pa.Table, report.Interactions]:
    """Read one source; ``recorded_at`` is ``occurred_at`` where nothing says otherwise.

    Args:
        connection: a database in memory, for this reading.
        settings: the deployment's.
        source: the table to read.
        now: the machine's clock; what is from after it is rejected.
        folder: takes the rejected rows.

    Raises:
        SourceError: the source cannot be read, lacks a column, or too many of its rows are wrong.
    """
    opened = open_table(connection, settings, source.source, source.query)
    types = dict(zip(opened.columns, map(str, opened.types), strict=True))
    label = shown(source.source)
    columns = _mapped(source, types, label)
    _refuse_constants(settings, source, label)
    opened.create_view("opened", replace=True)
    parsed = parsed_columns(settings, source, columns, types)
    conditions = conditions_of(settings, parsed, columns, types, now + CLOCK_SKEW)
    staged = connection.sql(selection(parsed, conditions)).to_arrow_table()
    table, broken = _right(staged, settings, columns, conditions, now + CLOCK_SKEW)
    counted = reject(
        connection,
        report.Table(source.label, len(broken)),
        broken,
        conditions,
        file_of(folder, "interactions", source.label),
    )
    refuse_many(settings, counted, label)
    if source.group is not None:
        table = grouped(connection, table, source.sums, "kind" in columns)
    if source.returns is not None:
        table = with_returns(table, source.returns, source.numbers)
    return _finished(table, settings, source, columns, counted)


def _mapped(source: InteractionsSource, types: dict[str, str], label: str) -> dict[str, str]:
    """Return which of the table's columns holds each of ours."""
    wanted = {**source.columns, **source.numbers}
    asked = {**wanted, **({} if source.group is None else {"group": source.group})}
    for ours, theirs in asked.items():
        factors = factors_of(theirs, types) if _is_number(ours, source) else (theirs,)
        if not set(factors) <= types.keys():
            raise SourceError(
                f"{label}, column '{ours}'",
                f"no column '{theirs}'",
                "a column of the table",
                nearest(theirs, list(types)),
            )
    same = {name: name for name in COLUMNS if name in types and name != "source"}
    constants = {n for n in CONSTANTS if getattr(source, n) is not None}
    columns = {n: c for n, c in {**same, **wanted}.items() if n not in constants}
    for name in REQUIRED:
        if name not in columns and name not in constants:
            raise SourceError(
                f"{label}, column '{name}'",
                "nothing mapped to it",
                "a column of the table",
                f"Map it under `columns`. The table has: {', '.join(types)}.",
            )
    return columns


def _is_number(name: str, source: InteractionsSource) -> bool:
    return name in NUMBERS or name in source.numbers


def _refuse_constants(settings: Settings, source: InteractionsSource, label: str) -> None:
    kinds = settings.roles.all_kinds()
    for name in ("kind", "returns"):
        kind = getattr(source, name)
        if kind is not None and kind not in kinds:
            remedy = kinds_remedy(sorted(kinds))
            raise SourceError(f"{label}, {name}", f"'{kind}'", KIND.wanted, remedy)
    for name in CONSTANTS:
        constant = getattr(source, name)
        if constant is not None and not is_text(constant):
            raise SourceError(
                f"{label}, {name}", report.shortened(constant), TEXT.wanted, "Mend it."
            )


def _right(
    staged: pa.Table,
    settings: Settings,
    columns: dict[str, str],
    conditions: list[Condition],
    latest: int,
) -> tuple[pa.Table, Broken]:
    """Return the rows that are right, their times as instants, and which others are not."""
    broken: Broken = np.array(staged["condition met"].to_numpy(), dtype=np.uint16)
    table = staged.filter(pa.array(broken == 0)) if broken.any() else staged
    for name in TIMES:
        if name in columns:
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, _instants(table, name, settings))
    for name in INSTANTS:
        future = pc.fill_null(pc.greater(table[name].cast(pa.int64()), latest), False)
        if pc.any(future).as_py():
            number = next(
                i
                for i, condition in enumerate(conditions, 1)
                if condition.rule is FUTURE and condition.column == columns[name]
            )
            broken[np.flatnonzero(broken == 0)[np.array(future)]] = number
            table = table.filter(pc.invert(future))
    return table, broken


def _instants(table: pa.Table, name: str, settings: Settings) -> pa.Array:
    """Turn local times into instants."""
    instants = np.array(table[name].fill_null(0).to_numpy(), dtype=np.int64)
    naive = table[f"naive {name}"].fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
    instants[naive] = clock.local_to_utc(instants[naive], settings.project.timezone)
    return pa.array(instants, mask=table[name].is_null().to_numpy())


def _finished(
    table: pa.Table,
    settings: Settings,
    source: InteractionsSource,
    columns: dict[str, str],
    counted: report.Table,
) -> tuple[pa.Table, report.Interactions]:
    """Give the table the schema of interactions, and measure it."""
    arrays = {name: table[name] for name in table.column_names}
    recorded, occurred = arrays["recorded_at"].cast(pa.int64()), arrays["occurred_at"]
    arrays["recorded_at"] = pc.coalesce(recorded, occurred)
    arrays["source"] = pa.array([source.label] * len(table), pa.string())
    schema = interactions_schema(settings.numbers())
    finished = pa.table({field.name: arrays[field.name] for field in schema}).cast(schema)
    counted = measures.with_columns(counted, finished, columns)
    return finished, report.Interactions(
        counted,
        grouped=None if source.group is None else len(finished),
        assumed=recorded.null_count,
        early=pc.sum(pc.less(recorded, occurred)).as_py() or 0,
    )
