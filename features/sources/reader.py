"""Reading a deployment's sources into one history."""

import time

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features import clock
from features.errors import SourceError
from features.history import ATTRIBUTES_SCHEMA, History
from features.interactions import CLOCK_SKEW, COLUMNS, INSTANTS, ORDER
from features.settings import Settings
from features.sources.attributes import read_attributes
from features.sources.interactions import read_interactions
from features.sources.offers import read_offers
from features.sources.tables import first_row, reading


def read_history(settings: Settings) -> History:
    """Read every source of the settings.

    Interactions recorded at or after ``known_until`` (the settings' clock, else just after the
    last one) are left out, so that a history read later is the same; of those that share source
    and id, the first recorded is kept.

    Raises:
        SourceError: a source cannot be read, lacks a column, or holds values of a wrong form.
    """
    connection = duckdb.connect()
    try:
        tables = []
        for described in settings.interactions:
            with reading(settings, described.source):
                tables.append(read_interactions(connection, settings, described))
        interactions = pa.concat_tables(tables)
        if len(interactions) == 0:
            raise SourceError(
                "sources", "no interactions", "at least one row", "Check the paths in the settings."
            )
        known_until = settings.project.now()
        _refuse_future(interactions)
        if known_until is None:
            known_until = 1 + max(pc.max(interactions[name]).as_py() for name in INSTANTS)
        read = interactions
        interactions = _as_known(connection, read, known_until)
        notes = _notes(connection, read, interactions, known_until)
        attributes = [ATTRIBUTES_SCHEMA.empty_table()]
        attribute_numbers: dict[str, bool] = {}
        for source in settings.attributes:
            with reading(settings, source.source):
                table, numbers = read_attributes(connection, settings, source)
            attributes.append(table)
            for name, number in numbers.items():
                attribute_numbers[name] = attribute_numbers.get(name, True) and number
        offers, offer_numbers = read_offers(connection, settings)
    finally:
        connection.close()
    return History(
        interactions=interactions,
        attributes=pa.concat_tables(attributes),
        offers=offers,
        known_until=known_until,
        numbers=settings.numbers(),
        attribute_numbers=attribute_numbers,
        offer_numbers=offer_numbers,
        notes=tuple(notes),
        timezone=settings.project.timezone,
        constants=settings.signals,
    )


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


def _notes(
    connection: duckdb.DuckDBPyConnection, read: pa.Table, kept: pa.Table, known_until: int
) -> list[str]:
    """Return what was left out: after the clock, and of repeated ids all but the first recorded."""
    notes = []
    in_time = pc.and_(
        pc.less(read["occurred_at"], known_until), pc.less(read["recorded_at"], known_until)
    )
    if late := len(read) - (pc.sum(in_time).as_py() or 0):
        notes.append(f"left out {late:,} interactions from after {clock.isoformat(known_until)}")
    if repeats := len(read) - late - len(kept):
        content = [n for n in read.column_names if n not in ("recorded_at", "source")]
        fields = ", ".join(f'"{name}"' for name in content)
        different, example = first_row(
            connection,
            "SELECT count(*), min(interaction_id) FROM (SELECT interaction_id FROM read "
            "WHERE interaction_id IS NOT NULL GROUP BY source, interaction_id "
            f"HAVING count(DISTINCT ({fields})) > 1)",
        )
        notes.append(f"left out {repeats:,} interactions whose id came before in their source")
        if different:
            notes.append(
                f"{different:,} ids, such as '{example}', came again with other content: is the "
                "id that of one interaction? Only the first recorded of each is kept"
            )
    return notes


def _refuse_future(interactions: pa.Table) -> None:
    """Refuse instants that have not come: the end of the history would follow the worst of them."""
    now = time.time_ns() // 1000 + CLOCK_SKEW
    for name in INSTANTS:
        late = interactions.filter(pc.field(name) > now)
        if len(late):
            raise SourceError(
                f"source '{late['source'][0].as_py()}', column '{name}'",
                f"{clock.isoformat(late[name][0].as_py())} (in {len(late)} rows)",
                "times that have come",
                "Mend or drop those rows.",
            )
