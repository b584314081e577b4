"""What several tests share: a small shop, trained once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from features.settings import Settings, read_settings
from serving.loading import load_scorer
from serving.scorer import Scorer
from serving.store import Store
from tests.processes import environment, run
from tests.readme import ROOT
from tests.registries import copy_of
from tests.shops import write_shop

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", BENTOML_DO_NOT_TRACK="True")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A shop whose models are trained and registered by the command line."""
    from training.__main__ import commands

    path = write_shop(tmp_path_factory.mktemp("shop"))
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    result = CliRunner().invoke(commands, ["main", "--settings", str(path)])
    assert result.exit_code == 0, result.output
    (path.parent / "training.log").write_text(result.output)
    return read_settings(path)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo with its models in a folder of its own, and what training printed; takes minutes."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(ROOT / "rapport.toml", folder)
    run(folder, "features", "demo-data")
    return folder, run(folder, "training", "main")


@pytest.fixture
def store(shop: Settings, tmp_path: Path) -> Iterator[Store]:
    """The shop's store, with its history imported, for one test alone."""
    from features.sources.reader import read_history

    filled = shop.path.parent / "filled.db"
    if not filled.exists():
        first = Store(f"sqlite:///{filled}", shop.project.now(), "shop")
        first.import_history(read_history(shop), "digest")
        first.close()
    shutil.copy(filled, tmp_path / "store.db")
    opened = Store(f"sqlite:///{tmp_path / 'store.db'}", shop.project.now(), "shop")
    yield opened
    opened.close()


@pytest.fixture
def scorer(shop: Settings, store: Store) -> Scorer:
    """A scorer with the shop's models over a store of its own."""
    return load_scorer(shop, store)


@pytest.fixture
def deployment(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The shop in a folder of its own, its history in the store, soon aware of other models."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "deployment"
    folder.mkdir()
    path = copy_of(shop, folder).path
    path.write_text(path.read_text() + "models_every = 0.5\ntimeout = 30\n")
    command = [sys.executable, "-m", "serving", "import", "--settings", str(path)]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    return read_settings(path)
