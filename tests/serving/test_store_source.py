"""The store as a source: training reads what serving wrote, and gets the same signals."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from features import clock
from features.batch import compute
from features.errors import SourceError
from features.history import History
from features.interactions import Interaction
from features.settings import Settings, read_settings
from features.snapshots import snapshot_spine
from features.sources.reader import read_history
from features.sources.summary import lines
from serving.__main__ import commands
from serving.store import Store
from tests.shops import SETTINGS, write_shop
from training.dataset import churn_plan
from training.tasks import Churn
from training.until import as_of

SOURCES = SETTINGS[SETTINGS.index("[[interactions]]") : SETTINGS.index("[offers]")]
OF_STORE = '[[interactions]]\nsource = "store"\nnumbers = { items = "items" }\n\n'


@pytest.fixture
def files(tmp_path: Path) -> Settings:
    """A small shop whose history lies in tables."""
    return read_settings(write_shop(tmp_path / "shop", n_customers=30))


@pytest.fixture
def stored(files: Settings, store_url: str) -> Settings:
    """The same shop, its history read from a store that the tables were brought into."""
    with Store(store_url, files.project.now(), "shop") as store:
        store.import_history(read_history(files), "digest")
    return from_store(files, store_url)


def from_store(files: Settings, store_url: str) -> Settings:
    text = SETTINGS.replace(SOURCES, OF_STORE).replace('"sqlite:///var/shop.db"', repr(store_url))
    path = files.path.with_name("stored.toml")
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def signals(settings: Settings, history: History, at: list[int]) -> tuple[list[str], np.ndarray]:
    plan = churn_plan(history, settings.roles, Churn())
    spine = snapshot_spine(history, at)
    order = np.lexsort((spine.as_of, np.array(spine.customer_id.to_pylist())))
    values = compute(plan, history, spine)
    told = [[*map(str, row)] for row in (values.row(int(i)) for i in order)]
    return list(plan.names), np.array(told)


def test_its_signals_are_those_of_the_tables(files: Settings, stored: Settings) -> None:
    tables, store = read_history(files), read_history(stored)
    assert store.known_until >= tables.known_until
    assert store.attribute_numbers == tables.attribute_numbers
    at = [tables.known_until - days * clock.DAY for days in (0, 30, 90, 200)]
    names, expected = signals(files, tables, at)
    found = signals(stored, store, at)
    assert found[0] == names
    assert np.array_equal(found[1], expected)


def test_columns_that_no_row_fills_are_told_in_one_line(stored: Settings) -> None:
    told = list(lines(stored.path, read_history(stored)))
    (empty, *_) = [line for line in told if line.startswith("  empty in every row: ")]
    assert "due_at" in empty
    assert not any("100 % missing" in line for line in told)


def test_outcomes_that_were_recorded_are_there(stored: Settings, store_url: str) -> None:
    before = read_history(stored)
    happened = Interaction("0001", before.known_until - 1, 0, "purchase", "new", "api", amount=4.5)
    with Store(store_url, stored.project.now(), "shop") as store:
        assert store.record([happened]).accepted == 1
    after = read_history(stored)
    assert len(after.interactions) == len(before.interactions) + 1
    assert after.known_until > before.known_until
    assert "api" in after.interactions["source"].to_pylist()
    earlier = as_of(stored, clock.isoformat(before.known_until))
    assert read_history(earlier).interactions.num_rows == before.interactions.num_rows


def test_a_kind_that_no_role_knows_is_a_clear_error(stored: Settings, store_url: str) -> None:
    with Store(store_url, stored.project.now(), "shop") as store:
        store.record([Interaction("0001", 5, 0, "riot", "new", "api")])
    with pytest.raises(SourceError, match="the kind 'riot'"):
        read_history(stored)


def test_a_store_without_history_is_a_clear_error(files: Settings, store_url: str) -> None:
    settings = from_store(files, store_url)
    with pytest.raises(SourceError, match="python -m serving import"):
        read_history(settings)
    assert not (files.path.parent / "a").exists()
    with Store(store_url, None, "shop"), pytest.raises(SourceError, match="no interactions"):
        read_history(settings)


def test_there_is_nothing_to_import(stored: Settings) -> None:
    result = CliRunner().invoke(commands, ["import", "--settings", str(stored.path)])
    assert (result.exit_code, "read the store itself" in result.output) == (0, True)


def test_further_numbers_are_read_as_declared(stored: Settings) -> None:
    table = read_history(stored).interactions
    bought = table.filter([kind == "purchase" for kind in table["kind"].to_pylist()])
    assert bought["items"].null_count == 0
