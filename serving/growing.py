"""Growing: what the tables have by now and the store lacks, appended as known from now on."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from features import clock
from features.errors import SourceError
from features.interactions import NUMBERS
from serving.erasing import are_erased
from serving.importing import BATCH, COLUMNS, Imported, bring_in, numbered, without, write
from serving.tables import ATTRIBUTES, CLOCK, IDENTITIES, INTERACTIONS

if TYPE_CHECKING:  # with it comes pandas, which nothing that serves needs
    from features.history import History

CONTENT = tuple(name for name in COLUMNS if name not in ("seq", "recorded_at"))
"""What makes two interactions the same; of those without ids, as many as there are."""
NAMES = ", ".join(f'"{name}"' for name in CONTENT)
TYPES = (
    dict.fromkeys(("occurred_at", "due_at"), pa.int64())
    | dict.fromkeys(NUMBERS, pa.float64())
    | {"resolved": pa.bool_()}
)
SCHEMA = pa.schema([(name, TYPES.get(name, pa.string())) for name in CONTENT])
LAST = "QUALIFY row_number() OVER (PARTITION BY customer_id, name ORDER BY known_at DESC) = 1"
# Of a customer's facts of one name the last in the table counts. It is new, without a date, when
# it is not what is known last; with one, when it was not known by then.
NEW_FACTS = f"""
WITH latest AS (FROM held {LAST}), final AS (FROM facts {LAST})
SELECT customer_id, name, value FROM final f
WHERE CASE WHEN known_at = {clock.EVER}
    THEN NOT EXISTS (FROM latest l WHERE l.customer_id = f.customer_id AND l.name = f.name
        AND l.value = f.value)
    ELSE NOT EXISTS (FROM held h WHERE h.customer_id = f.customer_id AND h.name = f.name
        AND h.value = f.value AND h.known_at >= f.known_at)
    END
