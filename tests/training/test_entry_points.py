"""MLproject and the command line are one: the same commands, descriptions, options and defaults."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]

from training.__main__ import commands

MLPROJECT = Path(__file__).parent.parent.parent / "MLproject"
TEXT = MLPROJECT.read_text(encoding="utf-8")
ENTRY_POINTS: dict[str, Any] = yaml.safe_load(TEXT)["entry_points"]


FLAGGED = {"rollback": ("promote", "--rollback")}
"""Entry points that are a command with a flag, for which `mlflow run` has no word."""
FIRST = {"init"}
"""Commands that come before there are settings to run an entry point by."""


def options(name: str) -> dict[str, click.Option]:
    """The options of a command by name; a flag is for people and has no parameter."""
    command, _ = FLAGGED.get(name, (name, ""))
    found = [p for p in commands.commands[command].params if isinstance(p, click.Option)]
    return {p.opts[0].removeprefix("--"): p for p in found if not p.is_flag}


def test_every_command_is_an_entry_point_and_the_other_way_round() -> None:
    assert set(ENTRY_POINTS) - set(FLAGGED) == set(commands.commands) - FIRST


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_has_the_options_of_its_command(name: str) -> None:
    parameters = ENTRY_POINTS[name]["parameters"]
    assert set(parameters) == set(options(name))
    for parameter, option in options(name).items():
        typed = parameters[parameter]
        number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
        assert typed["type"] == ("float" if number else "string")
        assert ("default" in typed) != option.required
        if not option.required:
            assert typed["default"] == option.default
    given = " ".join(f"--{parameter} {{{parameter}}}" for parameter in parameters)
    called = " ".join(part for part in FLAGGED.get(name, (name,)) if part)
    assert ENTRY_POINTS[name]["command"] == f"python -m training {called} {given}"


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_is_described_as_its_command_is(name: str) -> None:
    described = re.search(rf"^  # (.+)\n  {name}:$", TEXT, re.MULTILINE)
    assert described, f"a comment above {name}"
    if name not in FLAGGED:
        assert described[1] == (commands.commands[name].help or "").splitlines()[0]
