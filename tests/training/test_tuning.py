"""Tuning: nothing of a test instant is looked at, a search goes on, and luck changes nothing."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from features import clock
from features.errors import DataError, SettingsError
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from tests.shops import write_shop
from training import splits
from training.__main__ import commands
from training.dataset import churn_dataset
from training.parameters import (
    Parameters,
    parameters_for,
    parameters_of,
    parameters_path,
    write_parameters,
)
from training.recipe import recipe_of
from training.tasks import Churn
from training.tuning import Tuned, Windows, tune


class Bowl:
    """Windows whose log loss is least where trees are flat; each row is a customer."""

    digest, customer, newest = "digest", np.arange(40), np.arange(40) >= 20

    def losses(self, parameters: dict[str, Any]) -> npt.NDArray[np.float64]:
        depth = int(parameters.get("max_depth", 5))
        return np.asarray(0.5 + 0.1 * depth + 0.001 * np.arange(40))


class Flat(Bowl):
    """Windows where parameters change nothing but chance."""

    def losses(self, parameters: dict[str, Any]) -> npt.NDArray[np.float64]:
        seed = int(1e6 * parameters.get("learning_rate", 0.0))
        return np.random.default_rng(seed).normal(1.0, 0.1, 40)


def search(
    store: Path, times: int, windows: Bowl | None = None, seed: int = 7
) -> tuple[Tuned, list[Any]]:
    """Take a search up so many times, for one trial each."""
    found, tuned = [], None
    for _ in range(times):
        tuned = tune(
            cast(Windows, windows or Bowl()),
            store,
            "churn",
            0.0,
            seed,
            {},
            lambda number, parameters, loss: found.append((number, parameters, loss)),
        )
    assert tuned is not None
    return tuned, found


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    _, once = search(tmp_path / "one" / "tuning.db", 14)
    _, first = search(tmp_path / "two.db", 5)
    tuned, rest = search(tmp_path / "two.db", 9)
    assert [*first, *rest] == once
    assert tuned.trials == 14
    assert [number for number, *_ in once] == list(range(14))


def test_what_is_better_is_found_and_what_is_luck_is_not_believed(tmp_path: Path) -> None:
    better, _ = search(tmp_path / "bowl.db", 12)
    assert better.parameters["max_depth"] == 3
    assert better.gain == pytest.approx(0.2)
    assert better.helps
    lucky = [search(tmp_path / f"flat {n}.db", 40, Flat(), n)[0] for n in range(4)]
    assert sum(each.helps for each in lucky) <= 1


def test_what_is_stated_never_stands_in_for_what_is_tried(tmp_path: Path) -> None:
    tried: list[dict[str, Any]] = []

    class Watched(Bowl):
        def losses(self, parameters: dict[str, Any]) -> npt.NDArray[np.float64]:
            tried.append(parameters)
            return super().losses(parameters)

    stated = {"half_life": 60.0, "blend": False}
    for _ in range(12):
        tune(
            cast(Windows, Watched()),
            tmp_path / "t.db",
            "churn",
            0.0,
            7,
            stated,
            lambda n, parameters, loss: None,
        )
    assert {0.0, 60.0} < {parameters["half_life"] for parameters in tried}
    assert {parameters["blend"] for parameters in tried} == {False}


def test_two_searches_at_once_are_refused(tmp_path: Path) -> None:
    class Nested(Bowl):
        def losses(self, parameters: dict[str, Any]) -> npt.NDArray[np.float64]:
            with pytest.raises(DataError, match="another one that is running"):
                search(tmp_path / "one.db", 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "one.db", 1, Nested())
    _, after = search(tmp_path / "one.db", 2)
    assert len(after) == 2


def test_windows_are_closed_before_the_first_test_instant(tmp_path: Path) -> None:
    settings = read_settings(write_shop(tmp_path))
    history = read_history(settings)
    task = settings.section("churn", Churn)
    dataset = churn_dataset(history, settings.roles, task)
    first = min(t for t, _ in splits.churn_splits(dataset.as_of, task))
    windows = Windows(settings, history, "churn")
    assert windows.splits
    for split in windows.splits:
        (test,) = np.unique(dataset.as_of[split.test])
        assert test + task.horizon_us <= first
        assert dataset.ends[split.refit].max() <= test
    tested = [int(dataset.as_of[split.test][0]) for split in windows.splits]
    assert (-np.diff(tested) >= task.horizon_us).all()
    offers = Windows(settings, history, "offers")
    tests = [t for t, _ in splits.episode_splits(offers.dataset.as_of, offers.dataset.ends)]
    for split in offers.splits:
        assert offers.dataset.ends[split.test].max() <= min(tests)
        assert offers.dataset.ends[split.refit].max() <= offers.dataset.as_of[split.test].min()


def test_parameters_are_kept_beside_the_settings_and_change_the_recipe(tmp_path: Path) -> None:
    settings = read_settings(write_shop(tmp_path))
    before = recipe_of(settings)
    assert parameters_of(settings, "churn") == {}
    found = {"learning_rate": 0.031, "max_depth": 4, "extra_trees": True, "half_life": 60.0}
    write_parameters(settings, "churn", {"blend": False}, 0)
    write_parameters(settings, "offers", {"num_leaves": 9}, 0)
    write_parameters(settings, "churn", found, 5 * clock.DAY)
    assert parameters_of(settings, "churn") == {"blend": False, **found}
    assert parameters_of(settings, "offers") == {"num_leaves": 9}
    assert parameters_for(settings, "churn", 5 * clock.DAY) == ({"blend": False, **found}, "")
    used, told = parameters_for(settings, "churn", 5 * clock.DAY - 1)
    assert used == {}
    assert "tuned on what happened until 1970-01-06" in told
    assert recipe_of(settings) != before
    parameters_path(settings).unlink()
    assert recipe_of(settings) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[churn]\nmax_deep = 4\n", "max_deep: got an unknown key.*Did you mean 'max_depth'"),
        ("[churn]\nmax_depth = 99\n", "max_depth: got 99; wanted less than or equal to 12"),
        ("[chum]\nmax_depth = 4\n", r"got \[chum\]; wanted a model. Did you mean"),
        ("[churn\n", "a file that is not TOML"),
    ],
)
def test_what_is_no_parameter_is_refused_with_the_remedy(
    tmp_path: Path, text: str, told: str
) -> None:
    settings = read_settings(write_shop(tmp_path))
    parameters_path(settings).write_text(text)
    with pytest.raises(SettingsError, match=rf"(?s)rapport-parameters.toml.*{told}"):
        parameters_of(settings, "churn")


def test_every_parameter_of_the_model_can_be_stated() -> None:
    from training.model import Propensity

    assert set(Parameters.model_fields) - {"tuned_until"} == set(Propensity().get_params())


@pytest.mark.slow
def test_tuning_is_tracked_and_training_reads_what_it_found(
    shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    path = write_shop(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'tracking.db'}")
    call = ["--settings", str(path)]
    result = CliRunner().invoke(commands, ["tune", *call, "--task", "offers", "--minutes", "0"])
    assert result.exit_code == 0, result.output
    assert "1 trial; on the newest window" in result.output
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'tracking.db'}")
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    names = {run.info.run_name: run for run in runs}
    assert set(names) == {"tune offers", "trial 0"}
    parent = names["trial 0"].data.tags["mlflow.parentRunId"]
    assert parent == names["tune offers"].info.run_id
    assert (tmp_path / "var" / "tuning.db").exists()
    write_parameters(read_settings(path), "offers", {"num_leaves": 3, "n_seeds": 1}, 0)
    result = CliRunner().invoke(commands, ["offers", *call])
    assert result.exit_code == 0, result.output
    (trained,) = [run for run in client.search_runs(["1"]) if run.info.run_name == "offers"]
    assert trained.data.params["num_leaves"] == "3"
