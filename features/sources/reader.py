"""Reading a deployment's sources into one history."""

import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from features.contents import distinct
from features.errors import SourceError
from features.history import ATTRIBUTES_SCHEMA, History, interactions_schema
from features.identities import IDENTITIES_SCHEMA, owners, resolve
from features.interactions import COLUMNS, ORDER
from features.settings import Settings
from features.sources import measures, report
from features.sources.attributes import read_attributes
from features.sources.identities import read_identities, resolved
from features.sources.interactions import read_interactions
from features.sources.offers import read_offers
from features.sources.parsing import quoted
from features.sources.shelf import Shelf, shelf
from features.sources.stored import read_store
from features.sources.tables import first_row, reading

KEPT = "kept"
"""The name of the interactions that are kept, in SQL."""


def read_history(
    settings: Settings, aside: Path | None = None, kept: Path | None = None
) -> History:
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
        kept: an empty folder that takes the interactions as Parquet files, of which the history's
            are then a data set, for as long as it is used; by default they are held in memory.

    Raises:
        SourceError: a source cannot be read or lacks a column, or more of its rows are wrong
            than ``[checks]`` allows.
    """
    if settings.reads_store:
        return _from_store(settings, kept)
    with shelf(settings, kept) as held:
        now = time.time_ns() // 1000
        said, told_identities = _identities(held.connection, settings, now, aside)
        latest = pc.max(said["known_at"]).as_py()
        interactions, known_until, told = _interactions(held, settings, now, latest, aside)
        customers = distinct(interactions, "customer_id")
        identities = said
        if told_identities:
            identities, told_identities = resolved(said, told_identities, customers, known_until)
        customers = pa.concat_arrays([customers, owners(identities, customers)]).unique()
        attributes, told_attributes, numbers = _attributes(
            held.connection, settings, customers, known_until, aside
        )
        offers, offer_numbers = read_offers(held.connection, settings)
        told_offers = measures.measured_offers(
            held.connection, KEPT, identities, offers, settings.roles
        )
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


def _from_store(settings: Settings, kept: Path | None) -> History:
    with shelf(settings, kept) as held:
        stored = read_store(held.connection, settings)
        until = stored.known_until
        held.connection.execute(f"CREATE TEMP VIEW read AS FROM {stored.interactions}")
        schema = interactions_schema(settings.numbers())
        interactions = held.taken(_as_known(held.connection, until), schema, KEPT)
        told = measures.measured(held.connection, stored.tables, KEPT, until, kept is None)
        offers, offer_numbers = read_offers(held.connection, settings)
        identities = resolve(stored.identities, until).identities
        told_offers = measures.measured_offers(
            held.connection, KEPT, identities, offers, settings.roles
        )
    return History(
        interactions=interactions,
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


def _identities(
    connection: duckdb.DuckDBPyConnection, settings: Settings, now: int, aside: Path | None
) -> tuple[pa.Table, report.Identities | None]:
    source = settings.identities
    if source is None:
        return IDENTITIES_SCHEMA.empty_table(), None
    with reading(settings, source.source):
        return read_identities(connection, settings, source, now, aside)


def _interactions(
    held: Shelf, settings: Settings, now: int, latest: int | None, aside: Path | None
) -> tuple[pa.Table | pa.dataset.Dataset, int, tuple[report.Interactions, ...]]:
    tables = {}
    for source in settings.interactions:
        with reading(settings, source.source):
            tables[source.label] = read_interactions(held, settings, source, now, aside)
    schema = interactions_schema(settings.numbers())
    columns = ", ".join(map(quoted, schema.names))
    read = " UNION ALL ".join(f"SELECT {columns} FROM {table}" for table, _ in tables.values())
    held.connection.execute(f"CREATE TEMP VIEW read AS {read}")
    n, *ends = first_row(
        held.connection, "SELECT count(*), max(occurred_at), max(recorded_at) FROM read"
    )
    if n == 0:
        raise SourceError(
            "sources", "no interactions", "at least one row", "Check the paths in the settings."
        )
    known_until = settings.project.now()
    if known_until is None:
        known_until = 1 + max([*ends, *([] if latest is None else [latest])])
    kept = held.taken(_as_known(held.connection, known_until), schema, KEPT)
    in_memory = held.folder is None
    told = measures.measured(held.connection, tables, KEPT, known_until, in_memory)
    return kept, known_until, told


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


def _as_known(connection: duckdb.DuckDBPyConnection, known_until: int) -> str:
    """Return the query of what is known of the view ``read``, each id once."""
    further = [name for name in connection.table("read").columns if name not in COLUMNS]
    order = ", ".join(f"{quoted(name)} NULLS FIRST" for name in (*ORDER, *further, "customer_id"))
    recorded = f"recorded_at < {known_until}"
    connection.execute(
        "CREATE TEMP TABLE repeated AS SELECT source, interaction_id FROM read "
        f"WHERE {recorded} AND interaction_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
    )
    repeated = "SEMI JOIN repeated USING (source, interaction_id)"
    return (
        f"FROM (FROM read ANTI JOIN repeated USING (source, interaction_id) WHERE {recorded} "
        f"UNION ALL FROM (FROM read {repeated} WHERE {recorded} "
        "QUALIFY row_number() OVER (PARTITION BY source, interaction_id "
        f"ORDER BY recorded_at, {order}) = 1)) WHERE occurred_at < {known_until}"
    )
