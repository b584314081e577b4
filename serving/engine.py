"""The engine that reaches the store's database: durable, quick to fail, quick to read."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.errors import SourceError, redacted

PATIENCE = 10_000
"""Milliseconds that a write waits for the writes of others before it fails."""
CONNECT_TIMEOUT = 3
"""Seconds after which a database that does not answer counts as away."""
SYNCHRONOUS = ("FULL", "NORMAL")
AGAIN = 0.01
"""Seconds between two attempts to have a new SQLite database write ahead."""
PAGES = 32 * 1024
"""KiB of the database that each SQLite connection keeps in memory at most."""


def open_engine(url: str) -> sa.Engine:
    """Return an engine for a database URL; SQLite writes ahead and syncs every commit.

    ``?synchronous=NORMAL`` after a SQLite path leaves out the sync of each commit: a crash of the
    process loses nothing, a power cut may lose the last commits, and never damages the store.

    Raises:
        SourceError: the URL names no database that can be reached.
    """
    try:
        parsed = sa.engine.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed)
        return sa.create_engine(
            parsed,
            hide_parameters=True,  # errors are logged, customers are not
            pool_pre_ping=True,
            pool_timeout=CONNECT_TIMEOUT,
            connect_args=_waits(parsed),
        )
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, OSError) as error:
        raise SourceError(
            "[serving] store",
            redacted(str(error).splitlines()[0]),
            "a database URL",
            "Write for example store = 'sqlite:///var/rapport.db'.",
        ) from error


@contextmanager
def reading(engine: sa.Engine) -> Iterator[Any]:
    """Give the driver's own cursor in a transaction that only reads."""
    with driving(engine) as cursor:
        if is_sqlite(engine):
            cursor.execute("BEGIN")
        yield cursor


@contextmanager
def driving(engine: sa.Engine) -> Iterator[Any]:
    """Give the driver's own cursor, and raise what SQLAlchemy would raise.

    SQLAlchemy's connection costs more time than reading a customer does.
    """
    dialect = engine.dialect
    driver: Any = dialect.loaded_dbapi
    connection = None
    try:
        connection = engine.raw_connection()
        yield connection.cursor()
    except driver.Error as error:
        if connection is not None and dialect.is_disconnect(error, None, None):
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            None, None, error, driver.Error, hide_parameters=True, dialect=dialect
        ) from error
    finally:
        if connection is not None:
            connection.close()


def is_sqlite(engine: sa.Engine) -> bool:
    """Whether the store is a SQLite database."""
    return engine.dialect.name == "sqlite"


def _open_sqlite(url: sa.URL) -> sa.Engine:
    asked = url.query.get("synchronous", "FULL")
    synchronous = asked.upper() if isinstance(asked, str) else ""
    if synchronous not in SYNCHRONOUS:
        raise sa.exc.ArgumentError(f"synchronous={asked}; it is {' or '.join(SYNCHRONOUS)}")
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # what is known of customers is its owner's to read
    engine = sa.create_engine(
        url.difference_update_query(["synchronous"]),
        hide_parameters=True,
        pool_timeout=CONNECT_TIMEOUT,
    )

    def set_pragmas(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE}")
        _write_ahead(cursor)
        for pragma in (
            f"synchronous={synchronous}",
            "secure_delete=ON",
            f"cache_size=-{PAGES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    sa.event.listen(engine, "connect", set_pragmas)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Have a database write ahead; SQLite itself does not wait for one that others change."""
    patient = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > patient:
                raise
        time.sleep(AGAIN)


def _waits(url: sa.URL) -> dict[str, Any]:
    """Return how long PostgreSQL is waited for, unless the URL says otherwise."""
    if url.get_backend_name() != "postgresql":
        return {}
    waits = {
        "connect_timeout": CONNECT_TIMEOUT,
        "tcp_user_timeout": PATIENCE,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "options": f"-c lock_timeout={PATIENCE}",
    }
    return {name: value for name, value in waits.items() if name not in url.query}


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails at once where another one writes.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
