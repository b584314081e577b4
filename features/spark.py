"""The distributed engine: the batch engine over partitions of customers, on Spark with Arrow.

All rows of a customer, under all keys, are brought into one partition, and there the batch engine
computes whole customers: nothing is left that could come out differently. These packages must be
installed where Spark's Python workers run; pyspark itself is the extra ``spark``.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import batch
from features.columns import check_filled, check_read
from features.errors import DataError, nearest
from features.history import ATTRIBUTES_SCHEMA, History, interactions_schema
from features.identities import IDENTITIES_SCHEMA, owners
from features.interactions import COLUMNS
from features.offers import Offer
from features.plan import Plan
from features.values import SignalValues

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HELD = 200_000
"""How many rows of whole customers a worker computes at a time; one of more is held whole."""
SENT = 10_000
"""How many rows of signals a worker sends back at a time."""
SPINE_SCHEMA = pa.schema(
    [("customer_id", pa.string()), ("as_of", pa.int64()), ("offer_id", pa.string())]
)
NEEDED = {
    "interactions": ("customer_id", "occurred_at", "kind"),
    "spine": ("customer_id", "as_of"),
    "attributes": ("customer_id", "known_at", "name", "value"),
}
"""Columns that each table must have, filled in every row."""
OF = "the customer"
TYPES = {
    pa.string(): ("string",),
    pa.int64(): ("bigint", "timestamp"),
    pa.float64(): ("double", "float", "bigint", "int", "smallint", "tinyint"),
    pa.bool_(): ("boolean",),
}
"""Spark's types that a column may have for ours, the one that it is brought to first."""
SPARK = {
    "string": "string",
    "double": "double",
    "bool": "boolean",
    "timestamp[us, tz=UTC]": "timestamp",
}
"""What Spark calls the types of results."""
Batches = Iterator[pa.RecordBatch]
Answer = Callable[[batch.Spine, SignalValues], pa.Table]


@dataclass(frozen=True, slots=True)
class Tables:
    """What signals are computed from, as ``compute`` takes it."""

    interactions: "DataFrame"
    spine: "DataFrame"
    attributes: "DataFrame | None" = None
    offers: Mapping[str, Offer] = field(default_factory=dict)
    identities: pa.Table | None = None


