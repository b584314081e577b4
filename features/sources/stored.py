"""Reading the serving store: the history of record once serving runs, outcomes included."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.errors import SourceError
from features.history import ATTRIBUTES_SCHEMA, interactions_schema
from features.identities import IDENTITIES_SCHEMA
from features.interactions import COLUMNS
from features.settings import Settings
from features.sources import measures, report
from features.sources.attributes import numbers_of
from features.sources.conditions import kinds_remedy
from features.sources.parsing import literal
from features.sources.tables import first_line, shown

FETCHED = 50_000
"""How many rows the database hands over at a time."""
STORED = "stored"
"""What its interactions are called in SQL."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds: everything that was known before ``known_until``.

    ``interactions`` is the name of their table, ``tables`` has by source those that came from it.
    """

    interactions: str
    attributes: pa.Table
    identities: pa.Table
    attribute_numbers: dict[str, bool]
    known_until: int
    tables: dict[str, tuple[str, report.Interactions]]


def read_store(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Stored:
    """Read the store at one moment; what is recorded meanwhile is left for another time.

    Args:
        connection: a database in memory, for this reading.
        settings: the deployment's. Their clock is where the service's began, and ends nothing;
            that of an earlier moment, set by ``--until``, does. The store's rows are right, since
            recording checked them.

    Raises:
        SourceError: there is no store, or nothing in it, or a kind that no role knows any more.
    """
    url = settings.store()
    try:
        with _engine(url).connect() as database:
            (last,) = database.execute(sa.text("SELECT last_recorded FROM clock")).one()
            interactions = _interactions(database, settings.numbers(), last)
            attributes = _table(database, "attributes", ATTRIBUTES_SCHEMA)
            identities = _table(database, "identities", IDENTITIES_SCHEMA)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise SourceError(
            shown(url),
            first_line(error.__cause__ or error),
            "the store of a service",
            "Record into it first: `python -m serving import` brings in what tables hold.",
        ) from error
    if len(interactions) == 0:
        raise SourceError(
            shown(url), "no interactions", "at least one", "Import or record some first."
        )
    known_until = settings.rewound() or int(last) + 1
    connection.register(STORED, interactions)
    tables = _tables(connection, settings, interactions.schema)
    numeric = numbers_of(connection, attributes, known_until)
    numbers = {name: name in numeric for name in pc.unique(attributes["name"]).to_pylist()}
    return Stored(STORED, attributes, identities, numbers, known_until, tables)


def _engine(url: str) -> sa.Engine:
    """Return an engine that reads; a SQLite file that is missing is not made."""
    parsed = sa.engine.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, hide_parameters=True, poolclass=sa.NullPool)
    file = f"file:{quote(str(Path(parsed.database or '').absolute()))}?mode=ro"
    return sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(file, uri=True), poolclass=sa.NullPool
    )


def _interactions(database: sa.Connection, numbers: tuple[str, ...], last: int) -> pa.Table:
    """Read what was recorded until an instant, so that one recorded meanwhile is left out."""
    schema = interactions_schema(numbers)
    query = f"SELECT {', '.join([*COLUMNS, 'numbers'])} FROM interactions "
    parts = []
    for rows in _rows(database, f"{query}WHERE recorded_at <= {int(last)}"):
        *columns, texts = zip(*rows, strict=True)
        further = [json.loads(text) if text else {} for text in texts]
        arrays: dict[str, Sequence[Any]] = dict(zip(COLUMNS, columns, strict=True))
        arrays["resolved"] = [None if told is None else bool(told) for told in arrays["resolved"]]
        arrays |= {name: [each.get(name) for each in further] for name in numbers}
        parts.append(pa.table({field.name: arrays[field.name] for field in schema}, schema))
    return pa.concat_tables([schema.empty_table(), *parts])


def _table(database: sa.Connection, name: str, schema: pa.Schema) -> pa.Table:
    query = f"SELECT {', '.join(schema.names)} FROM {name}"
    parts = [
        pa.table(dict(zip(schema.names, zip(*rows, strict=True), strict=True)), schema)
        for rows in _rows(database, query)
    ]
    return pa.concat_tables([schema.empty_table(), *parts])


def _rows(database: sa.Connection, query: str) -> Iterator[Sequence[Any]]:
    answer = database.execution_options(yield_per=FETCHED).execute(sa.text(query))
    yield from answer.partitions()


def _tables(
    connection: duckdb.DuckDBPyConnection, settings: Settings, schema: pa.Schema
) -> dict[str, tuple[str, report.Interactions]]:
    """Return the interactions by the source that they came from, and what is known of them."""
    known = sorted(settings.roles.all_kinds())
    kinds = connection.execute(f"SELECT DISTINCT kind FROM {STORED} ORDER BY kind").fetchall()
    if unknown := [kind for (kind,) in kinds if kind not in known]:
        raise SourceError(
            "interactions of the store",
            f"the kind '{unknown[0]}'",
            "kinds that [roles] in the settings knows",
            kinds_remedy(known),
        )
    tables = {}
    sources = connection.execute(
        f"SELECT source, count(*) FROM {STORED} GROUP BY source ORDER BY source"
    ).fetchall()
    for i, (source, n) in enumerate(sources):
        view = f"{STORED}_{i}"
        connection.execute(
            f"CREATE TEMP VIEW {view} AS FROM {STORED} WHERE source = {literal(source)}"
        )
        counted = measures.with_columns(
            connection, report.Table(source, n), view, schema, schema.names
        )
        tables[source] = (view, report.Interactions(counted))
    return tables
