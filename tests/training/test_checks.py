"""Bad input: what cannot carry a model is refused with a remedy, what weakens one is told."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from features import clock
from features.categories import Categories
from features.errors import DataError
from features.settings import read_settings
from features.values import SignalValues
from tests.histories import DAY, START
from tests.shops import write_shop
from tests.training.bundles import plan_of
from training import evaluation, registry
from training.__main__ import commands
from training.checks import check_rows, sound_tests, weak_signals
from training.dataset import Dataset
from training.splits import churn_splits, final_churn_split
from training.tasks import Churn

TASK = Churn(horizon="28d", active="28d")
N_SNAPSHOTS = 45


def rows_of(n_customers: int = 200, positive: Sequence[int] = (0, 1)) -> Dataset:
    """Return a customer a row at weekly snapshots, the labels repeating ``positive``."""
    n = n_customers * N_SNAPSHOTS
    rng = np.random.default_rng(3)
    as_of = np.repeat(START + np.arange(N_SNAPSHOTS) * 7 * DAY, n_customers)
    plan = plan_of("city")
    return Dataset(
        values=SignalValues(plan, rng.normal(size=(n, len(plan.names))), Categories()),
        label=np.resize(np.array(positive, dtype=np.int8), n),
        customer=np.tile(np.arange(n_customers), N_SNAPSHOTS),
        as_of=as_of,
        ends=as_of + TASK.horizon_us,
        left_out={},
        customers=pa.array(map(str, range(n_customers))),
    )


@pytest.mark.parametrize(
    ("dataset", "got", "remedy"),
    [
        (rows_of(199), "199 customers with a label", r"more customers.*\[churn\] active"),
        (rows_of(positive=(0,)), "0 positives in 9000 rows", "roles and the horizon"),
        (rows_of(positive=(1,)), "9000 positives in 9000 rows", "roles and the horizon"),
    ],
)
def test_rows_without_a_lesson_are_refused_with_a_remedy(
    dataset: Dataset, got: str, remedy: str
) -> None:
    with pytest.raises(DataError, match=f"(?s)churn model: got {got}; .*{remedy}"):
        check_rows("churn", dataset)


def test_rows_enough_of_both_kinds_pass() -> None:
    check_rows("churn", rows_of())


def test_a_test_instant_of_one_class_is_left_out_of_the_mean_and_told() -> None:
    dataset = rows_of()
    tests = list(churn_splits(dataset.as_of, TASK))
    instant, split = tests[2]
    label = dataset.label.copy()
    label[split.test] = 0
    dataset = replace(dataset, label=label)
    kept, notes = sound_tests("churn", dataset, tests, final_churn_split(dataset.as_of, TASK))
    assert [t for t, _ in kept] == [t for t, _ in tests]
    (note,) = notes
    assert note.startswith(f"left out of the mean AUC: {clock.to_datetime(instant):%d %b %Y},")
    rows = np.flatnonzero(np.any([split.test for _, split in kept], axis=0))
    found = evaluation.evaluate(
        evaluation.Tested(
            dataset.customer[rows],
            dataset.as_of[rows],
            label[rows],
            {"model": np.random.default_rng(1).random(len(rows))},
        )
    )
    assert instant not in found.by_instant
    assert len(found.by_instant) == len(tests) - 1
    assert found.metrics["auc"] == np.mean([m["auc"] for m in found.by_instant.values()])
    assert found.metrics["rows"] == len(rows)


def test_a_test_before_which_there_was_one_class_only_is_not_run_and_told() -> None:
    dataset = rows_of()
    tests = list(churn_splits(dataset.as_of, TASK))
    label = np.where(dataset.as_of <= dataset.as_of[tests[0][1].refit].max(), 0, dataset.label)
    dataset = replace(dataset, label=label.astype(np.int8))
    kept, notes = sound_tests("churn", dataset, tests, final_churn_split(dataset.as_of, TASK))
    assert kept == tests[1:]
    assert notes[0].startswith(f"no test at {clock.to_datetime(tests[0][0]):%d %b %Y}:")


def test_without_any_test_of_both_classes_training_is_refused() -> None:
    dataset = rows_of()
    tests = list(churn_splits(dataset.as_of, TASK))
    label = np.where(dataset.as_of >= tests[0][0], 1, dataset.label).astype(np.int8)
    dataset = replace(dataset, label=label)
    final = final_churn_split(dataset.as_of, TASK)
    with pytest.raises(DataError, match=r"at least one, with rows of both kinds\. Bring a longer"):
        sound_tests("churn", dataset, tests, final)


def test_signals_missing_or_of_one_value_everywhere_are_named() -> None:
    dataset = rows_of()
    names, matrix = dataset.values.plan.names, dataset.values.matrix
    assert weak_signals(dataset) == []
    matrix[:, 0] = np.nan
    matrix[:, 1] = 4.0
    matrix[:, 2] = np.where(np.arange(len(matrix)) % 2, np.nan, 4.0)  # that it is there teaches
    missing, constant = weak_signals(dataset)
    assert missing.startswith("signals missing in every row") and f": {names[0]}. Look" in missing
    assert constant.startswith("signals of one value in every") and f": {names[1]}. " in constant


@pytest.fixture(scope="module")
def tracked_in(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database for all failures: MLflow takes seconds to make one."""
    return f"sqlite:///{tmp_path_factory.mktemp('failures') / 'mlflow.db'}"


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("task", "name", "old", "new", "got", "remedy"),
    [
        ("churn", "rapport.toml", '"28d"', '"900d"', "days", r"Shorten \[churn\] horizon"),
        ("churn", "rapport.toml", '"shop"', '"shop"', "customers with a label", "more customers"),
        ("offers", "offers_sent.csv", "shown", "accepted", "no offers shown", "mailed to whom"),
        ("offers", "offers_sent.csv", "accepted", "shown", "none accepted", "name offers alike"),
        (
            "offers",
            "rapport.toml",
            "[serving]",
            '[offer]\nhorizon = "900d"\n\n[serving]',
            "customers with a label",
            "more customers",
        ),
    ],
)
def test_bad_input_ends_in_a_clear_error_and_a_failed_run(
    tmp_path: Path,
    tracked_in: str,
    monkeypatch: pytest.MonkeyPatch,
    task: registry.Task,
    name: str,
    old: str,
    new: str,
    got: str,
    remedy: str,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked_in)
    path = write_shop(tmp_path, n_customers=40)
    changed(tmp_path / name, old, new)
    result = CliRunner().invoke(commands, [task, "--settings", str(path)])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    (error,) = [line for line in result.output.splitlines() if line.startswith("error: ")]
    assert got in error
    settings = read_settings(path)
    newest = ["start_time DESC"]
    mlflow = registry.open_registry(settings)
    run = mlflow.search_runs(experiment_names=["shop"], order_by=newest).iloc[0]
    assert run["status"] == "FAILED"
    assert run["tags.mlflow.runName"] == task
    assert run["tags.failure"] == error.removeprefix("error: ")
    assert re.search(remedy, error)
    assert registry.champion(settings, task) is None
