"""Parameters: what tuning found for each model, in a file beside the settings."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field

from features import clock
from features.errors import SettingsError, nearest
from features.sections import Section
from features.settings import Settings, parse, read_toml
from training.registry import Task

UNTIL = "tuned_until"
Above0 = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Parameters(Section):
    """Parameters of ``training.model.Propensity``, which says what each means; the rest default.

    ``tuned_until`` is the end of the last label that they were chosen by.
    """

    tuned_until: datetime | None = None
    learning_rate: Share | None = None
    num_leaves: Annotated[int, Field(ge=2, le=1024)] | None = None
    max_depth: Annotated[int, Field(ge=1, le=12)] | None = None
    min_data_in_leaf: Annotated[int, Field(ge=1)] | None = None
    feature_fraction: Share | None = None
    lambda_l2: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    extra_trees: bool | None = None
    n_seeds: Annotated[int, Field(ge=1, le=20)] | None = None
    half_life: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    blend: bool | None = None
    line_strength: Above0 | None = None
    seed: Annotated[int, Field(ge=0)] | None = None


def parameters_path(settings: Settings) -> Path:
    """Return where the parameters of a settings file are kept."""
    return settings.path.with_name(f"{settings.path.stem}-parameters.toml")


def parameters_of(settings: Settings, task: Task) -> dict[str, Any]:
    """Return the parameters that are stated for a model; none where there is no file.

    Raises:
        SettingsError: the file is malformed or states what is no parameter.
    """
    stated = _stated(settings).get(task, {})
    return {name: value for name, value in stated.items() if name != UNTIL}


def parameters_for(settings: Settings, task: Task, first_test: int) -> tuple[dict[str, Any], str]:
    """Return the parameters stated for a model, unless they were chosen by what it is tested on.

    Args:
        settings: beside which they are stated.
        task: which model.
        first_test: its first test instant, microseconds UTC.

    Returns:
        The parameters, and what is to be told if they are not used.
    """
    until = _stated(settings).get(task, {}).get(UNTIL)
    if until is not None and clock.to_instant(until, "UTC") > first_test:
        return {}, (
            f"parameters of {parameters_path(settings).name} are not used: they were tuned on what "
            f"happened until {until:%Y-%m-%d}, and tests begin at {clock.isoformat(first_test)}"
        )
    return parameters_of(settings, task), ""


def write_parameters(settings: Settings, task: Task, found: dict[str, Any], until: int) -> Path:
    """State parameters of a model; what else is stated, of it and of others, stays.

    Args:
        settings: beside which they are stated.
        task: which model.
        found: the parameters.
        until: the end of the last label that they were chosen by, microseconds UTC.

    Returns:
        The file, which is replaced as a whole.
    """
    stated = _stated(settings)
    own = {**stated.get(task, {}), **found, UNTIL: clock.to_datetime(until)}
    path = parameters_path(settings)
    lines = ["# Found by `python -m training tune`, read by training; what is removed defaults."]
    for name, table in sorted({**stated, task: own}.items()):
        lines += ["", f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in table.items())]
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def _stated(settings: Settings) -> dict[str, dict[str, Any]]:
    path = parameters_path(settings)
    if not path.exists():
        return {}
    raw = read_toml(path, "Make it readable, or remove it.")
    for name in raw:
        if name not in get_args(Task):
            remedy = nearest(name, list(get_args(Task)))
            raise SettingsError(path.name, f"[{name}]", "a model", remedy)
    return {
        task: parse(Parameters, table, f"[{task}]", path).model_dump(exclude_none=True)
        for task, table in raw.items()
    }


def _toml(value: bool | int | float | datetime) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else repr(value)
