"""Keeping a store: a copy of it in another file, and how long interactions are kept."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from features.errors import SourceError
from serving.tables import CLOCK, DECISIONS, INTERACTIONS, SCORES


@dataclass(frozen=True, slots=True)
class Retained:
    """How many rows were deleted for their age, and whether their bytes are wiped."""

    interactions: int
    decisions: int
    scrubbed: bool


def forget(connection: sa.Connection, before: int, dry: bool) -> tuple[int, int]:
    """Delete what happened, was decided or scored before an instant; or count it.

    Args:
        connection: alone in writing.
        before: microseconds since 1970 UTC.
        dry: only count.

    Returns:
        The number of interactions and of decisions.
    """
    old = (INTERACTIONS.c.occurred_at < before, DECISIONS.c.as_of < before)
    if dry:
        found = [
            connection.execute(sa.select(sa.func.count()).where(condition)).scalar_one()
            for condition in old
        ]
        return found[0], found[1]
    interactions = connection.execute(INTERACTIONS.delete().where(old[0])).rowcount
    decisions = connection.execute(DECISIONS.delete().where(old[1])).rowcount
    connection.execute(SCORES.delete().where(SCORES.c.as_of < before))
    later = sa.case((CLOCK.c.kept_since > before, CLOCK.c.kept_since), else_=before)
    connection.execute(CLOCK.update().values(kept_since=later))
    return interactions, decisions


def back_up(url: str, file: Path) -> int:
    """Copy a SQLite store into a new file while others go on writing, and return its bytes.

    The file has its name once it is whole and on the disk. It holds all that was acknowledged
    before the call.

    Raises:
        SourceError: the store is not in SQLite, is not there, or the file cannot be written.
    """
    parsed = sa.engine.make_url(url)
    shown = f"store {parsed.render_as_string(hide_password=True)}"
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise SourceError(
            shown,
            f"a database of {parsed.get_backend_name()}",
            "one of SQLite",
            "PostgreSQL is backed up by its own means: `pg_dump --format=custom`.",
        )
    if not Path(parsed.database).is_file():
        raise SourceError(
            shown, "no such file", "a store", "Check `store` under [serving] in the settings."
        )
    if file.exists():
        raise SourceError(
            f"backup '{file}'",
            "a file that exists",
            "a new file",
            "Name another one; a backup is never written over.",
        )
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        _copy(parsed.database, part)
        part.rename(file)
        return file.stat().st_size
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise SourceError(
            f"backup '{file}'",
            str(error),
            "a file that can be written, on a disk with room",
            "Mend that, or name another file.",
        ) from error


def _copy(database: str, part: Path) -> None:
    with closing(
        sqlite3.connect(f"{Path(database).resolve().as_uri()}?mode=rw", uri=True)
    ) as source:
        source.execute("PRAGMA busy_timeout=10000")
        with closing(sqlite3.connect(part)) as copy:
            part.chmod(0o600)
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    with part.open("rb") as file:
        os.fsync(file.fileno())
