"""``mlflow run``: the entry points, as a data scientist calls them."""

import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient

from features.settings import Settings
from tests.processes import environment
from tests.shops import write_shop
from training import registry

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


def mlflow_run(
    folder: Path, uri: str, entry: str, manager: str = "local", **parameters: str
) -> str:
    """Run an entry point as a user does, and return what it printed."""
    command = ["mlflow", "run", str(ROOT), "-e", entry, "--env-manager", manager]
    for name, value in parameters.items():
        command += ["-P", f"{name}={value}"]
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(MLFLOW_TRACKING_URI=uri, MLFLOW_ENV_ROOT=str(folder / "envs")),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout


@pytest.mark.parametrize(
    ("entry", "runs", "manager"),
    [("churn", 1, "local"), ("offers", 1, "local"), ("main", 3, "local"), ("offers", 1, "uv")],
)
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_an_entry_point_trains_in_the_run_that_mlflow_began(
    tmp_path: Path, entry: str, runs: int, manager: str
) -> None:
    database = f"sqlite:///{tmp_path / 'tracking.db'}"
    mlflow_run(tmp_path, database, entry, manager, settings=str(write_shop(tmp_path)))
    client = MlflowClient(database)
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert [run.info.status for run in found] == ["FINISHED"] * runs
    measured = [run for run in found if "auc" in run.data.metrics]
    assert len(measured) == max(1, runs - 1)
    parents = {run.data.tags.get("mlflow.parentRunId") for run in measured}
    assert parents == ({None} if runs == 1 else {r.info.run_id for r in found if r not in measured})


@pytest.mark.parametrize(
    ("entry", "more", "told"),
    [
        ("check", [], "Training would start."),
        ("evaluate", ["task=offers"], "nothing to measure it on yet"),
        ("score", ["out={folder}/scores.parquet"], "rows by rapport-churn version 1"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_an_entry_point_uses_the_registered_models(
    shop: Settings, tmp_path: Path, entry: str, more: list[str], told: str
) -> None:
    given = dict(parameter.format(folder=tmp_path).split("=", 1) for parameter in more)
    uri = registry.tracking_uri(shop)
    printed = mlflow_run(tmp_path, uri, entry, settings=str(shop.path), **given)
    assert told in printed
    assert (tmp_path / "scores.parquet").exists() == (entry == "score")


def champion(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias("rapport-churn", "champion").version)


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_challenger_is_promoted_and_rolled_back(tmp_path: Path) -> None:
    settings, database = str(write_shop(tmp_path)), f"sqlite:///{tmp_path / 'tracking.db'}"
    for _ in range(2):
        mlflow_run(tmp_path, database, "churn", settings=settings, until="2024-10-01")
    mlflow_run(tmp_path, database, "promote", settings=settings)
    assert champion(MlflowClient(database)) == "2"
    mlflow_run(tmp_path, database, "rollback", settings=settings, task="churn")
    assert champion(MlflowClient(database)) == "1"