def session(name: str = "rapport", options: Mapping[str, str] | None = None) -> "SparkSession":
    """Return a Spark session whose workers run this Python.

    Args:
        name: what Spark's pages call it.
        options: settings of Spark, such as ``{"spark.master": "local[2]"}``.

    Raises:
        DataError: there is no Java to run Spark.
    """
    from pyspark.sql import SparkSession  # an extra: importing this module must not need it

    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise DataError("Spark", "no Java", "Java 17 or newer", "Install one, or set JAVA_HOME.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    for option, value in (options or {}).items():
        builder = builder.config(option, value)
    return builder.getOrCreate()


def compute(
    plan: Plan,
    interactions: "DataFrame",
    spine: "DataFrame",
    attributes: "DataFrame | None" = None,
    offers: Mapping[str, Offer] | None = None,
    identities: pa.Table | None = None,
) -> "DataFrame":
    """Compute the signals of every row of a spine; Spark does so when the result is used.

    Instants are timestamps, or microseconds since 1970 UTC.

    Args:
        plan: the compiled signals.
        interactions: the columns of ``features.interactions``, rows in any order. Optional ones
            may be absent (``recorded_at`` is then ``occurred_at``); every column of another name
            is a further numeric one.
        spine: ``customer_id``, ``as_of`` and, for signals about offers, ``offer_id``.
        attributes: ``customer_id``, ``known_at``, ``name`` and ``value``.
        offers: by id, what is known of the offers that the spine names.
        identities: of the schema of ``features.identities``, resolved.

    Returns:
        One row for each row of the spine, in no order: ``customer_id``, ``as_of`` (a timestamp),
        ``offer_id`` (if the spine has one), then the signals by name, numbers as doubles (missing
        is NaN) and categories as strings: to the bit what ``batch.write_parquet`` writes.

    Raises:
        DataError: a column is missing, of a wrong type, or cannot have its name.
    """
    asks_offer = "offer_id" in spine.columns
    tables = Tables(interactions, spine, attributes, offers or {}, identities)
    return mapped(plan, tables, _result_schema(plan, asks_offer), _as_table)


def _as_table(spine: batch.Spine, values: SignalValues) -> pa.Table:
    return batch.as_table(spine, np.arange(len(spine)), values)


def _result_schema(plan: Plan, asks_offer: bool) -> pa.Schema:
    fields = [("customer_id", pa.string()), ("as_of", pa.timestamp("us", tz="UTC"))]
    fields += [("offer_id", pa.string())] * asks_offer
    fields += [
        (name, pa.string() if category else pa.float64())
        for name, category in zip(plan.names, plan.categories, strict=True)
    ]
    return pa.schema(fields)


def mapped(plan: Plan, tables: Tables, schema: pa.Schema, answer: Answer) -> "DataFrame":
    """Return what a function says of the signals of every row of a spine.

    Args:
        plan: the compiled signals.
        tables: what they are computed from.
        schema: of what the function returns.
        answer: is given rows of the spine, and of signals as long; runs where Spark's Python
            workers do.

    Raises:
        DataError: a column is missing, of a wrong type, or cannot have its name.
    """
    interactions, spine, said = tables.interactions, tables.spine, tables.identities
    further = [name for name in interactions.columns if name not in COLUMNS]
    schemas = {
        "interactions": interactions_schema(further),
        "spine": SPINE_SCHEMA,
        "attributes": ATTRIBUTES_SCHEMA,
    }
    check_read(plan.numbers, schemas["interactions"].names)
    said = IDENTITIES_SCHEMA.empty_table() if said is None else said
    together = _packed(interactions, "interactions", schemas["interactions"])
    for frame, what in ((spine, "spine"), (tables.attributes, "attributes")):
        if frame is not None:
            together = together.unionByName(_packed(frame, what, schemas[what]), True)
    if len(said):
        said = said.append_column(OF, owners(said, said["key"]))
        together = _by_person(together, said)
    asks_offer = "offer_id" in spine.columns
    worker = _worker(plan, schemas, tables.offers, asks_offer, said, answer)
    types = [f"`{field.name}` {SPARK[str(field.type)]}" for field in schema]
    return (
        together.repartition(f"`{OF}`")
        .sortWithinPartitions(f"`{OF}`")
        .mapInArrow(worker, ", ".join(types))
    )


def _packed(frame: "DataFrame", what: str, schema: pa.Schema) -> "DataFrame":
    """Return the customer of each row, and the row in one column named by what it is."""
    from pyspark.sql import functions

    types = dict(frame.dtypes)
    fields = []
    for ours in schema:
        accepted = TYPES[ours.type]
        found = types.get(ours.name)
        if found is None and ours.name in NEEDED[what]:
            remedy = nearest(ours.name, frame.columns)
            raise DataError(what, f"no column '{ours.name}'", "a column of that name", remedy)
        if found not in (None, "void", *accepted):
            raise DataError(
                f"{what}, column '{ours.name}'",
                f"the type {found}",
                f"one of {', '.join(accepted)}",
                "Cast it; drop a column that is nothing of an interaction.",
            )
        column = functions.lit(None) if found is None else functions.col(f"`{ours.name}`")
        if found == "timestamp":
            column = functions.unix_micros(column)
        fields.append(column.cast(accepted[0]).alias(ours.name))
    return frame.select(
        functions.col("customer_id").alias(OF), functions.struct(*fields).alias(what)
    )


def _by_person(frame: "DataFrame", identities: pa.Table) -> "DataFrame":
    """Put who all keys belong to by all that is known in place of the customer."""
    from pyspark.sql import functions

    owner = pa.table({OF: identities["key"], "owner": identities[OF]})
    known = functions.broadcast(frame.sparkSession.createDataFrame(owner))
    person = functions.coalesce("owner", functions.col(f"`{OF}`"))
    return frame.join(known, OF, "left").withColumn(OF, person).drop("owner")


def _worker(
    plan: Plan,
    schemas: Mapping[str, pa.Schema],
    offers: Mapping[str, Offer],
    asks_offer: bool,
    identities: pa.Table,
    answer: Answer,
) -> Callable[[Batches], Batches]:
    """Return what runs on a partition, whose rows come customer by customer."""

    def signals(batches: Batches) -> Batches:
        for table in whole_customers(batches, HELD):
            rows = _unpacked(table, "spine", schemas)
            if len(rows) == 0:
                continue
            said = identities
            if len(said):
                said = said.filter(pc.is_in(said[OF], pc.unique(table[OF])))
            interactions = _unpacked(table, "interactions", schemas)
            place = interactions.schema.get_field_index("recorded_at")
            recorded = pc.coalesce(interactions["recorded_at"], interactions["occurred_at"])
            history = History(
                interactions=interactions.set_column(place, "recorded_at", recorded),
                attributes=_unpacked(table, "attributes", schemas),
                offers=offers,
                known_until=0,
                identities=said,
            )
            spine = batch.Spine(
                rows["customer_id"].combine_chunks(),
                np.array(rows["as_of"], dtype=np.int64),
                rows["offer_id"].combine_chunks() if asks_offer else None,
            )
            values = batch.compute(plan, history, spine, threads=1)
            for first in range(0, len(spine), SENT):
                some = slice(first, first + SENT)
                table = answer(spine.rows(np.arange(len(spine))[some]), values.rows(some))
                yield from table.combine_chunks().to_batches()

    return signals


def whole_customers(batches: Batches, held: int) -> Iterator[pa.Table]:
    """Cut a stream whose rows come customer by customer into tables of whole customers.

    Args:
        batches: the stream.
        held: from how many rows on a table is cut off; one customer's are never.
    """
    kept: list[pa.RecordBatch] = []
    size, enough = 0, held
    for batch_ in batches:
        kept.append(batch_)
        size += len(batch_)
        if size < enough:
            continue
        table = pa.Table.from_batches(kept)
        at = pc.index(table[OF], table[OF][-1]).as_py()
        if at > 0:
            yield table.slice(0, at)
        kept = table.slice(at).to_batches()
        size = len(table) - at
        enough = held if at > 0 else 2 * enough
    if size:
        yield pa.Table.from_batches(kept)


def _unpacked(table: pa.Table, what: str, schemas: Mapping[str, pa.Schema]) -> pa.Table:
    """Return the rows of one kind.

    Raises:
        DataError: a row lacks what each must have.
    """
    if what not in table.column_names:
        return schemas[what].empty_table()
    column = table[what].filter(pc.is_valid(table[what]))
    found = pa.Table.from_struct_array(column).cast(schemas[what])
    check_filled(found, what, NEEDED[what])
    return found
