"""Reading the table that says whose key is whose."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import clock
from features.errors import SourceError, nearest
from features.identities import IDENTITIES_SCHEMA, owners, resolve
from features.rules import CLOCK_SKEW, Rule
from features.settings import Settings
from features.sources import report
from features.sources.conditions import FORM, FUTURE, Condition, first_met, text_condition
from features.sources.parsing import Parsed, instants_of, text
from features.sources.rejections import Broken, file_of, refuse_many, reject
from features.sources.tables import open_table, shown
from features.tables import IdentitiesSource

NOTHING = Rule(
    "a key and a customer (and, if dated, a time) in every row",
    "Leave out the column of times if they are not known: then it is known since ever.",
)


def read_identities(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    source: IdentitiesSource,
    now: int,
    folder: Path | None = None,
) -> tuple[pa.Table, report.Identities]:
    """Read the rows that are right, not yet resolved; without dates they are known since ever.

    Args:
        connection: a database in memory, for this reading.
        settings: the deployment's.
        source: the table to read.
        now: the machine's clock; what is known only after it is rejected.
        folder: takes the rejected rows.

    Raises:
        SourceError: the source cannot be read, lacks a column, or too many of its rows are wrong.
    """
    opened = open_table(connection, settings, source.source, source.query)
    types = dict(zip(opened.columns, map(str, opened.types), strict=True))
    label = f"{shown(source.source)}, identities"
    names = {name: source.columns.get(name, name) for name in IDENTITIES_SCHEMA.names}
    dated = names["known_at"] in types
    for name, column in names.items():
        if column not in types and (name != "known_at" or name in source.columns):
            wanted = f"a column for '{name}'"
            raise SourceError(label, f"no column '{column}'", wanted, nearest(column, list(types)))
    at = names["known_at"]
    when = instants_of(at, types[at], source.time_format) if dated else None
    conditions = _conditions(names, when)
    opened.create_view("opened", replace=True)
    known = when or Parsed(str(clock.EVER))
    staged = connection.sql(
        f"SELECT {text(names['key']).value} AS key, {text(names['customer_id']).value} AS "
        f"customer_id, ({known.value})::BIGINT AS known_at, {known.naive} AS naive, "
        f"{first_met(conditions)} AS met FROM opened"
    ).to_arrow_table()
    broken: Broken = np.array(staged["met"].to_numpy(), dtype=np.uint16)
    instants = np.array(staged["known_at"].fill_null(clock.EVER).to_numpy(), dtype=np.int64)
    naive = np.array(staged["naive"].fill_null(False), dtype=bool) & (broken == 0)
    instants[naive] = clock.local_to_utc(instants[naive], settings.project.timezone)
    broken[(instants > now + CLOCK_SKEW) & (broken == 0)] = len(conditions)
    file = file_of(folder, "identities", source.label)
    counted = reject(connection, report.Table(source.label, len(broken)), broken, conditions, file)
    refuse_many(settings, counted, label)
    columns = [staged["key"], staged["customer_id"], pa.array(instants)]
    table = pa.table(columns, names=IDENTITIES_SCHEMA.names).cast(IDENTITIES_SCHEMA)
    return table.filter(pa.array(broken == 0)), report.Identities(counted, dated)


def _conditions(names: dict[str, str], when: Parsed | None) -> list[Condition]:
    found = []
    for name in ("key", "customer_id"):
        value = text(names[name]).value
        found.append(Condition(names[name], f"{value} IS NULL", NOTHING, missing=True))
        found.append(text_condition(names[name], value, examples=0))
    known_at = names["known_at"]
    if when:
        wrong = f"({when.value}) IS NULL"
        found.append(Condition(known_at, f"{wrong} AND {when.given}", Rule(when.wanted, FORM)))
        found.append(Condition(known_at, wrong, NOTHING, missing=True))
    return [*found, Condition(known_at, "", FUTURE, examples=0)]  # told apart once it is UTC


def resolved(
    table: pa.Table, so_far: report.Identities, customers: pa.Array, known_until: int
) -> tuple[pa.Table, report.Identities]:
    """Return the identities that are known and agree, and what there is to say about them.

    Args:
        table: the rows as read.
        so_far: what is known of the table.
        customers: under which names interactions are recorded.
        known_until: from this instant on, nothing is known yet.
    """
    found = resolve(table, known_until)
    keys = found.identities["key"]
    silent = len(keys) - (pc.sum(pc.is_in(keys, customers)).as_py() or 0)
    return found.identities, replace(
        so_far,
        keys=len(keys),
        customers=len(pc.unique(owners(found.identities, keys))),
        silent=silent,
        late=found.late,
        contested=found.contested,
        circular=found.circular,
    )
