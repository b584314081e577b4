"""Columns of a history: what they may be called, which must be there, and which be filled."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset

from features.errors import DataError, nearest
from features.interactions import COLUMNS, INSTANTS, is_further

if TYPE_CHECKING:
    import duckdb


def check_further(names: Iterable[str]) -> None:
    """Refuse names that further numeric columns cannot have.

    Raises:
        DataError: SQL might take the column for another.
    """
    for name in names:
        if not is_further(name):
            raise DataError(
                f"interactions, column {name!r}",
                "a further column of this name" if name in COLUMNS else "this name",
                "a new name of lower case letters, digits and underscores, a letter first",
                "Rename it; drop a column that is nothing of an interaction.",
            )


def check_names(names: Sequence[str]) -> None:
    """Refuse a table of interactions whose columns are not those of one.

    Raises:
        DataError: a standard column is missing, or another has a name that it cannot have.
    """
    for name in COLUMNS:
        if name not in names:
            remedy = f"Add it, empty where nothing is known. {nearest(name, list(names))}"
            wanted = "every column of `features.history.interactions_schema`"
            raise DataError("interactions", f"no column '{name}'", wanted, remedy)
    for name in names:
        if names.count(name) > 1:
            subject = f"interactions, column '{name}'"
            raise DataError(subject, f"{names.count(name)} of this name", "one", "Rename one.")
    check_further(name for name in names if name not in COLUMNS)


def check_types(schema: pa.Schema) -> None:
    """Refuse instants that are not whole microseconds.

    Raises:
        DataError: a column of instants has another type.
    """
    for name in (*INSTANTS, "due_at"):
        found = schema.field(name).type
        if not pa.types.is_int64(found) and not (name == "due_at" and pa.types.is_null(found)):
            raise DataError(
                f"interactions, column '{name}'",
                f"the type {found}",
                "int64: microseconds since 1970, UTC",
                "Cast a time with its zone to timestamp('us', 'UTC') and that to int64.",
            )


def check_read(numbers: Iterable[str], names: Sequence[str]) -> None:
    """Refuse to compute signals from columns that are not there: they would all be missing.

    Args:
        numbers: the numeric columns that a plan reads.
        names: the columns of the interactions, the standard ones among them.

    Raises:
        DataError: one is not there.
    """
    if absent := sorted(set(numbers) - set(names)):
        raise DataError(
            "interactions",
            f"no column '{absent[0]}', which signals read",
            "every numeric column that the plan reads",
            nearest(absent[0], list(names)),
        )


def check_filled(table: pa.Table, what: str, names: Iterable[str]) -> None:
    """Refuse a table that lacks a value where every row must have one.

    Args:
        table: the rows.
        what: what they are, in the message.
        names: the columns that must be filled.

    Raises:
        DataError: a row lacks one.
    """
    for name in names:
        _refuse_missing(what, name, table[name].null_count)


def check_instants(
    interactions: pa.Table | pa.dataset.Dataset,
    connection: "duckdb.DuckDBPyConnection",
    table: str,
) -> None:
    """Refuse interactions without an instant; of Parquet files the statistics tell.

    Args:
        interactions: those of a history, which has looked at a table in memory already.
        connection: where they are a table.
        table: its name.

    Raises:
        DataError: a row lacks one.
    """
    if isinstance(interactions, pa.Table):
        return
    told = ", ".join(f"count(*) - count({name})" for name in INSTANTS)
    (missing,) = connection.execute(f"SELECT {told} FROM {table}").fetchall()
    for name, n in zip(INSTANTS, missing, strict=True):
        _refuse_missing("interactions", name, n)


def _refuse_missing(what: str, name: str, n: int) -> None:
    if n:
        raise DataError(
            f"{what}, column '{name}'",
            f"nothing in {n} row{'s' * (n > 1)}",
            "a value in every row",
            "Drop or mend the rows without it.",
        )
