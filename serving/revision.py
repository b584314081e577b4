"""The revision of a store's schema: made, taken over or brought up to date when it is opened."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from features.errors import SourceError
from serving.tables import CLOCK

NEWEST = "0004"
"""The revision that this code works with."""
VERSIONS = sa.Table(
    "rapport_revision",  # MLflow keeps one of Alembic's own name, perhaps in the same database
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), primary_key=True),
)
UNVERSIONED = ("clock", "interactions")
LOCK = 7_235_104_886_117_340_001
"""Names, in PostgreSQL, the one migration at a time."""


def bring_up_to_date(connection: sa.Connection, shown: str) -> None:
    """Bring a database to the newest revision: an empty one, an old one, one without revisions.

    Args:
        connection: in a transaction that is alone in writing; all of it is done or nothing.
        shown: names the store in errors, without its password.

    Raises:
        SourceError: the database is of a newer revision than this code.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # a migration may take its time
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    found = revision_of(connection)
    if found != NEWEST:
        _upgrade(connection, found, shown)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")


def claim(connection: sa.Connection, project: str, shown: str) -> None:
    """Give a new store to a project, and its tombstones their salt.

    Raises:
        SourceError: it is another project's.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(CLOCK).on_conflict_do_nothing()
    connection.execute(insert, {"id": 1, "last_recorded": 0, "project": project})
    salt = {"salt": secrets.token_hex(32)}
    connection.execute(CLOCK.update().where(CLOCK.c.salt.is_(None)).values(salt))
    owner = connection.execute(sa.select(CLOCK.c.project)).scalar_one()
    if owner != project:
        raise SourceError(
            shown,
            f"the customers of project '{owner}'",
            f"those of '{project}', or an empty database",
            "Name a store of its own under [serving] in the settings.",
        )


def revision_of(connection: sa.Connection) -> str | None:
    """Return a database's revision: ``None`` when it is empty, "0001" without a table of them."""
    tables = sa.inspect(connection)
    if tables.has_table(VERSIONS.name):
        revision: str | None = connection.execute(sa.select(VERSIONS)).scalar_one_or_none()
        return revision
    return "0001" if all(tables.has_table(name) for name in UNVERSIONED) else None


def _upgrade(connection: sa.Connection, found: str | None, shown: str) -> None:
    # Most stores are up to date when they are opened, and Alembic takes a while to import.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise SourceError(
            shown,
            f"revision {found}, which this version of Rapport does not know",
            f"revision {NEWEST} or an older one",
            "Run the version that wrote it, or a newer one.",
        )
    if found == "0001" and not sa.inspect(connection).has_table(VERSIONS.name):
        VERSIONS.create(connection)
        connection.execute(VERSIONS.insert(), {"version_num": found})

    def steps(current: Any, _: object) -> Sequence[Any]:
        return scripts._upgrade_revs(NEWEST, current)

    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSIONS.name)
        environment.run_migrations()
