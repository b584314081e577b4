"""Source tables: files and database queries, opened as DuckDB relations."""

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy

from features.errors import SourceError
from features.settings import Settings

READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".gz": "read_csv", ".tsv": "read_csv"}


def open_table(
    connection: duckdb.DuckDBPyConnection, settings: Settings, source: str, query: str | None
) -> duckdb.DuckDBPyRelation:
    """Open a source: a Parquet or CSV path or glob, or a database URL with its query.

    Text files are read as text, so that an id such as ``007`` stays what it is.

    Raises:
        SourceError: the source cannot be read.
    """
    if "://" in source:
        return _from_database(connection, source, query)
    path = settings.file(source)
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise SourceError(
            f"source '{source}'",
            f"'{suffix}'",
            f"a file ending in {', '.join(READERS)}, or a database URL with `query`",
            "Export the table to Parquet or CSV.",
        )
    try:
        if READERS[suffix] == "read_parquet":
            return connection.read_parquet(path)
        return connection.read_csv(path, all_varchar=True, header=True)
    except duckdb.Error as error:
        raise SourceError(
            f"source '{source}'",
            str(error).splitlines()[0],
            "a readable table",
            f"The settings look for it at '{path}'.",
        ) from error


def _from_database(
    connection: duckdb.DuckDBPyConnection, url: str, query: str | None
) -> duckdb.DuckDBPyRelation:
    shown = "source " + sqlalchemy.engine.make_url(url).render_as_string(hide_password=True)
    if query is None:
        raise SourceError(shown, "no query", "a `query` to run", "Add query = 'SELECT …'.")
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as database:
            frame = pd.read_sql_query(sqlalchemy.text(query), database)
        engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise SourceError(
            shown,
            str(error).splitlines()[0],
            "a database that answers the query",
            "Check the URL, the query and that the database's driver is installed.",
        ) from error
    return connection.from_df(frame)


def first_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Run a query that returns one row; a result left unread would block the connection."""
    row: tuple[Any, ...] = connection.execute(query).fetchall()[0]
    return row
