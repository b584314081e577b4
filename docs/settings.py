"""The page of the settings: every section and key, as the models that check them say."""

import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from features.sections import (
    Checks,
    Project,
    Roles,
    Section,
    SignalConstants,
)
from features.tables import (
    AttributesSource,
    IdentitiesSource,
    InteractionsSource,
    OffersSource,
    Table,
)
from serving.policy import Eligibility, Policy
from serving.settings import Serving
from training.money import Value
from training.registry import Tracking
from training.tasks import Churn, OfferTask

PAGE = Path(__file__).parent / "settings.md"
SECTIONS: dict[str, type[Section]] = {
    "[project]": Project,
    "[[interactions]]": InteractionsSource,
    "[[attributes]]": AttributesSource,
    "[identities]": IdentitiesSource,
    "[offers]": OffersSource,
    "[roles]": Roles,
    "[signals]": SignalConstants,
    "[checks]": Checks,
    "[churn]": Churn,
    "[offer]": OfferTask,
    "[value]": Value,
    "[tracking]": Tracking,
    "[policy]": Policy,
    "[[policy.eligibility]]": Eligibility,
    "[serving]": Serving,
}
CALLED = {
    str: "text",
    float: "number",
    int: "whole number",
    bool: "true or false",
    dict: "table of names",
    tuple: "list",
}
INTRODUCTION = """\
# Settings

One TOML file describes a deployment; [`rapport.toml`](../rapport.toml) is the demo's, and
`python -m training init` proposes one for tables of your own ([own data](own-data.md)). Paths are
relative to the file. Durations are whole days, such as `"28d"`. An unknown section or key is an
error that names the nearest known one. `python -m docs` writes this page from the models that
check the file.
"""


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page."""
    tables = (inspect.getdoc(Table) or "").replace("``", "`")
    parts = [INTRODUCTION, f"## Tables\n\n{tables}\n"]
    for name, model in SECTIONS.items():
        parts.append(f"## `{name}`\n\n{_said(model)}\n")
        parts.append("\n".join(_keys(model)) + "\n")
    return "\n".join(parts)


def _said(model: type[Section]) -> str:
    """Return a model's docstring without the name of its section."""
    text = (inspect.getdoc(model) or "").replace("``", "`")
    said = text.partition(": ")[2]
    return said[:1].upper() + said[1:]


def _keys(model: type[Section]) -> Iterator[str]:
    yield "| key | holds | by default |"
    yield "|---|---|---|"
    for name, field in model.model_fields.items():
        required = field.default is PydanticUndefined and field.default_factory is None
        default = (
            "must be given" if required else _shown(field.get_default(call_default_factory=True))
        )
        told = f"; {field.description}" if field.description else ""
        yield f"| `{name}` | {_called(field.annotation)}{told} | {default} |"


def _shown(value: Any) -> str:
    if value is None or value in ("", (), {}):
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(_quoted, value))}]`"
    return f"`{_quoted(value)}`"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _called(annotation: Any) -> str:
    """Return what a key holds, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_called(each) for each in inner if each is not types.NoneType)
    if hasattr(annotation, "__metadata__"):
        return _called(inner[0])
    if origin is tuple and inner[0] is not str:
        return "tables"
    if annotation not in CALLED and origin not in CALLED:
        return "time"
    return CALLED[origin or annotation]
