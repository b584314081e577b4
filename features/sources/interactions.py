"""Reading one source table as interactions."""

from pathlib import Path

import numpy as np

from features.errors import SourceError, nearest
from features.history import interactions_schema
from features.interactions import COLUMNS, NUMBERS
from features.rules import CLOCK_SKEW, KIND, REQUIRED, TEXT, is_text
from features.settings import Settings
from features.sources import measures, report
from features.sources.conditions import (
    ASSUMED,
    CONSTANTS,
    MET,
    conditions_of,
    kinds_remedy,
    parsed_columns,
    selection,
)
from features.sources.grouping import grouped, with_returns
from features.sources.parsing import factors_of, quoted
from features.sources.rejections import Broken, file_of, refuse_many, reject
from features.sources.shelf import Shelf
from features.sources.tables import first_row, open_table, shown
from features.tables import InteractionsSource


def read_interactions(
    shelf: Shelf,
    settings: Settings,
    source: InteractionsSource,
    now: int,
    folder: Path | None = None,
) -> tuple[str, report.Interactions]:
    """Read one source; ``recorded_at`` is ``occurred_at`` where nothing says otherwise.

    Args:
        shelf: takes the interactions.
        settings: the deployment's.
        source: the table to read.
        now: the machine's clock; what is from after it is rejected.
        folder: takes the rejected rows.

    Returns:
        The view of the right rows, and what is known of them.

    Raises:
        SourceError: the source cannot be read, lacks a column, or too many of its rows are wrong.
    """
    connection = shelf.connection
    opened = open_table(connection, settings, source.source, source.query)
    types = dict(zip(opened.columns, map(str, opened.types), strict=True))
    label = shown(source.source)
    columns = _mapped(source, types, label)
    _refuse_constants(settings, source, label)
    opened.create_view("opened", replace=True)
    parsed = parsed_columns(settings, source, columns, types)
    conditions = conditions_of(settings, parsed, columns, types, now + CLOCK_SKEW)
    schema = interactions_schema(settings.numbers())
    staged = shelf.keep(selection(parsed, conditions, source.label, schema))
    met = connection.sql(f"SELECT {quoted(MET)} AS met FROM {staged}").fetchnumpy()["met"]
    broken: Broken = np.asarray(met, dtype=np.uint16)
    counted = reject(
        connection,
        report.Table(source.label, len(broken)),
        broken,
        conditions,
        file_of(folder, "interactions", source.label),
    )
    refuse_many(settings, counted, label)
    right = shelf.view(
        f"FROM {staged} WHERE {quoted(MET)} = 0" if broken.any() else f"FROM {staged}"
    )
    right = _whole(shelf, source, right, schema.names, "kind" in columns)
    counted = measures.with_columns(connection, counted, right, schema, columns)
    n, assumed, early = first_row(
        connection,
        f"SELECT count(*), count(*) FILTER ({quoted(ASSUMED)}), "
        f"count(*) FILTER (recorded_at < occurred_at) FROM {right}",
    )
    grouped_into = None if source.group is None else n
    return right, report.Interactions(counted, grouped_into, assumed=assumed, early=early)


def _whole(
    shelf: Shelf, source: InteractionsSource, right: str, names: list[str], kinds: bool
) -> str:
    """Return the view of interactions, of which the rows that are right may be lines."""
    if source.group is not None:
        right = shelf.keep(grouped(right, names, source.sums, kinds))
    if source.returns is not None:
        right = shelf.view(with_returns(right, names, source.returns, source.numbers))
    return right


def _mapped(source: InteractionsSource, types: dict[str, str], label: str) -> dict[str, str]:
    """Return which of the table's columns holds each of ours."""
    left = {name for name, column in source.columns.items() if not column}
    wanted = {n: c for n, c in {**source.columns, **source.numbers}.items() if n not in left}
    asked = {**wanted, **({} if source.group is None else {"group": source.group})}
    used: set[str] = set()
    for ours, theirs in asked.items():
        factors = factors_of(theirs, types) if _is_number(ours, source) else (theirs,)
        used |= set(factors)
        if not set(factors) <= types.keys():
            raise SourceError(
                f"{label}, column '{ours}'",
                f"no column '{theirs}'",
                "a column of the table",
                nearest(theirs, list(types)),
            )
    same = {name: name for name in COLUMNS if name in types.keys() - used - left - {"source"}}
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
