"""The store's tables, and the engine that reaches them."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.errors import SourceError

METADATA = sa.MetaData()
INTERACTIONS = sa.Table(
    "interactions",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("occurred_at", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
    sa.Column("interaction_id", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("topic", sa.Text),
    sa.Column("case_id", sa.Text),
    sa.Column("offer_id", sa.Text),
    sa.Column("amount", sa.Double),
    sa.Column("wait_minutes", sa.Double),
    sa.Column("rating", sa.Double),
    sa.Column("resolved", sa.Boolean),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("numbers", sa.Text),
    sa.Index("interactions_once", "source", "interaction_id", unique=True),
)
ATTRIBUTES = sa.Table(
    "attributes",
    METADATA,
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
)
IDENTITIES = sa.Table(
    "identities",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
DECISIONS = sa.Table(
    "decisions",
    METADATA,
    sa.Column("decision_id", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("as_of", sa.BigInteger, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
)
# One row: the recording clock, whose store it is, and the digest of the data brought in.
# Every write updates it first, so writes are one after another.
CLOCK = sa.Table(
    "clock",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("last_recorded", sa.BigInteger, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("imported", sa.Text),
)


def open_engine(url: str) -> sa.Engine:
    """Return an engine for a database URL; SQLite writes ahead and syncs every commit.

    Raises:
        SourceError: the URL names no database that can be reached.
    """
    try:
        parsed = sa.engine.make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            parsed,
            hide_parameters=True,  # errors are logged, customers are not
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
        )
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, OSError) as error:
        raise SourceError(
            "[serving] store",
            str(error).splitlines()[0],
            "a database URL",
            "Write for example store = 'sqlite:///var/rapport.db'.",
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails at once where another one writes.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
