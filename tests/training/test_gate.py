"""``python -m training promote``, on models that are told until when they learned."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from features import clock
from features.errors import DataError
from features.history import History
from features.plan import compile_plan
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from tests.training.versions import register
from training import aliases, registry
from training.__main__ import commands
from training.bundle import Bundle
from training.dataset import churn_dataset, offers_dataset
from training.promotion import CHAMPION
from training.registry import Task
from training.tasks import Churn, OfferTask
from training.trial import try_both

SUMMER, AUTUMN = "2024-07-15T00:00:00Z", "2024-09-01T00:00:00Z"
TASKS: list[Task] = ["churn", "offers"]


@pytest.fixture(scope="module")
def bundles(shop: Settings) -> dict[Task, Bundle]:
    found = {}
    for task in TASKS:
        version = registry.champion(shop, task)
        assert version is not None
        bundle = aliases.bundle_of(shop, version)
        found[task] = replace(bundle, card=replace(bundle.card, trained_until=SUMMER))
    return found


@pytest.fixture(scope="module")
def history(shop: Settings) -> History:
    return read_history(shop)


@pytest.fixture
def other(
    shop: Settings, no_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The shop with another registry, still empty."""
    shutil.copy(no_runs, tmp_path / "other.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    return shop


def enter(
    settings: Settings, bundle: Bundle, folder: Path, task: Task = "churn", **card: Any
) -> str:
    version = register(settings, bundle, folder, task, **card)
    return aliases.enter(settings, task, version, replace(bundle.card, **card)).alias


def call(settings: Settings, *more: str) -> Result:
    return CliRunner().invoke(commands, ["promote", "--settings", str(settings.path), *more])


def serving(settings: Settings, task: Task = "churn") -> str | None:
    version = registry.champion(settings, task)
    return version.version if version else None


def test_a_trial_holds_the_rows_of_the_data_set_from_then_on(
    shop: Settings, history: History, bundles: dict[Task, Bundle]
) -> None:
    for task in TASKS:
        later = replace(bundles[task], card=replace(bundles[task].card, trained_until=AUTUMN))
        data = (
            churn_dataset(history, shop.roles, shop.section("churn", Churn))
            if task == "churn"
            else offers_dataset(history, shop.roles, shop.section("offer", OfferTask))
        )
        trial = try_both(history, shop.roles, bundles[task], later)
        late = data.as_of >= trial.since
        assert clock.isoformat(trial.since) == AUTUMN
        assert 0 < late.sum() < len(late)
        np.testing.assert_array_equal(trial.tested.label, data.label[late])
        expected = later.score(later.encode(data.values))[late]
        np.testing.assert_array_equal(trial.tested.predictions["model"], expected)
        np.testing.assert_array_equal(trial.tested.predictions[CHAMPION], expected)
        assert len(np.unique(trial.tested.instant)) >= 2
        assert all(len(rows) == late.sum() for rows in trial.slices.values())


def test_rows_count_that_both_models_speak_for(
    shop: Settings, history: History, bundles: dict[Task, Bundle]
) -> None:
    old = bundles["churn"]
    new = replace(old, card=replace(old.card, cohort_signal="value_count_7d"))
    alone, both = (try_both(history, shop.roles, old, each).tested for each in (old, new))
    assert 0 < len(both.label) < len(alone.label)
    assert len(try_both(history, shop.roles, new, old).tested.label) == len(both.label)


def test_a_challenger_not_worse_is_promoted_and_can_be_rolled_back(
    other: Settings, bundles: dict[Task, Bundle], tmp_path: Path
) -> None:
    found = [enter(other, bundles[task], tmp_path, task) for task in TASKS for _ in range(2)]
    assert found == ["champion", "challenger"] * 2
    result = call(other)
    assert result.exit_code == 0, result.output
    assert "rapport-churn version 2 is champion now" in result.output
    assert "holds: AUC" in result.output
    assert [serving(other, task) for task in TASKS] == ["2", "2"]
    mlflow = registry.open_registry(other)
    run = mlflow.search_runs(experiment_names=["shop"]).iloc[0]
    assert (run["tags.mlflow.runName"], run["status"]) == ("promote", "FINISHED")
    assert run["metrics.churn.gain"] == run["metrics.offers.gain"] == 0.0
    assert run["tags.churn.decision"] == "promoted"
    tags = mlflow.MlflowClient().get_model_version("rapport-churn", "2").tags
    assert tags["rapport.promotion.decision"] == "promoted"
    assert tags["rapport.promotion.run"] == run["run_id"]
    assert call(other).exit_code == 1  # no challenger is left
    both = call(other, "--rollback")
    assert both.exit_code == 2
    assert "--task: churn or offers" in both.output
    back = call(other, "--rollback", "--task", "churn")
    assert "rapport-churn version 1 is champion again, version 2 is not" in back.output
    assert [serving(other, task) for task in TASKS] == ["1", "2"]


def test_a_challenger_off_calibration_is_refused_with_the_numbers(
    other: Settings, bundles: dict[Task, Bundle], tmp_path: Path
) -> None:
    bundle = bundles["churn"]
    enter(other, bundle, tmp_path)
    calibrator = replace(bundle.calibrator, shift=bundle.calibrator.shift + 1.5)
    assert enter(other, replace(bundle, calibrator=calibrator), tmp_path) == "challenger"
    result = call(other, "--task", "churn")
    assert result.exit_code == 1, result.output
    assert "rapport-churn version 2 is not promoted, version 1 stays" in result.output
    assert "fails: calibration error 0." in result.output
    assert serving(other) == "1"
    challenger = registry.find(other, "churn", registry.CHALLENGER)
    assert challenger is not None
    tags = (
        registry.open_registry(other)
        .MlflowClient()
        .get_model_version("rapport-churn", challenger.version)
        .tags
    )
    assert tags["rapport.promotion.decision"] == "refused"
    assert "calibration error" in tags["rapport.promotion.reasons"]


def test_a_challenger_that_has_seen_all_is_told_what_to_do(
    other: Settings, bundles: dict[Task, Bundle], tmp_path: Path
) -> None:
    enter(other, bundles["churn"], tmp_path)
    enter(other, bundles["churn"], tmp_path, trained_until="2024-12-31T00:00:00Z")
    result = call(other)
    assert result.exit_code == 1, result.output
    assert "There will be some when the history reaches 2025-01-28T00:00:00Z" in result.output
    assert f"`--until {SUMMER}`" in result.output
    assert "`python -m training promote --anyway`" in result.output
    assert serving(other) == "1"
    result = call(other, "--anyway")
    assert result.exit_code == 0, result.output
    assert "holds: not compared, as --anyway asks" in result.output
    assert "Reading the sources" not in result.output
    assert serving(other) == "2"
    client = registry.open_registry(other).MlflowClient()
    tags = client.get_model_version("rapport-churn", "2").tags
    assert tags["rapport.promotion.reasons"] == "not compared, as --anyway asks"


def test_settings_that_say_otherwise_are_heard_before_any_comparison(
    other: Settings, bundles: dict[Task, Bundle], tmp_path: Path
) -> None:
    bundle = bundles["churn"]
    enter(other, bundle, tmp_path)
    elsewhere = compile_plan(bundle.plan.signals, bundle.plan.roles, "Europe/Paris")
    enter(other, replace(bundle, plan=elsewhere), tmp_path)
    for more in ((), ("--anyway",)):
        result = call(other, *more)
        assert result.exit_code == 2, result.output
        assert "time zone Europe/London, not Europe/Paris" in result.output
    paris = other.path.read_text().replace("Europe/London", "Europe/Paris")
    (tmp_path / "rapport.toml").write_text(paris)
    for path in other.path.parent.glob("*.csv"):
        shutil.copy(path, tmp_path)
    result = call(read_settings(tmp_path / "rapport.toml"))
    assert result.exit_code == 0, result.output
    assert "holds: the settings say otherwise now than for the champion: time" in result.output
    assert serving(other) == "2"


@pytest.mark.parametrize(
    ("task", "when"),
    [
        ("churn", "when the history reaches 2025-01-28T00:00:00Z"),
        ("offers", "when offers shown from 2024-12-31T00:00:00Z on have ended"),
    ],
)
def test_when_the_champion_has_seen_all_until_is_no_remedy(
    shop: Settings, history: History, bundles: dict[Task, Bundle], task: Task, when: str
) -> None:
    card = replace(bundles[task].card, trained_until="2024-12-31T00:00:00Z")
    all_seen = replace(bundles[task], card=card)
    with pytest.raises(DataError, match=when) as told:
        try_both(history, shop.roles, all_seen, bundles[task])
    assert "the champion itself has learned from all" in str(told.value)


@pytest.mark.slow
def test_a_champion_that_cannot_be_read_any_more_is_replaced_uncompared(
    other: Settings, bundles: dict[Task, Bundle], tmp_path: Path
) -> None:
    enter(other, bundles["churn"], tmp_path)
    old = list((tmp_path / "artifacts").rglob("bundle.json"))
    enter(other, bundles["churn"], tmp_path)
    for path in old:
        path.write_text("{}")
    result = call(other)
    assert result.exit_code == 0, result.output
    assert "version 1 cannot be read by this code" in result.output
    assert serving(other) == "2"


@pytest.mark.slow
def test_who_loses_a_race_is_refused(
    other: Settings,
    bundles: dict[Task, Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enter(other, bundles["churn"], tmp_path)
    enter(other, bundles["churn"], tmp_path)
    promote = aliases.promote

    def after_another(*arguments: Any) -> str | None:
        assert promote(*arguments) is None
        return promote(*arguments)

    monkeypatch.setattr(aliases, "promote", after_another)
    result = call(other)
    assert result.exit_code == 1, result.output
    assert "fails: meanwhile another process made version 2 champion" in result.output
    assert serving(other) == "2"


def test_a_lock_can_be_removed(other: Settings) -> None:
    client = registry.open_registry(other).MlflowClient()
    client.create_registered_model("rapport-churn-lock")
    result = call(other, "--unlock")
    assert result.exit_code == 0
    assert result.output == ("rapport-churn: lock removed\nrapport-offers: there was no lock\n")


def test_nothing_to_roll_back_to_is_a_clear_error(other: Settings) -> None:
    result = call(other, "--rollback")
    assert result.exit_code == 2
    assert "no champion before no version" in result.output


@pytest.mark.slow
def test_models_trained_until_an_earlier_moment_are_compared_on_what_came_after(
    other: Settings, history: History
) -> None:
    train = ["churn", "--settings", str(other.path), "--until", "2024-09-15"]
    for alias in ("champion", "challenger"):
        trained = CliRunner().invoke(commands, train)
        assert trained.exit_code == 0, trained.output
        assert f"is {alias}" in trained.output
    again = CliRunner().invoke(commands, ["main", *train[1:], "--if-changed"])
    assert "rapport-churn version 1, champion, is current" in again.output
    result = call(other)
    assert result.exit_code == 0, result.output
    assert "gain +0.000 [+0.000, +0.000]" in result.output
    version = registry.champion(other, "churn")
    assert version is not None
    assert version.version == "2"
    card = aliases.bundle_of(other, version).card
    assert card.trained_until == "2024-09-14T23:00:00Z"
