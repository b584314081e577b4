"""The README says what is: its settings are valid, its targets and commands exist."""

import re
from pathlib import Path

from click.testing import CliRunner

from features.settings import read_settings
from tests.readme import ROOT, blocks


def test_it_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_the_smallest_settings_are_valid_and_enough_to_read_a_table(tmp_path: Path) -> None:
    from features.__main__ import commands

    (settings,) = blocks("toml")
    path = tmp_path / "shop.toml"
    path.write_text(settings)
    (tmp_path / "sales.csv").write_text("client,sold_at,total\n007,2024-03-01,9.50\n")
    assert read_settings(path).project.name == "shop"
    result = CliRunner().invoke(commands, ["check", "--settings", str(path)])
    assert result.exit_code == 0, result.output
    assert "1 interaction of 1 customer" in result.output


def test_every_make_target_it_names_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z]+)", text))
    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_command_it_names_exists() -> None:
    from features.__main__ import commands as features
    from serving.__main__ import commands as serving
    from training.__main__ import commands as training

    groups = {"features": features, "training": training, "serving": serving}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"-m (features|training|serving) ([a-z-]+)", text)
    assert named
    for layer, command in named:
        assert command in groups[layer].commands
