"""The check before training: it says what training would find, and stops where that would stop."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from features.__main__ import commands as catalogued
from features.settings import Settings
from tests.shops import write_shop
from training.__main__ import commands


def check(path: Path) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["check", "--settings", str(path)])
    return result.exit_code, result.output


def changed(folder: Path, old: str, new: str) -> Path:
    path = write_shop(folder)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return path


def test_it_tells_what_training_finds_and_nothing_is_left(shop: Settings, tmp_path: Path) -> None:
    path = write_shop(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, told = check(path)
    assert code == 0, told
    assert sorted(tmp_path.iterdir()) == before
    trained = (shop.path.parent / "training.log").read_text()
    for line in told.splitlines():
        if "left out: " in line and " rows, " in line:
            assert line.strip() in trained
    assert "260 customers" in told
    assert "lost is who has no 'purchase' in 28d" in told
    assert "6 instants to test at" in told
    assert told.endswith("Training would start.\n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('horizon = "28d"', 'horizon = "400d"', "Shorten [churn] horizon"),
        ('horizon = "28d"', 'horizon = "soon"', "[churn] horizon: got 'soon'"),
        ('value = ["purchase"]', 'value = ["renewal"]', "kind"),
        ("[serving]", "[value]\nat_risk = 'age of life'\ncontact_cost = 1\nsave_rate = 0.1\n"
         "[serving]", "[value] at_risk"),
        ("[serving]", "[value]\nworth = 4.0\n[serving]", "[value] worth"),
        ('offer_shown = ["offer_shown"]', 'other = ["offer_shown"]', "no offers shown"),
        ("[churn]", '[churn]\ndefinition = "exit"', "Look at the roles and the horizon"),
        ('"purchases.csv"', '"nothing.csv"', "nothing.csv"),
    ],
)  # fmt: skip
def test_what_would_stop_training_is_told_with_the_remedy(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    code, output = check(changed(tmp_path, old, new))
    assert code == 1, output
    assert told in output
    assert "; wanted " in output
    assert output.endswith("Training would stop.\n")


def test_a_fault_of_one_model_does_not_hide_what_is_said_of_the_other(tmp_path: Path) -> None:
    _, told = check(changed(tmp_path, 'horizon = "28d"', 'horizon = "400d"'))
    assert "offers shown to learn from" in told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("at_risk = 50.0", "states at_risk but no contact_cost and save_rate"),
        ("at_risk = 50.0\ncontact_cost = 5.0\nsave_rate = 0.5", "above a risk of 20 %"),
        ("at_risk = 5.0\ncontact_cost = 5.0\nsave_rate = 0.5", "costs more than it can save"),
    ],
)
def test_it_says_what_the_money_means(tmp_path: Path, value: str, told: str) -> None:
    code, output = check(changed(tmp_path, "[serving]", f"[value]\n{value}\n[serving]"))
    assert told in output, output
    assert code == 0


def test_it_counts_the_signals_as_the_catalogue_does(shop: Settings) -> None:
    listed = CliRunner().invoke(catalogued, ["catalog", "--settings", str(shop.path)])
    own = re.search(r"^(\d+ signals of a customer)", listed.stderr, re.MULTILINE)
    assert own is not None
    assert re.findall(r"\d+ signals of a customer", check(shop.path)[1]) == [own[1]] * 2


def test_signals_that_teach_nothing_are_named(tmp_path: Path) -> None:
    path = write_shop(tmp_path)
    lines = (tmp_path / "people.csv").read_text().splitlines()
    (tmp_path / "people.csv").write_text(
        "\n".join([f"{lines[0]},planet", *(f"{line},earth" for line in lines[1:])])
    )
    assert "of one value in every row teach nothing: " in (told := check(path)[1])
    assert "attribute_planet" in told
