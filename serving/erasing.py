"""Erasing a customer: all that is held is gone, and a tombstone keeps it from coming back."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features import clock
from features.errors import InteractionError
from serving.belonging import keys_of, owner_of
from serving.engine import driving, is_sqlite
from serving.records import is_storable
from serving.tables import (
    ATTRIBUTES,
    CLOCK,
    DECISIONS,
    IDENTITIES,
    INTERACTIONS,
    METADATA,
    SCORES,
    TOMBSTONES,
)

PART = 500
"""How many names one query asks for."""
SCRUB_PATIENCE = 10.0
"""Seconds that wiping the write-ahead log waits for those who still read."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of a customer were erased, and whether their bytes are wiped from the files.

    ``names`` are the customer's own and the keys of source systems. ``others`` are rows of
    further tables. ``scrubbed`` is false when a reader held on to the write-ahead log for too
    long; scrubbing again wipes what it left.
    """

    names: int
    interactions: int
    attributes: int
    identities: int
    decisions: int
    others: int
    scrubbed: bool


COUNTED = tuple(name for name in Erased.__dataclass_fields__ if name != "scrubbed")


def erase_rows(connection: sa.Connection, customer_id: str, erased_at: int) -> dict[str, int]:
    """Delete what is held of a customer under all names, and leave tombstones.

    Args:
        connection: alone in writing.
        customer_id: the customer, or one of their keys.
        erased_at: the instant, microseconds UTC.

    Returns:
        The numbers of ``Erased``.
    """
    names = keys_of(connection, owner_of(connection, customer_id))
    counts = dict.fromkeys(COUNTED, 0) | {"names": len(names)}
    for table in METADATA.sorted_tables:
        columns = [table.c[name] for name in ("customer_id", "key") if name in table.c]
        if not columns:
            continue
        deleted = 0
        for begin in range(0, len(names), PART):
            part = names[begin : begin + PART]
            theirs = sa.or_(*(column.in_(part) for column in columns))
            deleted += connection.execute(table.delete().where(theirs)).rowcount
        counts[table.name if table.name in COUNTED else "others"] += deleted
    salt, earlier = _salt(connection), are_erased(connection, names)
    stones = [
        {"digest": _digest(salt, name), "erased_at": erased_at}
        for name, is_there in zip(names, earlier, strict=True)
        if not is_there
    ]
    if stones:
        connection.execute(TOMBSTONES.insert(), stones)
    return counts


def are_erased(connection: sa.Connection, customers: Sequence[str]) -> list[bool]:
    """Return of each name whether it is that of a customer who was erased."""
    if (
        connection.execute(sa.select(sa.literal(1)).select_from(TOMBSTONES).limit(1)).first()
        is None
    ):
        return [False] * len(customers)
    salt = _salt(connection)
    digests = [_digest(salt, name) if is_storable(name) else "" for name in customers]
    found: set[str] = set()
    for begin in range(0, len(digests), PART):
        query = sa.select(TOMBSTONES.c.digest)
        part = TOMBSTONES.c.digest.in_(digests[begin : begin + PART])
        found.update(connection.scalars(query.where(part)))
    return [digest in found for digest in digests]


def erased_error() -> InteractionError:
    """Return the error about something of a customer who was erased; it does not say who."""
    return InteractionError(
        "customer_id",
        "a customer who was erased",
        "a customer whose data may be held",
        "Nothing is recorded of somebody who was erased; leave the customer out.",
    )


def held_of(connection: sa.Connection, customer_id: str) -> dict[str, Any]:
    """Return all that is held of a customer under all names, as plain data for JSON.

    Instants are ISO 8601, UTC; ``None`` is missing, or "since ever".
    """
    names = keys_of(connection, owner_of(connection, customer_id))
    found: dict[str, list[dict[str, Any]]] = {}
    for table, order in (
        (INTERACTIONS, ("recorded_at", "seq")),
        (ATTRIBUTES, ("known_at", "name")),
        (DECISIONS, ("as_of", "decision_id")),
        (SCORES, ("as_of", "model")),
    ):
        query = sa.select(table).where(table.c.customer_id.in_(names))
        rows = connection.execute(query.order_by(*(table.c[name] for name in order)))
        found[table.name] = [_plain(dict(row._mapping)) for row in rows]
    identities = sa.select(IDENTITIES).where(IDENTITIES.c.key.in_(names))
    rows = connection.execute(identities.order_by(IDENTITIES.c.key))
    return {
        "customer_id": names[0],
        "keys": names[1:],
        **found,
        "identities": [_plain(dict(row._mapping)) for row in rows],
    }


def scrub(engine: sa.Engine) -> bool:
    """Wipe the bytes of deleted rows from the database's files.

    SQLite is written anew, for pages keep copies of rows that once moved on, and its write-ahead
    log is emptied. PostgreSQL frees the rows; its own log and backups age out.

    Returns:
        Whether all is wiped; not when a reader held on to the log for ten seconds.
    """
    if not is_sqlite(engine):
        return _vacuum_tables(engine)
    with driving(engine) as cursor:
        cursor.execute("VACUUM")
        deadline = time.monotonic() + SCRUB_PATIENCE
        while True:
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy or time.monotonic() > deadline:
                return not busy
            time.sleep(0.05)


def _vacuum_tables(engine: sa.Engine) -> bool:
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        for table in METADATA.sorted_tables:
            if "customer_id" in table.c:
                connection.exec_driver_sql(f"VACUUM {table.name}")
    return True


def _salt(connection: sa.Connection) -> bytes:
    return bytes.fromhex(connection.execute(sa.select(CLOCK.c.salt)).scalar_one())


def _digest(salt: bytes, name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=20, key=salt).hexdigest()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("seq", "reserved"):  # a decision says itself whether it reserved
        row.pop(name, None)
    for name in ("occurred_at", "recorded_at", "due_at", "known_at", "as_of"):
        if row.get(name) is not None:
            row[name] = None if row[name] == clock.EVER else clock.isoformat(row[name])
    for name in ("numbers", "decision"):
        if row.get(name) is not None:
            row[name] = json.loads(row[name])
    return row
