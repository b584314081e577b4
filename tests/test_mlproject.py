"""``mlflow run``: the entry points, as a data scientist calls them."""

import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.processes import environment
from tests.shops import write_shop

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


def mlflow_run(folder: Path, settings: Path, entry: str, **parameters: str) -> MlflowClient:
    database = f"sqlite:///{folder / 'tracking.db'}"
    command = ["mlflow", "run", str(ROOT), "-e", entry, "--env-manager", "local"]
    for name, value in {"settings": str(settings), **parameters}.items():
        command += ["-P", f"{name}={value}"]
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(MLFLOW_TRACKING_URI=database),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return MlflowClient(database)


@pytest.mark.parametrize(("entry", "runs"), [("churn", 1), ("offers", 1), ("main", 3)])
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_an_entry_point_trains_in_the_run_that_mlflow_began(
    tmp_path: Path, entry: str, runs: int
) -> None:
    client = mlflow_run(tmp_path, write_shop(tmp_path, n_customers=150), entry)
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert [run.info.status for run in found] == ["FINISHED"] * runs
    measured = [run for run in found if "auc" in run.data.metrics]
    assert len(measured) == max(1, runs - 1)
    parents = {run.data.tags.get("mlflow.parentRunId") for run in measured}
    assert parents == ({None} if runs == 1 else {r.info.run_id for r in found if r not in measured})


def champion(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias("rapport-churn", "champion").version)


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_challenger_is_promoted_and_rolled_back(tmp_path: Path) -> None:
    settings = write_shop(tmp_path)
    for _ in range(2):
        mlflow_run(tmp_path, settings, "churn", until="2024-10-01")
    client = mlflow_run(tmp_path, settings, "promote")
    assert champion(client) == "2"
    mlflow_run(tmp_path, settings, "rollback", task="churn")
    assert champion(client) == "1"
