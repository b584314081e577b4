"""The settings file: its sections, and the models of those that describe the data."""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from features import clock
from features.errors import SettingsError, nearest
from features.interactions import COLUMNS

SECTIONS = (
    "project",
    "interactions",
    "attributes",
    "offers",
    "roles",
    "churn",
    "offer",
    "value",
    "serving",
)
OFFER_COLUMNS = (
    "offer_id",
    "topics",
    "value",
    "customer_value",
    "cost",
    "channels",
    "valid_from",
    "valid_to",
)


class Section(BaseModel):
    """A section of the settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=Section)


class Project(Section):
    """``[project]``: what the deployment is called, and how to read its times and money."""

    name: str
    timezone: str = "UTC"
    currency: str = ""
    clock: datetime | None = None

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        clock.zone(name)
        return name

    def now(self) -> int | None:
        """Return the instant at which the service's clock starts, when the settings fix one."""
        return None if self.clock is None else clock.to_instant(self.clock, self.timezone)


class InteractionsSource(Section):
    """``[[interactions]]``: one table of a source system, read as interactions.

    ``columns`` maps our names to the table's, ``numbers`` declares further numeric columns
    likewise; a column called by our name needs no mapping. ``kind``, ``channel`` and ``topic``
    may be constants.
    """

    source: str
    query: str | None = None
    name: str | None = None
    kind: str | None = None
    channel: str | None = None
    topic: str | None = None
    columns: dict[str, str] = {}
    numbers: dict[str, str] = {}

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        for column in self.columns:
            if column not in COLUMNS or column == "source":
                known = [name for name in COLUMNS if name != "source"]
                raise ValueError(
                    f"'{column}' is no column of interactions. {nearest(column, known)} "
                    "Further numeric columns are declared under `numbers`."
                )
        for name in self.numbers:
            if name in COLUMNS or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(
                    f"`numbers` cannot declare '{name}': it takes new names in lower case "
                    "letters, digits and underscores."
                )
        for name in ("kind", "channel", "topic"):
            if getattr(self, name) is not None and name in self.columns:
                raise ValueError(f"'{name}' is both a constant and a column: keep one of them.")
        return self

    @property
    def label(self) -> str:
        """The name of the source in messages and in the idempotency key."""
        return self.name or Path(self.source.split("://")[-1]).stem


class AttributesSource(Section):
    """``[[attributes]]``: a table of facts; every column not mapped becomes an attribute."""

    source: str
    query: str | None = None
    columns: dict[str, str] = {}

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


class OffersSource(Section):
    """``[offers]``: the table of offers; every column not mapped becomes an offer attribute."""

    source: str
    query: str | None = None
    columns: dict[str, str] = {}

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for column in columns:
            if column not in OFFER_COLUMNS:
                raise ValueError(
                    f"'{column}' is no column of offers. {nearest(column, list(OFFER_COLUMNS))}"
                )
        return columns


class Roles(Section):
    """``[roles]``: what kinds of interaction mean; a kind in no role goes under ``other``."""

    value: tuple[str, ...]
    detail: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    advocacy: tuple[str, ...] = ()
    exit: tuple[str, ...] = ()
    offer_shown: tuple[str, ...] = ()
    offer_accepted: tuple[str, ...] = ()
    offer_declined: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @field_validator("value")
    @classmethod
    def _some_value(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if not kinds:
            raise ValueError("at least one kind must carry value, for example value = ['purchase']")
        return kinds

    def kinds(self, role: str) -> tuple[str, ...]:
        """Return the kinds of a role, sorted."""
        found: tuple[str, ...] = getattr(self, role)
        return tuple(sorted(set(found)))

    def all_kinds(self) -> frozenset[str]:
        """Return every kind that some role knows."""
        return frozenset(kind for role in type(self).model_fields for kind in self.kinds(role))


@dataclass(frozen=True, slots=True)
class Settings:
    """A settings file: the sections about the data, and the text of the others."""

    path: Path
    project: Project
    interactions: tuple[InteractionsSource, ...]
    attributes: tuple[AttributesSource, ...]
    offers: OffersSource | None
    roles: Roles
    raw: dict[str, Any]

    def section(self, name: str, model: type[M]) -> M:
        """Return a section that another layer owns, checked by that layer's model."""
        return _parse(model, self.raw.get(name, {}), f"[{name}]", self.path)

    def file(self, source: str) -> str:
        """Return a source's path; relative ones start at the settings file's folder."""
        return str(self.path.parent / source)

    def numbers(self) -> tuple[str, ...]:
        """Return the further numeric columns that the sources declare, sorted."""
        return tuple(sorted({name for source in self.interactions for name in source.numbers}))


def read_settings(path: str | Path) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: the file is missing or malformed, or has an unknown section or key.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            "settings file",
            f"'{path}' ({error.strerror})",
            "a readable TOML file",
            "Name it with --settings, or start from the rapport.toml of the demo.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"settings file '{path}'",
            f"a file that is not TOML: {error}",
            "valid TOML",
            "Mend the line that it names.",
        ) from error
    for name in raw:
        if name not in SECTIONS:
            raise SettingsError(
                f"settings file '{path}'",
                f"section [{name}]",
                "a known section",
                nearest(name, list(SECTIONS)),
            )
    for name in ("project", "interactions", "roles"):
        if name not in raw:
            raise SettingsError(
                f"settings file '{path}'",
                f"no section [{name}]",
                "the sections [project], [[interactions]] and [roles]",
                f"Add [{name}].",
            )
    return Settings(
        path=path,
        project=_parse(Project, raw["project"], "[project]", path),
        interactions=_parse_list(InteractionsSource, raw, "interactions", path),
        attributes=_parse_list(AttributesSource, raw, "attributes", path),
        offers=_parse(OffersSource, raw["offers"], "[offers]", path) if "offers" in raw else None,
        roles=_parse(Roles, raw["roles"], "[roles]", path),
        raw=raw,
    )


def parse_days(text: str) -> int:
    """Return the days of a duration such as ``"28d"``; windows are whole days of 24 hours.

    >>> parse_days("28d")
    28

    Raises:
        ValueError: not a number of days.
    """
    match = re.fullmatch(r"(\d{1,5})d", text)
    if not match:
        raise ValueError(
            f"'{text}' is not a whole, non-negative number of days; write for example '28d'"
        )
    return int(match[1])


def _parse_list(model: type[M], raw: dict[str, Any], name: str, path: Path) -> tuple[M, ...]:
    tables = raw.get(name, [])
    if not isinstance(tables, list):
        raise SettingsError(
            f"settings file '{path}'",
            f"[{name}]",
            f"a list of tables [[{name}]]",
            "Double the brackets: every source table is one entry.",
        )
    return tuple(
        _parse(model, table, f"[[{name}]] number {i}", path) for i, table in enumerate(tables, 1)
    )


def _parse(model: type[M], table: Any, subject: str, path: Path) -> M:
    try:
        return model.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f"{path.name}, {subject}" + (f" {key}" if key else "")
        if first["type"] == "extra_forbidden":
            remedy = nearest(key, list(model.model_fields))
            raise SettingsError(where, "an unknown key", "a known key", remedy) from error
        if first["type"] == "missing":
            raise SettingsError(where, "nothing", "a value", f"Add `{key} = …`.") from error
        got = "this section" if first["loc"] == () else repr(first["input"])
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(where, got, "a valid value", f"{message}.") from error
