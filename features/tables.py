"""Tables: the sections of the settings that say what source tables hold."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from features.errors import nearest
from features.interactions import COLUMNS, is_further
from features.sections import Section

OFFER_COLUMNS = (
    "offer_id",
    "topics",
    "value",
    "customer_value",
    "cost",
    "channels",
    "valid_from",
    "valid_to",
    "stock",
)
STORE = "store"
"""The source that is the serving store."""
IDENTITY_COLUMNS = ("key", "customer_id", "known_at")
STORES = ("s3", "gs", "abfs", "abfss")
"""Schemes of URLs of files in object stores; every other URL is a database's."""


def is_object(source: str) -> bool:
    """Whether a source is a file, or a glob of files, in an object store."""
    return source.partition("://")[0] in STORES


def is_database(source: str) -> bool:
    """Whether a source is a database."""
    return "://" in source and not is_object(source)


class Table(Section):
    """A source is a Parquet or CSV file, a glob, or a database URL with its ``query``.

    ``columns`` maps our names for its columns to the table's.

    ``time_format`` says how its times are written where that is not the way of ISO 8601, in the
    signs of C's strptime, such as ``"%d/%m/%Y %H:%M"``.
    """

    source: str
    query: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    time_format: str | None = None

    @field_validator("time_format")
    @classmethod
    def _a_day(cls, form: str | None) -> str | None:
        if form is not None:
            signs = set(re.findall("%(.)", form))
            if not ("d" in signs and signs & set("mbB") and signs & set("yY")):
                raise ValueError("a format with day, month and year, such as '%d/%m/%Y %H:%M'")
        return form

    @property
    def label(self) -> str:
        """The name of the source in messages, without what a database URL keeps secret."""
        return "database" if is_database(self.source) else Path(self.source).stem


class InteractionsSource(Table):
    """``[[interactions]]``: one table of a source system, read as interactions.

    ``columns`` maps our names to the table's, ``numbers`` declares further numeric columns
    likewise; a column called by our name and not used otherwise needs no mapping (``""`` leaves it
    out), and a number may be the product of two columns (``"Quantity * UnitPrice"``). ``kind``,
    ``channel`` and ``topic`` may be constants.

    Rows that are alike in the column ``group``, of one customer and kind, are lines of one
    interaction: it began with the first and is known with the last of them, it has the totals of
    its ``sums``, and of every other column what its lines agree on. Lines recorded more than a day
    after the others are an interaction of their own, such as a return noted on its invoice. One
    whose amount is negative is of the kind ``returns``, its numbers without their sign.
    ``decimal`` is the sign between whole and part in numbers written as text.

    ``source = "store"`` is the history that serving wrote, attributes and identities included.
    """

    name: str | None = None
    kind: str | None = None
    channel: str | None = None
    topic: str | None = None
    numbers: dict[str, str] = Field(default_factory=dict)
    group: str | None = None
    sums: tuple[str, ...] = ("amount",)
    returns: str | None = None
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _named(self) -> Self:
        if is_database(self.source) and not self.name:
            raise ValueError("a database source without a name. Add name = '…'.")
        return self

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        for column in self.columns:
            if column not in COLUMNS or column == "source":
                known = [name for name in COLUMNS if name != "source"]
                raise ValueError(
                    f"the column '{column}', which is none of interactions. "
                    f"{nearest(column, known)} "
                    "Further numeric columns are declared under `numbers`."
                )
        for name in self.numbers:
            if not is_further(name):
                raise ValueError(
                    f"`numbers` that declare '{name}'. They take new names in lower case letters, "
                    "digits and underscores."
                )
        for name in ("kind", "channel", "topic"):
            if getattr(self, name) is not None and name in self.columns:
                raise ValueError(f"'{name}' is both a constant and a column: keep one of them.")
        return self

    @model_validator(mode="after")
    def _sums_exist(self) -> Self:
        for name in self.sums:
            if name != "amount" and name not in self.numbers:
                raise ValueError(
                    f"`sums` of '{name}'. They take amount and names declared under `numbers`."
                )
        return self

    @model_validator(mode="after")
    def _store_says_itself(self) -> Self:
        said = self.model_fields_set - {"source", "numbers"}
        if self.is_store and said:
            raise ValueError(
                f"the store's own history with '{min(said)}'. Besides `source` it takes `numbers`."
            )
        return self

    @property
    def is_store(self) -> bool:
        """Whether this is the history that serving wrote."""
        return self.source == STORE

    @property
    def label(self) -> str:
        """The name of the source in messages and in the idempotency key."""
        return self.name or Path(self.source).stem


class AttributesSource(Table):
    """``[[attributes]]``: a table of facts; every column not mapped becomes an attribute."""

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for column in columns:
            if column not in ("customer_id", "known_at"):
                raise ValueError(
                    f"'{column}' cannot be mapped. Known: customer_id, known_at; "
                    "every other column becomes an attribute under its own name."
                )
        return columns


class IdentitiesSource(Table):
    """``[identities]``: a table that says which customer a source system's key belongs to."""

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for column in columns:
            if column not in IDENTITY_COLUMNS:
                raise ValueError(
                    f"'{column}' is no column of identities. "
                    f"{nearest(column, list(IDENTITY_COLUMNS))}"
                )
        return columns


class OffersSource(Table):
    """``[offers]``: the table of offers; every column not mapped becomes an offer attribute."""

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for column in columns:
            if column not in OFFER_COLUMNS:
                raise ValueError(
                    f"'{column}' is no column of offers. {nearest(column, list(OFFER_COLUMNS))}"
                )
        return columns
