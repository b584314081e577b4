"""An MLflow server on PostgreSQL, both real: training, scoring, and connections that break."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from mlflow import MlflowClient
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

from features.batch import compute
from features.settings import Settings, read_settings
from features.snapshots import snapshot_spine
from features.sources.reader import read_history
from tests.mlflow_servers import MlflowProcess, tracking_server
from tests.postgres import postgres
from tests.shops import write_shop
from training import registry
from training.__main__ import commands
from training.bundle import load_bundle
from training.pipeline import Trained, train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # MLflow's own
]
NAME = registry.MODEL_NAMES["offers"]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def bazaar(folder: Path) -> Settings:
    """A shop whose models go where ``MLFLOW_TRACKING_URI`` says."""
    return read_settings(write_shop(folder / "shop"))


@pytest.fixture(scope="module")
def trained(bazaar: Settings) -> Trained:
    return train(bazaar, read_history(bazaar), "offers", lambda step, total: None)


@pytest.fixture
def server(database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowProcess]:
    with tracking_server(database, folder) as running:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", running.url)
        yield running


def train_offers(settings: Settings) -> Result:
    return CliRunner().invoke(commands, ["offers", "--settings", str(settings.path)])


def newest_run() -> Any:
    client = MlflowClient()
    experiment = client.get_experiment_by_name("shop")
    return client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])[0]


def test_a_model_goes_to_the_server_and_comes_back_with_the_same_scores(
    server: MlflowProcess, bazaar: Settings, tmp_path: Path
) -> None:
    result = train_offers(bazaar)
    assert result.exit_code == 0, result.output
    for noise in ("View run", "View experiment", "Successfully", "Created version"):
        assert noise not in result.output
    run = newest_run()
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    assert run.inputs.dataset_inputs[0].dataset.name == "offers"
    version = registry.champion(bazaar, "offers")
    assert version is not None
    bundle = load_bundle(registry.fetch(bazaar, version, tmp_path))
    history = read_history(bazaar)
    values = compute(bundle.plan, history, snapshot_spine(history, [history.known_until]))
    expected = bundle.score(bundle.encode(values))
    split = {
        "columns": bundle.plan.names,
        "data": [
            [None if value != value else value for value in values.row(i)]
            for i in range(0, len(values), 5)
        ],
    }
    command = ["models", "serve", "-m", version.model_uri, "--env-manager", "local"]
    log = tmp_path / "serve.log"
    with MlflowProcess(command, "/ping", log, MLFLOW_TRACKING_URI=server.url) as scoring:
        answer = scoring.post("/invocations", {"dataframe_split": split})
    np.testing.assert_allclose(answer["predictions"], expected[::5], rtol=0, atol=1e-12)


def test_a_failed_run_says_so_with_its_reason(server: MlflowProcess, bazaar: Settings) -> None:
    text = bazaar.path.read_text()
    text = text.replace('offer_accepted = ["offer_accepted"]', 'offer_accepted = ["bought"]')
    text = text.replace('negative = ["complaint"]', 'negative = ["offer_accepted"]')
    other = bazaar.path.with_name("other.toml")
    other.write_text(text)
    result = train_offers(read_settings(other))
    assert result.exit_code == 2
    run = newest_run()
    assert run.info.status == "FAILED"
    assert "none accepted" in run.data.tags["failure"]


def dying(server: MlflowProcess, then: Callable[..., Any], after: int = 0) -> Callable[..., Any]:
    """Return a step before which the server dies, the first ``after`` times excepted."""
    calls = iter(range(after))

    def step(*arguments: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            server.stop()
        return then(*arguments, **named)

    return step


@pytest.mark.parametrize(
    ("owner", "step", "after"),
    [
        ("mlflow", "log_input", 0),
        (HttpArtifactRepository, "log_artifact", 15),
        ("mlflow", "register_model", 0),
        (MlflowClient, "set_registered_model_alias", 0),
    ],
)
def test_nothing_is_half_registered_when_the_server_dies(
    server: MlflowProcess,
    database: str,
    folder: Path,
    bazaar: Settings,
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    owner: Any,
    step: str,
    after: int,
) -> None:
    monkeypatch.setattr("training.__main__.train", lambda *_: trained)
    if registry.champion(bazaar, "offers") is None:
        assert train_offers(bazaar).exit_code == 0
    before = registry.champion(bazaar, "offers")
    owner = registry.open_registry(bazaar) if owner == "mlflow" else owner
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        patch.setattr(owner, step, dying(server, getattr(owner, step), after))
        result = train_offers(bazaar)
    assert result.exit_code == 2, result.output
    assert result.output.count("error: model registry: got") == 1, result.output
    assert "is champion" not in result.output
    with tracking_server(database, folder) as again:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", again.url)
        assert registry.champion(bazaar, "offers") == before
        assert newest_run().info.status != "FINISHED"
        for found in MlflowClient().search_model_versions(f"name = '{NAME}'"):
            version = registry.version_of(found)
            load_bundle(registry.fetch(bazaar, version, tmp_path))
            assert {registry.PROJECT_TAG, "fingerprint", "auc", "data"} <= set(found.tags)


def test_a_server_that_restarts_is_waited_for(
    server: MlflowProcess,
    database: str,
    folder: Path,
    bazaar: Settings,
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("training.__main__.train", lambda *_: trained)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "6")  # on a busy machine, two minutes
    mlflow = registry.open_registry(bazaar)
    register = mlflow.register_model
    started: list[MlflowProcess] = []

    def restart() -> None:
        started.append(tracking_server(database, folder, server.port).__enter__())

    def interrupted(*arguments: Any, **named: Any) -> Any:
        server.stop()
        thread.start()
        return register(*arguments, **named)

    thread = threading.Thread(target=restart)
    monkeypatch.setattr(mlflow, "register_model", interrupted)
    try:
        result = train_offers(bazaar)
        assert result.exit_code == 0, result.output
        assert newest_run().info.status == "FINISHED"
    finally:
        thread.join()
        for each in started:
            each.stop()
