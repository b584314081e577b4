"""Source tables: files and database queries, opened as DuckDB relations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy

from features.errors import SourceError, redacted
from features.settings import Settings
from features.sources.objects import reach
from features.sources.spoilt import spoilt
from features.tables import is_database, is_object

READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".gz": "read_csv", ".tsv": "read_csv"}


def shown(source: str) -> str:
    """Return a source as messages may show it: nothing secret of a database URL.

    >>> shown("sales.csv"), shown("postgresql://bob:secret@db/shop?sslkey=x")
    ("source 'sales.csv'", "source 'postgresql://db/shop'")
    """
    return f"source '{redacted(source)}'"


def open_table(
    connection: duckdb.DuckDBPyConnection, settings: Settings, source: str, query: str | None
) -> duckdb.DuckDBPyRelation:
    """Open a source: a Parquet or CSV path or glob, in a folder or an object store, or a database.

    Text files are read as text, so that an id such as ``007`` stays what it is.

    Raises:
        SourceError: the source is of no known form, or its database does not answer.
        duckdb.Error: the file cannot be read; ``reading`` explains it.
    """
    connection.execute("SET TimeZone = 'UTC'")  # else the machine's, in times read as text
    if is_database(source):
        opened = open_query(connection, source, query)
    else:
        opened = open_file(connection, settings.file(source), shown(source))
    for name in opened.columns:
        if "\x00" in name:
            raise SourceError(
                shown(source),
                f"a column named {name!r}",
                "names without the character NUL",
                "Name it anew.",
            )
    return opened


def open_file(
    connection: duckdb.DuckDBPyConnection, path: str, label: str
) -> duckdb.DuckDBPyRelation:
    """Open a Parquet or CSV file, or those of a glob; ``label`` is what messages call it.

    Raises:
        SourceError: there is no such file, or it is of no known form.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise SourceError(
            label,
            f"'{suffix}'",
            f"a file ending in {', '.join(READERS)}, or a database URL with `query`",
            "Export the table to Parquet or CSV.",
        )
    if not is_object(path) and not any(sign in path for sign in "*?["):
        found = Path(path)
        got = "" if found.is_file() else "a folder" if found.is_dir() else "no such file"
        if not got and found.stat().st_size == 0:
            got = "an empty file"
        if got:
            raise SourceError(label, got, "a file with a table", f"It was looked for at '{path}'.")
    if is_object(path):
        path = reach(connection, path)
    if READERS[suffix] == "read_parquet":
        return connection.read_parquet(path)
    return connection.read_csv(path, all_varchar=True, header=True)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its kind when it says nothing."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def reading(settings: Settings, source: str) -> Iterator[None]:
    """Turn what DuckDB finds wrong with a source into an error for people.

    A relation reads its file when it is used, so a broken line shows up late.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        where = "in the database" if is_database(source) else f"at '{settings.file(source)}'"
        looked = f"The settings look for it {where}."
        got, remedy = spoilt(settings.file(source)) or (first_line(error), looked)
        raise SourceError(shown(source), got, "a readable table", remedy) from error


def open_query(
    connection: duckdb.DuckDBPyConnection, url: str, query: str | None
) -> duckdb.DuckDBPyRelation:
    """Open what a database answers to a query.

    Raises:
        SourceError: there is no query, or the database does not answer it.
    """
    try:
        if query is None:
            raise SourceError(shown(url), "no query", "a `query` to run", "Add query = 'SELECT …'.")
        engine = sqlalchemy.create_engine(url, hide_parameters=True, poolclass=sqlalchemy.NullPool)
        with engine.connect() as database:
            answer = database.execute(sqlalchemy.text(query))
            names = list(answer.keys())
            rows = answer.fetchall()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError, OverflowError) as error:
        raise SourceError(
            shown(url),
            first_line(error.__cause__ or error),
            "a database that answers the query",
            "Check the URL, the query and that the database's driver is installed.",
        ) from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(
            shown(url), f"two columns '{twice[0]}'", "columns of different names", "Use AS in it."
        )
    columns = [_column([row[i] for row in rows]) for i in range(len(names))]
    return connection.from_arrow(pa.table(columns, names=names))


def _column(values: list[Any]) -> pa.Array:
    """Give a column of an answer one type; one with values of several is text."""
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return pa.array([None if value is None else _as_text(value) for value in values])


def _as_text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    return str(value).encode("utf-8", "backslashreplace").decode()


def first_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Run a query that returns one row; a result left unread would block the connection."""
    row: tuple[Any, ...] = connection.execute(query).fetchall()[0]
    return row
