"""Opening: the tables that somebody names, looked at as far as it takes to tell what they are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from features.console import steps
from features.errors import SourceError, redacted
from features.sources.fitting import FEW_KINDS
from features.sources.sorting import Table, look
from features.sources.spoilt import spoilt
from features.sources.tables import (
    READERS,
    first_line,
    first_row,
    open_file,
    open_query,
    shown,
)
from features.tables import is_database, is_object
from training.proposal import source_of
from training.writing import plain

MOST_ROWS = 200_000
"""Of a table in a database: enough to tell what it is, and little memory."""
Given = tuple[str, str | None, str]
"""A table: its path or the URL of its database, its name there, and what it is called."""


def opened(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[str], beside: Path
) -> list[Table]:
    """Look at every table of the sources and say what it is.

    Args:
        connection: takes the tables.
        sources: files, folders, globs, or database URLs.
        beside: the folder of the settings file.

    Raises:
        SourceError: one of them cannot be read.
    """
    given = list(dict.fromkeys(each for source in sources for each in _expanded(source)))
    with steps("Looking at the tables") as begin:
        looked = look(connection, _read(connection, given, beside, begin))
    return [_cut(connection, table) for table in looked]


def _read(
    connection: duckdb.DuckDBPyConnection,
    given: Sequence[Given],
    beside: Path,
    begin: Callable[[str, int], None],
) -> Iterator[tuple[str, str | None, str, str]]:
    """Yield each table once it was read, so that one is looked at before the next is read."""
    for i, (source, name, label) in enumerate(given):
        begin(plain(label), len(given))
        there = f"given_{i}"
        query = None
        if name is None:
            _read_file(connection, source, there)
        else:
            query, few = _queries(source, name)
            open_query(connection, source, few).create(there)
        yield source_of(source, beside), query, there, label


def _read_file(connection: duckdb.DuckDBPyConnection, source: str, there: str) -> None:
    told = shown(plain(source))
    try:
        open_file(connection, source, told).create(there)
        (rows,) = first_row(connection, f"SELECT count(*) FROM {there}")
        wrong = None if rows else spoilt(source)
    except duckdb.Error as error:
        got, remedy = spoilt(source) or (first_line(error), "Export it again.")
        raise SourceError(told, got, "a readable table", remedy) from error
    if wrong:
        raise SourceError(told, wrong[0], "a readable table", wrong[1])


def _queries(url: str, name: str) -> tuple[str, str]:
    """Return the queries for all rows of a database's table, and for so many as are looked at."""
    quote = sa.make_url(url).get_dialect()().identifier_preparer.quote
    few = sa.select(sa.text("*")).select_from(sa.table(name)).limit(MOST_ROWS)
    return f"SELECT * FROM {quote(name)}", _written(url, few)


def _written(url: str, query: sa.Select[Any]) -> str:
    dialect = sa.make_url(url).get_dialect()()
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _cut(connection: duckdb.DuckDBPyConnection, table: Table) -> Table:
    """Say by how many rows it was told what a table is, and look for its kinds in the others."""
    if table.query is None or table.profile.rows < MOST_ROWS:
        return table
    why = f"{table.why}, by its first {MOST_ROWS:,} rows"
    kind = table.found.columns.get("kind") if table.found else None
    if kind is None:
        return replace(table, why=why)
    of: sa.ColumnClause[Any] = sa.column(kind)
    every = sa.select(of).distinct().select_from(sa.table(table.profile.label)).limit(FEW_KINDS)
    answer = open_query(connection, table.source, _written(table.source, every)).fetchall()
    held = table.profile.columns[kind]
    kinds = dict.fromkeys([*held.values, *(str(k).strip() for (k,) in answer if k is not None)])
    column = replace(held, values=tuple(filter(None, kinds)), distinct=len(kinds))
    profile = replace(table.profile, columns={**table.profile.columns, kind: column})
    return replace(table, profile=profile, why=why)


def _expanded(source: str) -> Iterator[Given]:
    if is_database(source):
        try:
            engine = sa.create_engine(source, hide_parameters=True, poolclass=sa.NullPool)
            names = sa.inspect(engine).get_table_names()
            names += sa.inspect(engine).get_view_names()
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            raise SourceError(
                shown(source),
                redacted(first_line(error)),
                "a database that answers",
                "Check the URL, and that the database's driver is installed.",
            ) from error
        for name in sorted(names):
            yield source, name, name
    elif not is_object(source) and Path(source).is_dir():
        for path in sorted(Path(source).iterdir()):
            if path.suffix.lower() in READERS:
                yield _named(path), None, path.name.partition(".")[0]
    else:
        yield source, None, Path(source).name.partition(".")[0]


def _named(path: Path) -> str:
    """Return a path as text; raises SourceError where settings could not hold its name."""
    try:
        return str(path).encode().decode()
    except UnicodeEncodeError as error:
        told = ascii(path.name)
        raise SourceError(
            f"file {told}", "a name that is not in UTF-8", "one that can be written", "Rename it."
        ) from error
