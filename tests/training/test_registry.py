"""What training leaves in MLflow, end to end on a small shop."""

import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from features import clock
from features.batch import compute
from features.errors import ModelError
from features.settings import Settings, read_settings
from features.snapshots import snapshot_spine
from features.sources.reader import read_history
from tests.shops import write_shop
from training import registry
from training.__main__ import commands
from training.bundle import load_bundle
from training.recipe import recipe_of


@pytest.fixture(scope="module")
def mlflow(shop: Settings) -> ModuleType:
    return registry.open_registry(shop)


def test_both_models_are_champions(shop: Settings) -> None:
    for task, name in registry.MODEL_NAMES.items():
        version = registry.champion(shop, task)
        assert version is not None
        assert (version.name, version.version) == (name, "1")


def test_a_run_holds_parameters_metrics_and_plots(shop: Settings, mlflow: ModuleType) -> None:
    runs = mlflow.search_runs(experiment_names=["shop"])
    churn = runs[runs["tags.mlflow.runName"] == "churn"].iloc[0]
    assert churn["status"] == "FINISHED"
    assert churn["params.task.horizon"] == "28d"
    for metric in ("auc", "average_precision", "ece", "auc.recency", "auc.rfm", "auc.logistic"):
        assert 0 <= churn[f"metrics.{metric}"] <= 1
    artifacts = {a.path for a in mlflow.MlflowClient().list_artifacts(churn["run_id"])}
    assert {"calibration.png", "shap_summary.png", "report.html"} <= artifacts
    assert len(mlflow.MlflowClient().get_metric_history(churn["run_id"], "test.auc")) >= 4


def test_models_beat_recency_and_are_not_too_good(shop: Settings, mlflow: ModuleType) -> None:
    runs = mlflow.search_runs(experiment_names=["shop"])
    for task in ("churn", "offers"):
        run = runs[runs["tags.mlflow.runName"] == task].iloc[0]
        assert run["metrics.auc.recency"] < run["metrics.auc"] < 0.95


@pytest.mark.filterwarnings("ignore")  # MLflow's own, on loading
@pytest.mark.parametrize("task", ["churn", "offers"])
def test_mlflow_serves_the_same_probabilities(
    shop: Settings, mlflow: ModuleType, task: registry.Task, tmp_path: Path
) -> None:
    version = registry.champion(shop, task)
    assert version is not None
    bundle = load_bundle(registry.fetch(shop, version, tmp_path))
    history = read_history(shop)
    values = compute(bundle.plan, history, snapshot_spine(history, [history.known_until]))
    frame = pd.DataFrame({name: values.column(name) for name in bundle.plan.names})
    served = mlflow.pyfunc.load_model(f"models:/{version.name}@champion").predict(frame)
    np.testing.assert_array_equal(served, bundle.score(bundle.encode(values)))


def test_a_bundle_has_no_pickle(shop: Settings, tmp_path: Path) -> None:
    version = registry.champion(shop, "churn")
    assert version is not None
    folder = registry.fetch(shop, version, tmp_path)
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".json", ".txt"]


def test_training_again_keeps_the_champion_when_nothing_changed(shop: Settings) -> None:
    arguments = ["main", "--settings", str(shop.path), "--if-changed"]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0
    assert result.output.count("is current") == 2
    named = f"--settings {shop.path}"
    assert result.output.endswith(
        f"\nNext: python -m serving import {named}, then python -m serving serve {named}\n"
    )


def test_without_a_champion_there_is_none(tmp_path: Path) -> None:
    settings = read_settings(write_shop(tmp_path, n_customers=2))
    assert registry.champion(settings, "churn") is None


def test_an_unreachable_server_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(write_shop(tmp_path, n_customers=2))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:1"):
        registry.champion(settings, "churn")


def test_a_champion_of_another_project_is_refused(shop: Settings, tmp_path: Path) -> None:
    path = write_shop(tmp_path, n_customers=2)
    path.write_text(path.read_text().replace('name = "shop"', 'name = "other"'))
    (tmp_path / "mlflow.db").symlink_to(shop.path.parent / "mlflow.db")
    with pytest.raises(ModelError, match="a champion of the project 'shop'"):
        registry.champion(read_settings(path), "churn")


@pytest.mark.parametrize("uri", ["foo://x", "http://127.0.0.1:1"])
def test_training_without_a_registry_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    path = write_shop(tmp_path, n_customers=2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    result = CliRunner().invoke(commands, ["churn", "--settings", str(path)])
    assert result.exit_code == 2, result.output
    assert "error: model registry" in result.output


def test_the_recipe_follows_settings_data_and_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shop(tmp_path, n_customers=2)
    before = recipe_of(read_settings(path))
    assert before == recipe_of(read_settings(path))
    with (tmp_path / "purchases.csv").open("a") as file:
        file.write("0000,2024-05-01,new,1.0,1\n")
    after = recipe_of(read_settings(path))
    assert after != before
    monkeypatch.setattr(clock, "TZDATA_VERSION", "2099z")
    assert recipe_of(read_settings(path)) != after


def test_too_short_a_history_ends_with_code_2_and_a_failed_run(tmp_path: Path) -> None:
    path = write_shop(tmp_path, n_customers=30)
    path.write_text(path.read_text().replace('horizon = "28d"', 'horizon = "200d"'))
    result = CliRunner().invoke(commands, ["churn", "--settings", str(path)])
    assert result.exit_code == 2
    assert "at least" in result.output
    assert "Traceback" not in result.output
    settings = read_settings(path)
    runs = registry.open_registry(settings).search_runs(experiment_names=["shop"])
    assert list(runs["status"]) == ["FAILED"]
    assert registry.champion(settings, "churn") is None
    shutil.rmtree(tmp_path)


def test_offers_without_a_table_of_offers_are_a_clear_error(tmp_path: Path) -> None:
    path = write_shop(tmp_path, n_customers=2)
    path.write_text(path.read_text().replace('[offers]\nsource = "offers.csv"\n', ""))
    result = CliRunner().invoke(commands, ["offers", "--settings", str(path)])
    assert result.exit_code == 2
    assert "no section [offers]" in result.output
