"""What happened after training: measured on rows that the model has not learned from, or told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from features import clock
from features.errors import DataError
from features.history import History
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from tests.shops import write_shop
from training import registry
from training.__main__ import commands
from training.baselines import BASELINES
from training.bundle import Bundle
from training.dataset import churn_dataset, offers_dataset
from training.models import require_model
from training.registry import Task
from training.tasks import Churn, OfferTask
from training.unseen import measure, plain, unseen


@pytest.fixture(scope="module")
def history(shop: Settings) -> History:
    return read_history(shop)


def trained_until(shop: Settings, task: Task, instant: int) -> Bundle:
    """The shop's model, told to have been trained until an earlier instant."""
    bundle = require_model(shop, task).bundle
    return replace(bundle, card=replace(bundle.card, trained_until=clock.isoformat(instant)))


def test_churn_is_measured_on_the_cohort_of_later_instants(
    shop: Settings, history: History
) -> None:
    dataset = churn_dataset(history, shop.roles, Churn(active="42d"))
    since = int(np.unique(dataset.as_of)[-5])
    bundle = trained_until(shop, "churn", since)
    tested = unseen(bundle, history, shop.roles).tested
    assert tested is not None
    rows = dataset.as_of >= since
    assert np.unique(tested.instant).tolist() == np.unique(dataset.as_of)[-5:].tolist()
    np.testing.assert_array_equal(tested.label, dataset.label[rows])
    probability = bundle.score(bundle.encode(dataset.values))[rows]
    np.testing.assert_array_equal(tested.predictions["model"], probability)
    figures = plain(measure(bundle, tested))
    last = tested.instant == tested.instant.max()
    assert list(figures["by_instant"].values())[-1]["auc"] == pytest.approx(
        roc_auc_score(tested.label[last], probability[last])
    )


def test_offers_are_measured_on_those_shown_later_whose_outcome_is_known(
    shop: Settings, history: History
) -> None:
    dataset = offers_dataset(history, shop.roles, OfferTask())
    since = int(np.quantile(dataset.as_of, 0.8))
    bundle = trained_until(shop, "offers", since)
    tested = unseen(bundle, history, shop.roles).tested
    assert tested is not None
    np.testing.assert_array_equal(tested.label, dataset.label[dataset.as_of >= since])
    assert since <= tested.instant.min()
    assert measure(bundle, tested).metrics["rows"] == len(tested.label)


@pytest.mark.parametrize(("task", "when"), [("churn", "2025-01-28"), ("offers", "have ended")])
def test_a_model_of_today_has_nothing_unseen_and_says_from_when(
    shop: Settings, history: History, task: Task, when: str
) -> None:
    found = unseen(trained_until(shop, task, history.known_until), history, shop.roles)
    assert found.tested is None
    assert when in found.when


def test_baselines_know_what_was_known_when_the_model_was_trained(
    shop: Settings, history: History
) -> None:
    dataset = churn_dataset(history, shop.roles, Churn(active="42d"))
    since = int(np.unique(dataset.as_of)[-5])
    bundle = trained_until(shop, "churn", since)
    tested = unseen(bundle, history, shop.roles).tested
    assert tested is not None
    matrix = bundle.encode(dataset.values)
    known, rows = dataset.ends <= since, dataset.as_of >= since
    for name, baseline in BASELINES.items():
        expected = baseline(bundle.plan, matrix[known], dataset.label[known], matrix[rows])
        np.testing.assert_array_equal(tested.predictions[name], expected)


def test_rows_of_one_kind_are_a_clear_error(shop: Settings, history: History) -> None:
    dataset = churn_dataset(history, shop.roles, Churn(active="42d"))
    bundle = trained_until(shop, "churn", int(dataset.as_of.max()))
    tested = unseen(bundle, history, shop.roles).tested
    assert tested is not None
    tested.label[:] = 0
    with pytest.raises(DataError, match="rows of both kinds"):
        measure(bundle, tested)


def evaluate(path: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["evaluate", "--settings", str(path), *more])
    return result.exit_code, result.output


def test_the_command_says_so_when_there_is_nothing_yet(shop: Settings, tmp_path: Path) -> None:
    code, told = evaluate(shop.path, "--out", str(tmp_path / "figures.json"))
    assert code == 0, told
    assert "nothing to measure it on yet. There will be from 2025-01-28" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["99", "challenger"])
def test_a_version_that_is_not_there_is_a_clear_error(shop: Settings, version: str) -> None:
    code, told = evaluate(shop.path, "--version", version)
    assert code == 2
    assert f"'{version}'" in told or f"version {version}" in told


@pytest.mark.slow
def test_a_model_is_measured_when_months_have_passed(tmp_path: Path) -> None:
    path = write_shop(tmp_path)
    now = path.read_text()
    path.write_text(now.replace('clock = "2024-12-31', 'clock = "2024-10-15'))
    assert CliRunner().invoke(commands, ["churn", "--settings", str(path)]).exit_code == 0
    path.write_text(now)
    code, told = evaluate(path, "--out", str(tmp_path / "figures.json"), "--version", "1")
    assert code == 0, told
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["trained_until"] == "2024-10-14T23:00:00Z"
    assert min(figures["by_instant"]) >= figures["trained_until"]
    assert 0.5 < figures["metrics"]["auc"] < 0.95
    mlflow = registry.open_registry(read_settings(path))
    runs = mlflow.search_runs(experiment_names=["shop"])
    run = runs[runs["tags.mlflow.runName"] == "evaluate"].iloc[0]
    assert run["status"] == "FINISHED"
    assert run["metrics.auc"] == pytest.approx(figures["metrics"]["auc"])
    steps = mlflow.MlflowClient().get_metric_history(run["run_id"], "test.auc")
    assert len(steps) == len(figures["by_instant"])
    assert set(figures["gain"]) == {"recency", "rfm", "logistic"}
    assert run["metrics.gain.recency.low"] == figures["gain"]["recency"]["low"]
    assert "AUC over recency +0." in told
    assert CliRunner().invoke(commands, ["churn", "--settings", str(path)]).exit_code == 0
    code, told = evaluate(path, "--version", "2")
    assert code == 0, told
    path.write_text(now.replace('clock = "2024-12-31', 'clock = "2024-10-15'))
    assert CliRunner().invoke(commands, ["churn", "--settings", str(path)]).exit_code == 0
    path.write_text(now)
    code, told = evaluate(path, "--version", "3")
    assert code == 0, told
    assert "AUC over champion +0.000 [+0.000, +0.000]" in told
    assert "note: the champion is version 1" in told