ORDER BY ALL
"""


def take_in(
    connection: sa.Connection,
    history: "History",
    digest: str,
    stamp: int,
    seq: int,
    progress: Callable[[int], object],
) -> Imported:
    """Write a history into the store, or what it has more than when it was written before.

    In the caller's transaction, alone in writing; arguments as ``append_new`` and the store's
    ``import_history`` say.
    """
    latest = history.known_until - 1
    then, since = connection.execute(sa.select(CLOCK.c.imported, CLOCK.c.kept_since)).one()
    rest = (seq, partial(are_erased, connection), progress)
    if then is None:
        done = bring_in(connection, history, *rest)
    else:
        done = append_new(connection, history, stamp, since, *rest)
    mark = sa.case((CLOCK.c.last_recorded > latest, CLOCK.c.last_recorded), else_=latest)
    connection.execute(CLOCK.update().values(imported=digest, last_recorded=mark))
    return done


def append_new(
    connection: sa.Connection,
    history: "History",
    stamp: int,
    since: int | None,
    seq: int,
    is_erased: Callable[[Sequence[str]], list[bool]],
    progress: Callable[[int], object],
) -> Imported:
    """Append what is new in tables that were brought in before, in the caller's transaction.

    It is recorded now, however long ago it happened: scores that were given without it come out
    the same when they are computed again.

    Args:
        connection: alone in writing.
        history: all that the tables hold.
        stamp: when it is recorded, microseconds since 1970 UTC.
        since: from when interactions are kept; ``None``: since ever.
        seq: the first of the places that interactions are given.
        is_erased: says of customers which ones were erased.
        progress: called with the number of interactions done since the last call.

    Raises:
        SourceError: something that was brought in is not in the tables any more.
    """
    known = without(history.interactions, ["customer_id"], is_erased)
    further = [name for name in history.numbers if name not in CONTENT]
    batches = [batch.select(CONTENT) for batch in numbered(known, further, 0)]
    facts = without(history.attributes, ["customer_id"], is_erased)
    with duckdb.connect() as memory:
        memory.register("brought", pa.Table.from_batches(batches, SCHEMA))
        memory.register("facts", facts)
        memory.register("held", _held(connection, facts.schema))
        sources = history.interactions["source"].unique().to_pylist()
        fresh = _new_in(memory, _stored(connection, sources, since), sources, since)
        new_facts = memory.sql(NEW_FACTS).to_arrow_table()
    progress(len(known) - len(fresh))
    new = write(connection, _stamped(fresh, stamp, seq), progress)
    for batch in new_facts.to_batches(BATCH):
        rows = [{**row, "known_at": stamp} for row in batch.to_pylist()]
        connection.execute(ATTRIBUTES.insert(), rows)
    _append_keys(connection, without(history.identities, ["key", "customer_id"], is_erased), stamp)
    return Imported(new, len(history.interactions) - len(known))


def _new_in(
    memory: duckdb.DuckDBPyConnection, stored: pa.Table, sources: Sequence[str], since: int | None
) -> pa.Table:
    """Return what was brought and is not stored; refuse what was stored and is not brought."""
    memory.register("stored", stored)
    _refuse_others(memory, sources)
    kept = "" if since is None else f" WHERE occurred_at >= {since}"
    return memory.sql(
        f"SELECT {NAMES} FROM brought{kept} EXCEPT ALL SELECT {NAMES} FROM stored "
        "ORDER BY customer_id, occurred_at"
    ).to_arrow_table()


def _stored(connection: sa.Connection, sources: Sequence[str], since: int | None) -> pa.Table:
    """Return what the store holds of some sources."""
    columns = [INTERACTIONS.c[name] for name in CONTENT]
    query = sa.select(*columns).where(INTERACTIONS.c.source.in_(sources))
    if since is not None:
        query = query.where(INTERACTIONS.c.occurred_at >= since)
    return _table(connection, query, SCHEMA)


def _held(connection: sa.Connection, schema: pa.Schema) -> pa.Table:
    """Return the facts that the store holds."""
    return _table(connection, sa.select(*(ATTRIBUTES.c[name] for name in schema.names)), schema)


def _table(connection: sa.Connection, query: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    parts = connection.execute(query).partitions(BATCH)
    columns = (zip(*rows, strict=True) for rows in parts)
    batches = [
        pa.record_batch([pa.array(c, f.type) for c, f in zip(each, schema, strict=True)], schema)
        for each in columns
    ]
    return pa.Table.from_batches(batches, schema)


def _refuse_others(memory: duckdb.DuckDBPyConnection, sources: Sequence[str]) -> None:
    """Refuse tables that are not those which were brought in, grown."""
    gone = memory.sql(
        "SELECT source, count(*) FROM "
        f"(SELECT {NAMES} FROM stored EXCEPT ALL SELECT {NAMES} FROM brought) "
        "GROUP BY source ORDER BY source"
    ).fetchall()
    told = [
        f"{n:,} interactions of '{source}' that the tables lack or tell otherwise"
        for source, n in gone
    ]
    before = {name for (name,) in memory.sql("SELECT DISTINCT source FROM stored").fetchall()}
    told += [f"nothing of '{name}'" for name in sorted(set(sources) - before)]
    if told:
        raise SourceError(
            "store",
            ", ".join(told),
            "the history of these tables and settings, which may only have grown since",
            "Name a new store under [serving] in the settings (or remove the old one, if nothing "
            "was recorded in it), and import again.",
        )


def _stamped(fresh: pa.Table, stamp: int, seq: int) -> Iterator[pa.RecordBatch]:
    """Give batches of ``COLUMNS``, all recorded at once, in places that follow."""
    for batch in fresh.to_batches(BATCH):
        columns = dict(zip(CONTENT, batch.columns, strict=True))
        columns["seq"] = pa.array(range(seq, seq + len(batch)), pa.int64())
        columns["recorded_at"] = pa.repeat(stamp, len(batch)).cast(pa.int64())
        seq += len(batch)
        yield pa.RecordBatch.from_arrays([columns[name] for name in COLUMNS], list(COLUMNS))


def _append_keys(connection: sa.Connection, identities: pa.Table, stamp: int) -> None:
    """Write the keys that are new: a key belongs to whom it was first known to."""
    known = set(connection.execute(sa.select(IDENTITIES.c.key)).scalars())
    for batch in identities.to_batches(BATCH):
        rows = [{**row, "known_at": stamp} for row in batch.to_pylist() if row["key"] not in known]
        if rows:
            connection.execute(IDENTITIES.insert(), rows)
