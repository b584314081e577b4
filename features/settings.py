"""The settings file: its sections, read and checked."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from features.errors import SettingsError, nearest
from features.sections import (
    Checks,
    Project,
    Roles,
    Section,
    SignalConstants,
)
from features.tables import (
    STORE,
    AttributesSource,
    IdentitiesSource,
    InteractionsSource,
    OffersSource,
    is_object,
)

SECTIONS = (
    "project",
    "interactions",
    "attributes",
    "identities",
    "offers",
    "roles",
    "signals",
    "checks",
    "churn",
    "offer",
    "value",
    "tracking",
    "policy",
    "serving",
)
ENVIRONMENT, DEMO = "RAPPORT_SETTINGS", "rapport.toml"
DEFAULT_STORE = "sqlite:///var/rapport.db"
"""Where serving keeps its history unless ``[serving]`` says otherwise."""
M = TypeVar("M", bound=Section)


@dataclass(frozen=True, slots=True)
class Settings:
    """A settings file: the sections about the data, and the text of the others."""

    path: Path
    project: Project
    interactions: tuple[InteractionsSource, ...]
    attributes: tuple[AttributesSource, ...]
    identities: IdentitiesSource | None
    offers: OffersSource | None
    roles: Roles
    signals: SignalConstants
    checks: Checks
    raw: dict[str, Any]

    def section(self, name: str, model: type[M]) -> M:
        """Return a section that another layer owns, checked by that layer's model."""
        return parse(model, self.raw.get(name, {}), f"[{name}]", self.path)

    def file(self, source: str) -> str:
        """Return a source's path; relative ones start at the settings file's folder."""
        return source if is_object(source) else str(self.path.parent / source)

    def database(self, url: str) -> str:
        """Return a database's URL; a relative SQLite path starts at the settings file's folder."""
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str((self.path.parent / url.removeprefix(prefix)).resolve())
        return url

    @property
    def reads_store(self) -> bool:
        """Whether the history is the one that serving wrote."""
        return any(source.is_store for source in self.interactions)

    def store(self) -> str:
        """Return the URL of the serving store."""
        stated = self.raw.get("serving", {}).get("store", DEFAULT_STORE)
        return self.database(str(stated))  # what else is wrong with the section, serving tells

    def rewound(self) -> int | None:
        """Return the instant of the clock where it is not the one that the file states."""
        stated = parse(Project, self.raw["project"], "[project]", self.path).clock
        return None if self.project.clock == stated else self.project.now()

    def numbers(self) -> tuple[str, ...]:
        """Return the further numeric columns that the sources declare, sorted."""
        return tuple(sorted({name for source in self.interactions for name in source.numbers}))


def read_settings(path: str | Path) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: the file is missing or malformed, or has an unknown section or key.
    """
    path = Path(path)
    raw = read_toml(path, "Name it with --settings, or start from the rapport.toml of the demo.")
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
    interactions = _parse_list(InteractionsSource, raw, "interactions", path)
    labels = [source.label for source in interactions]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise SettingsError(
            f"{path.name}, [[interactions]]",
            f"two sources called '{twice[0]}'",
            "sources with names of their own: ids are unique within a source",
            "Add name = '…' to one of them.",
        )
    if any(source.is_store for source in interactions):
        _refuse_beside_the_store(raw, path)
    return Settings(
        path=path,
        project=parse(Project, raw["project"], "[project]", path),
        interactions=interactions,
        attributes=_parse_list(AttributesSource, raw, "attributes", path),
        identities=_parse_optional(IdentitiesSource, raw, "identities", path),
        offers=_parse_optional(OffersSource, raw, "offers", path),
        roles=parse(Roles, raw["roles"], "[roles]", path),
        signals=parse(SignalConstants, raw.get("signals", {}), "[signals]", path),
        checks=parse(Checks, raw.get("checks", {}), "[checks]", path),
        raw=raw,
    )


def find_settings(name: str | Path = "") -> Path:
    """Return the absolute path of a settings file, looked for in this folder and those above it.

    Args:
        name: the file; by default ``RAPPORT_SETTINGS`` of the environment, else ``rapport.toml``.

    Raises:
        SettingsError: it is in none of them.
    """
    sought, here = Path(name or os.environ.get(ENVIRONMENT) or DEMO), Path.cwd()
    for folder in (here, *here.parents):
        if (folder / sought).is_file():
            return folder / sought
    raise SettingsError(
        "settings file",
        f"no '{sought}' in '{here}' or above",
        "a TOML file that describes a deployment",
        f"Name it, or set {ENVIRONMENT}.",
    )


def _refuse_beside_the_store(raw: dict[str, Any], path: Path) -> None:
    """Refuse what the store holds already: it would count twice."""
    others = [name for name in ("attributes", "identities") if name in raw]
    if len(raw["interactions"]) > 1 or others:
        raise SettingsError(
            f"{path.name}, [[interactions]]",
            f"source = '{STORE}' beside {f'[{others[0]}]' if others else 'another source'}",
            "the store alone: it holds interactions, attributes and identities of every source",
            "Import what it lacks with `python -m serving import`, then leave out the others.",
        )


def read_toml(path: Path, remedy: str) -> dict[str, Any]:
    """Return what a TOML file holds; ``remedy`` says what to do where there is none.

    Raises:
        SettingsError: the file is missing or malformed.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            "settings file", f"'{path}' ({error.strerror})", "a readable TOML file", remedy
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"settings file '{path}'",
            f"a file that is not TOML: {error}",
            "valid TOML",
            "Mend the line that it names.",
        ) from error


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
        parse(model, table, f"[[{name}]] number {i}", path) for i, table in enumerate(tables, 1)
    )


def _parse_optional(model: type[M], raw: dict[str, Any], name: str, path: Path) -> M | None:
    return parse(model, raw[name], f"[{name}]", path) if name in raw else None


def parse(model: type[M], table: Any, subject: str, path: Path) -> M:
    """Return a table of a TOML file as what it must be; raises SettingsError, with the key."""
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
        wanted = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        if first["loc"] == ():
            what, _, remedy = wanted.partition(". ")
            raise SettingsError(
                where, what, "keys that fit together", remedy or "Mend it there."
            ) from error
        got = repr(first["input"])
        raise SettingsError(where, got, wanted.rstrip("."), "Mend it there.") from error
