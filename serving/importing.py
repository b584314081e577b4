"""Importing: a whole history brought into the store's tables as fast as the database takes it."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa

from features.interactions import NUMBERS
from serving.records import FIELDS
from serving.tables import ATTRIBUTES, IDENTITIES

if TYPE_CHECKING:  # with it comes pandas, which nothing that serves needs
    from features.history import History

BATCH = 20_000
COLUMNS = ("customer_id", "seq", *FIELDS[1:], "numbers")
NAMES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a history: how many interactions are new, and were of erased customers.

    Those whose source and id are known are not new; those of erased customers were left out.
    """

    new: int
    erased: int = 0


def bring_in(
    connection: sa.Connection,
    history: "History",
    seq: int,
    is_erased: Callable[[Sequence[str]], list[bool]],
    progress: Callable[[int], object],
) -> Imported:
    """Write a history's interactions, attributes and identities, in the caller's transaction.

    Args:
        connection: alone in writing.
        history: what to bring in.
        seq: the first of the places that their interactions are given.
        is_erased: says of customers which ones were erased.
        progress: called with the number of interactions done since the last call.
    """
    numbers = [name for name in history.numbers if name not in FIELDS]
    given = history.interactions.select([*FIELDS, *numbers])
    table = without(given, ["customer_id"], is_erased).sort_by(
        [("customer_id", "ascending"), ("occurred_at", "ascending")]
    )
    new = write(connection, numbered(table, numbers, seq), progress)
    for into, rows, names in (
        (ATTRIBUTES, history.attributes, ["customer_id"]),
        (IDENTITIES, history.identities, ["key", "customer_id"]),
    ):
        for batch in without(rows, names, is_erased).to_batches(BATCH):
            if len(batch):
                connection.execute(into.insert(), batch.to_pylist())
    return Imported(new, len(given) - len(table))


def write(
    connection: sa.Connection,
    batches: Iterator[pa.RecordBatch],
    progress: Callable[[int], object],
) -> int:
    """Write batches of ``COLUMNS``, but for those whose ids are known, and return how many."""
    into = _write_sqlite if connection.dialect.name == "sqlite" else _write_postgresql
    return into(connection, batches, progress)


def without(
    table: pa.Table, names: Sequence[str], is_erased: Callable[[Sequence[str]], list[bool]]
) -> pa.Table:
    """Leave out the rows of those who were erased."""
    for name in names:
        customers = table[name].unique()
        erased = customers.filter(pa.array(is_erased(customers.to_pylist()), pa.bool_()))
        if len(erased):
            table = table.filter(pc.invert(pc.is_in(table[name], erased)))
    return table


def numbered(table: pa.Table, numbers: Sequence[str], seq: int) -> Iterator[pa.RecordBatch]:
    """Give batches of ``COLUMNS``: places that follow, further numbers as text."""
    for batch in table.to_batches(BATCH):
        places = pa.array(range(seq, seq + len(batch)), pa.int64())
        seq += len(batch)
        texts = pa.array(_texts(batch, numbers), pa.string())
        columns = {"seq": places, "numbers": texts}
        columns |= {name: batch[name] for name in FIELDS}
        # SQLite holds no NaN, and missing is what it means.
        columns |= {n: pc.if_else(pc.is_nan(batch[n]), None, batch[n]) for n in NUMBERS}
        yield pa.RecordBatch.from_arrays([columns[name] for name in COLUMNS], list(COLUMNS))


def _texts(batch: pa.RecordBatch, numbers: Sequence[str]) -> list[str | None]:
    """Return each row's further numbers as ``records.numbers_text`` writes them."""
    texts: list[str | None] = [None] * len(batch)
    names = sorted(numbers)
    labels = [json.dumps(name) for name in names]
    values = [batch[name].to_pylist() for name in names]
    for place, row in enumerate(zip(*values, strict=True)):
        present = [
            f"{label}: {_number(value)}"
            for label, value in zip(labels, row, strict=True)
            if value is not None and value == value
        ]
        if present:
            texts[place] = f"{{{', '.join(present)}}}"
    return texts


def _number(value: float) -> str:
    return repr(value) if value - value == 0 else json.dumps(value)


def _write_sqlite(
    connection: sa.Connection,
    batches: Iterator[pa.RecordBatch],
    progress: Callable[[int], object],
) -> int:
    places = ", ".join("?" * len(COLUMNS))
    insert = f"INSERT INTO interactions ({NAMES}) VALUES ({places}) ON CONFLICT DO NOTHING"
    new = 0
    for batch in batches:
        rows = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        new += connection.exec_driver_sql(insert, rows).rowcount
        progress(len(rows))
    return new


def _write_postgresql(
    connection: sa.Connection,
    batches: Iterator[pa.RecordBatch],
    progress: Callable[[int], object],
) -> int:
    """Copy the rows beside the table, and move those over that are new.

    COPY cannot pass over what is there already.
    """
    connection.exec_driver_sql("CREATE TEMPORARY TABLE incoming (LIKE interactions) ON COMMIT DROP")
    cursor: Any = connection.connection.cursor()
    header = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    for batch in batches:
        text = io.BytesIO()
        pyarrow.csv.write_csv(batch, text, header)
        text.seek(0)
        cursor.copy_expert(f"COPY incoming ({NAMES}) FROM STDIN (FORMAT csv)", text)
        progress(len(batch))
    cursor.close()
    insert = f"INSERT INTO interactions ({NAMES}) SELECT {NAMES} FROM incoming ORDER BY seq"
    return connection.exec_driver_sql(f"{insert} ON CONFLICT DO NOTHING").rowcount
