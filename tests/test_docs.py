"""The documentation is what the code says: generated parts are current, examples run."""

import doctest
import re
from pathlib import Path

import pytest

from docs import pictures, settings, signals
from docs.lives import MONTH, YEAR, Life, event, measured, promise
from features.catalog import offer_signals
from features.composites import trust
from features.frames import Signals
from features.settings import SECTIONS
from features.shape import FULL
from tests.notebooks import NOTEBOOKS
from tests.readme import ROOT, blocks
from training.study import Study

ANEW = "run `make docs`"
TEXT = signals.PAGE.read_text(encoding="utf-8")


def test_the_page_of_signals_is_current() -> None:
    assert signals.page(TEXT) == TEXT, ANEW


def test_the_page_of_settings_is_current() -> None:
    assert settings.PAGE.read_text(encoding="utf-8") == settings.page(), ANEW


def test_every_section_of_the_settings_is_on_its_page() -> None:
    told = {name.strip("[]") for name in settings.SECTIONS}
    assert told == {*SECTIONS, "policy.eligibility"}


def test_it_lists_every_signal_once_and_shows_every_picture() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted(signal.name for signal in offer_signals(FULL))
    assert set(re.findall(r"\((\w+)\.svg\)", TEXT)) == set(pictures.PICTURES)


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_current(name: str, tmp_path: Path) -> None:
    drawn = pictures.write(name, tmp_path).read_bytes()
    assert drawn == (pictures.FOLDER / f"{name}.svg").read_bytes(), ANEW


def test_what_the_titles_of_the_pictures_of_trust_say_holds() -> None:
    (signal,) = trust(why="w")
    kept = tuple(item for day in range(5, 2 * YEAR, MONTH) for item in promise(day))
    fails = YEAR + 20
    without, once, thrice = (
        measured(
            signal, Life((*kept, *(event(fails + n * MONTH, "complaint") for n in bad))), 1_000
        )
        for bad in ((), (0,), (0, 1, 2))
    )
    assert without[0] == 0.5
    assert once[fails + 1] / without[fails + 1] == pytest.approx(1 / 2, abs=0.01)
    assert 1 - once[fails + YEAR] / without[fails + YEAR] == pytest.approx(1 / 8, abs=0.01)
    worst = fails + 2 * MONTH + 1
    assert 1 - thrice[worst] / without[worst] > 4 / 5


def test_the_example_of_the_page_on_notebooks_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings,) = blocks("toml")
    (tmp_path / "shop.toml").write_text(settings)
    (tmp_path / "sales.csv").write_text(
        "client,sold_at,total\n007,2024-05-10,9.50\n007,2024-05-30T12:00,25\n008,2024-06-03,8\n"
    )
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "notebooks.md"
    done = doctest.testfile(str(page), module_relative=False)
    assert done.attempted > 0
    assert done.failed == 0


def test_the_page_on_notebooks_names_each_of_them_and_what_there_is() -> None:
    page = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    assert re.findall(r"\(\.\./notebooks/(\w+\.ipynb)\)", page) == [p.name for p in NOTEBOOKS]
    for name in re.findall(r"\bstudy\.(\w+)", page):
        assert hasattr(Study, name), name
    for name in re.findall(r"\bsignals\.(\w+)\(", page):
        assert hasattr(Signals, name), name
