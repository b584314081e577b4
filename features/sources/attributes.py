"""Reading one source table as attributes."""

import duckdb
import numpy as np
import pyarrow as pa

from features import clock
from features.errors import SourceError, nearest
from features.history import ATTRIBUTES_SCHEMA
from features.sections import AttributesSource
from features.settings import Settings
from features.sources.parsing import Parsed, instants_of, literal, parsed_number, text
from features.sources.tables import first_row, open_table, shown


def read_attributes(
    connection: duckdb.DuckDBPyConnection, settings: Settings, source: AttributesSource
) -> tuple[pa.Table, dict[str, bool]]:
    """Read one source, and say of each of its attributes whether it is a number.

    Raises:
        SourceError: the source cannot be read, lacks a column, or holds values of a wrong form.
    """
    table = open_table(connection, settings, source.source, source.query)
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    label = shown(source.source)
    customer = source.columns.get("customer_id", "customer_id")
    known_at = source.columns.get("known_at", "known_at")
    if customer not in types or ("known_at" in source.columns and known_at not in types):
        missing = customer if customer not in types else known_at
        raise SourceError(
            f"{label}, attributes",
            f"no column '{missing}'",
            "a column of the table",
            nearest(missing, list(types)),
        )
    dated = known_at in types
    when = instants_of(known_at, types[known_at]) if dated else Parsed(str(clock.EVER))
    names = [name for name in types if name not in (customer, known_at)]
    table.create_view("opened", replace=True)
    connection.execute("CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM opened")
    parts = []
    numbers = {}
    for name in names:
        numbers[name] = _is_number(connection, name)
        parts.append(
            f"SELECT {text(customer).value} AS customer_id, ({when.value})::BIGINT AS known_at, "
            f"{when.naive} AS naive, {literal(name)} AS name, {text(name).value} AS value "
            f"FROM staged WHERE {text(name).value} IS NOT NULL"
        )
    if not parts:
        return ATTRIBUTES_SCHEMA.empty_table(), {}
    found = connection.sql(" UNION ALL ".join(parts)).to_arrow_table()
    if found["customer_id"].null_count or found["known_at"].null_count:
        raise SourceError(
            f"{label}, attributes",
            "a missing customer or an unparsable time",
            "a customer and a time in every row",
            "Mend or leave out those rows.",
        )
    instants = np.array(found["known_at"].to_numpy(), dtype=np.int64)
    if dated:
        naive = found["naive"].fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
        instants[naive] = clock.local_to_utc(instants[naive], settings.project.timezone)
    columns = [found["customer_id"], pa.array(instants), found["name"], found["value"]]
    return pa.table(columns, names=ATTRIBUTES_SCHEMA.names).cast(ATTRIBUTES_SCHEMA), numbers


def _is_number(connection: duckdb.DuckDBPyConnection, column: str) -> bool:
    """Whether every value of a column reads as a number."""
    value = parsed_number(column, boolean=False)
    bad, good = first_row(
        connection, f"SELECT count({value.bad}), count({value.value}) FROM staged"
    )
    return bool(good) and not bad
