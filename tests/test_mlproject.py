"""``mlflow run``: the entry points, as a data scientist calls them."""

import subprocess
from pathlib import Path

import pytest

from features.settings import Settings
from tests.processes import environment
from tests.shops import write_shop
from training import registry

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("entry", "runs", "manager"),
    [("churn", 1, "local"), ("offers", 1, "local"), ("main", 3, "local"), ("offers", 1, "uv")],
)
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_an_entry_point_trains_in_the_run_that_mlflow_began(
    tmp_path: Path, entry: str, runs: int, manager: str
) -> None:
    settings = write_shop(tmp_path)
    database = f"sqlite:///{tmp_path / 'tracking.db'}"
    command = ["mlflow", "run", str(ROOT), "-e", entry, "--env-manager", manager]
    result = subprocess.run(
        [*command, "-P", f"settings={settings}"],
        cwd=tmp_path,
        env=environment(MLFLOW_TRACKING_URI=database, MLFLOW_ENV_ROOT=str(tmp_path / "envs")),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    from mlflow import MlflowClient

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
    command = ["mlflow", "run", str(ROOT), "-e", entry, "--env-manager", "local"]
    for parameter in [f"settings={shop.path}", *more]:
        command += ["-P", parameter.format(folder=tmp_path)]
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(MLFLOW_TRACKING_URI=registry.tracking_uri(shop)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    assert told in result.stdout
    assert (tmp_path / "scores.parquet").exists() == (entry == "score")
