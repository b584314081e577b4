"""Reading a deployment's sources into one history."""

import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import SourceError
from features.history import ATTRIBUTES_SCHEMA, History
from features.identities import IDENTITIES_SCHEMA, owners, resolve
from features.interactions import COLUMNS, INSTANTS, ORDER
from features.offers import Offer
from features.settings import Settings
from features.sources import measures, report
from features.sources.attributes import read_attributes
from features.sources.identities import read_identities, resolved
from features.sources.interactions import read_interactions
from features.sources.offers import read_offers
from features.sources.stored import read_store
from features.sources.tables import reading


def read_history(settings: Settings, aside: Path | None = None) -> History:
    """Read every source of the settings.

    A row that is wrong is rejected, the others are kept. Interactions recorded at or after
    ``known_until`` (the settings' clock, else just after the last one or the last identity) are
    left out, so that a history read later is the same; of those that share source and id, the
    first recorded is kept. Which identities are kept ``features.identities`` says. The history's
    report says what was rejected and left out.

    Args:
        settings: the deployment's.
        aside: a folder that takes the rejected rows with their reasons; by default nothing is
            written.

    Raises:
        SourceError: a source cannot be read or lacks a column, or more of its rows are wrong
            than ``[checks]`` allows.
    """
    if settings.reads_store:
        return _from_store(settings)
    connection = duckdb.connect()
    try:
        now = time.time_ns() // 1000
        said, told_identities = _identities(connection, settings, now, aside)
        latest = pc.max(said["known_at"]).as_py()
        interactions, known_until, told = _interactions(connection, settings, now, latest, aside)
        customers = pc.unique(interactions["customer_id"])
        identities = said
        if told_identities:
            identities, told_identities = resolved(said, told_identities, customers, known_until)
        customers = pa.concat_arrays([customers, owners(identities, customers)]).unique()
        attributes, told_attributes, numbers = _attributes(
            connection, settings, customers, known_until, aside
        )
        offers, offer_numbers = read_offers(connection, settings)
        told_offers = _offers(connection, settings, interactions, identities, offers)
    finally:
        connection.close()
    return History(
        interactions=interactions,
        attributes=attributes,
        offers=offers,
        known_until=known_until,
        numbers=settings.numbers(),
        attribute_numbers=numbers,
        offer_numbers=offer_numbers,
        timezone=settings.project.timezone,
        constants=settings.signals,
        report=report.Report(known_until, told, told_attributes, told_offers, told_identities),
        identities=identities,
    )


def _from_store(settings: Settings) -> History:
    with duckdb.connect() as connection:
        stored = read_store(connection, settings)
        until = stored.known_until
        kept = _as_known(connection, stored.interactions, until)
        told = measures.measured(connection, stored.tables, kept, until)
        offers, offer_numbers = read_offers(connection, settings)
        identities = resolve(stored.identities, until).identities
        told_offers = _offers(connection, settings, kept, identities, offers)
    return History(
        interactions=kept,
        attributes=stored.attributes,
        offers=offers,
        known_until=until,
        numbers=settings.numbers(),
        attribute_numbers=stored.attribute_numbers,
        offer_numbers=offer_numbers,
        timezone=settings.project.timezone,
        constants=settings.signals,
        report=report.Report(until, told, (), told_offers),
        identities=identities,
    )


def _offers(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    interactions: pa.Table,
    identities: pa.Table,
    offers: Mapping[str, Offer],
) -> report.Offers:
    persons = owners(identities, interactions["customer_id"])
    named = interactions.set_column(0, "customer_id", persons)
    return measures.measured_offers(connection, named, offers, settings.roles)


def _identities(
    connection: duckdb.DuckDBPyConnection, settings: Settings, now: int, aside: Path | None
) -> tuple[pa.Table, report.Identities | None]:
    source = settings.identities
    if source is None:
        return IDENTITIES_SCHEMA.empty_table(), None
    with reading(settings, source.source):
        return read_identities(connection, settings, source, now, aside)


def _interactions(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    now: int,
    latest: int | None,
    aside: Path | None,
) -> tuple[pa.Table, int, tuple[report.Interactions, ...]]:
    tables = {}
    for source in settings.interactions:
        with reading(settings, source.source):
            tables[source.label] = read_interactions(connection, settings, source, now, aside)
    read = pa.concat_tables([table for table, _ in tables.values()])
    if len(read) == 0:
        raise SourceError(
            "sources", "no interactions", "at least one row", "Check the paths in the settings."
        )
    known_until = settings.project.now()
    if known_until is None:
        ends = [pc.max(read[name]).as_py() for name in INSTANTS]
        known_until = 1 + max([*ends, *([] if latest is None else [latest])])
    kept = _as_known(connection, read, known_until)
    return kept, known_until, measures.measured(connection, tables, kept, known_until)


def _attributes(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    customers: pa.Array,
    known_until: int,
    aside: Path | None,
) -> tuple[pa.Table, tuple[report.Attributes, ...], dict[str, bool]]:
    tables = [ATTRIBUTES_SCHEMA.empty_table()]
    told = []
    numbers: dict[str, bool] = {}
    for source in settings.attributes:
        with reading(settings, source.source):
            table, so_far, found = read_attributes(connection, settings, source, known_until, aside)
        tables.append(table)
        told.append(measures.measured_attributes(so_far, table, customers))
        for name, number in found.items():
            numbers[name] = numbers.get(name, True) and number
    return pa.concat_tables(tables), tuple(told), numbers


def _as_known(
    connection: duckdb.DuckDBPyConnection, interactions: pa.Table, known_until: int
) -> pa.Table:
    connection.register("read", interactions)
    further = [name for name in interactions.column_names if name not in COLUMNS]
    order = ", ".join(f'"{name}" NULLS FIRST' for name in (*ORDER, *further, "customer_id"))
    return (
        connection.sql(
            f"FROM (SELECT * FROM read WHERE recorded_at < {known_until} "
            "QUALIFY interaction_id IS NULL OR row_number() OVER (PARTITION BY source, "
            f"interaction_id ORDER BY recorded_at, {order}) = 1) WHERE occurred_at < {known_until}"
        )
        .to_arrow_table()
        .cast(interactions.schema)
    )
