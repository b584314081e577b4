"""Tuning: parameters chosen on windows of time that lie before every test instant."""

import fcntl
import hashlib
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from features.errors import DataError
from features.history import History
from features.settings import Settings
from training import splits
from training.checks import both
from training.dataset import Dataset, churn_dataset, offers_dataset
from training.pipeline import fitted_by
from training.provenance import dataset_digest
from training.recipe import code_digest
from training.registry import Task
from training.slopes import clustered
from training.splits import Split
from training.tasks import Churn, Int64, OfferTask

if TYPE_CHECKING:
    import optuna

Float64 = npt.NDArray[np.float64]
WINDOWS = 3
"""How many instants of customers are tuned on at most; offers have up to six blocks of days."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was found: ``gain`` in log loss over what is stated, and its standard error.

    Both are of the newest window, by which nothing was chosen.
    """

    parameters: dict[str, Any]
    loss: float
    default_loss: float
    gain: float
    error: float
    trials: int

    @property
    def helps(self) -> bool:
        """Whether the gain is more than chance explains."""
        return self.gain > 2.0 * self.error


class Windows:
    """The rows that are tuned on: each window is predicted by a model of what lies before it."""

    def __init__(self, settings: Settings, history: History, task: Task) -> None:
        """Build the data set, and cut its past into windows.

        Raises:
            DataError: the history before the first test instant is too short.
        """
        self.dataset, self.splits = _windows(settings, history, task)
        vocabularies = self.dataset.values.vocabularies()
        self.matrix = self.dataset.values.encode(vocabularies)
        self.digest = dataset_digest(self.dataset, vocabularies)
        rows = np.concatenate([np.flatnonzero(split.test) for split in self.splits])
        self.customer = self.dataset.customer[rows]
        self.until = int(self.dataset.ends[rows].max())
        begins = [int(self.dataset.as_of[split.test].min()) for split in self.splits]
        sizes = [int(split.test.sum()) for split in self.splits]
        self.newest: splits.Mask = np.repeat(np.array(begins) == max(begins), sizes)

    def losses(self, parameters: dict[str, Any]) -> Float64:
        """Return the log loss of each row, by models fitted before its window."""

        def of(split: Split) -> Float64:
            model = fitted_by(self.dataset, self.matrix, split, parameters)
            p = np.clip(model.predict_proba(self.matrix[split.test])[:, 1], 1e-15, 1 - 1e-15)
            label = self.dataset.label[split.test]
            return -np.log(np.where(label == 1, p, 1.0 - p))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(of, self.splits)))


def tune(
    windows: Windows,
    store: Path,
    name: str,
    seconds: float,
    seed: int,
    stated: dict[str, Any],
    tried: Callable[[int, dict[str, Any], float], object],
) -> Tuned:
    """Look for better parameters until the time is over; a study that is there goes on.

    Parameters are chosen by all windows but the newest, and the best is tried once on that: the
    best of many trials is lucky where it was chosen.

    Trial ``n`` is drawn with the seed ``seed + n`` from the complete ones before it: how often a
    search is stopped between two trials and taken up again changes nothing.

    Args:
        windows: what is predicted.
        store: the SQLite file of studies.
        name: of the model; a study is of one data set, code and stated parameters.
        seconds: how long new trials are begun.
        seed: of the search.
        stated: the parameters that training uses now.
        tried: called after each trial with its number, parameters and log loss.
    """
    optuna = _optuna()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    store.parent.mkdir(parents=True, exist_ok=True)
    chosen_by = ~windows.newest
    with _alone(store):
        study = optuna.create_study(
            storage=f"sqlite:///{store}",
            study_name=f"{name}-{windows.digest}-{code_digest()}-{_digest(stated)}-{seed}",
            load_if_exists=True,
        )
        begun, first = time.monotonic(), True
        while first or time.monotonic() - begun < seconds:
            first = False
            study.sampler = optuna.samplers.TPESampler(seed=seed + len(_complete(study)))
            trial = study.ask()
            parameters = stated | _suggested(trial)
            loss = float(windows.losses(parameters)[chosen_by].mean())
            study.tell(trial, loss)
            tried(trial.number, parameters, loss)
        best, trials = study.best_trial.params, len(_complete(study))
    losses, before = windows.losses(stated | best)[windows.newest], windows.losses(stated)
    before = before[windows.newest]
    gain, error = clustered(before - losses, windows.customer[windows.newest])
    return Tuned(
        parameters=best,
        loss=float(losses.mean()),
        default_loss=float(before.mean()),
        gain=gain / len(losses),
        error=error / len(losses),
        trials=trials,
    )


def _digest(stated: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:8]


def _complete(study: "optuna.Study") -> list[Any]:
    complete = _optuna().trial.TrialState.COMPLETE
    found: list[Any] = study.get_trials(deepcopy=False, states=[complete])
    return found


def _optuna() -> Any:
    """Import Optuna where it is used: every command would wait for it, and notebooks hear of it."""
    return importlib.import_module("optuna")


@contextmanager
def _alone(store: Path) -> Iterator[None]:
    """Keep other searches out: two at once would draw the same trials."""
    with store.with_suffix(".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                f"search in '{store}'",
                "another one that is running",
                "one search at a time",
                "Wait for it, or stop it: it goes on where it was.",
            ) from error
        yield


def _suggested(trial: "optuna.Trial") -> dict[str, Any]:
    trial.suggest_float("learning_rate", 0.02, 0.1, log=True)
    trial.suggest_int("num_leaves", 4, 31)
    trial.suggest_int("max_depth", 3, 6)
    trial.suggest_int("min_data_in_leaf", 10, 300, log=True)
    trial.suggest_float("feature_fraction", 0.2, 1.0)
    trial.suggest_float("lambda_l2", 1.0, 100.0, log=True)
    trial.suggest_categorical("extra_trees", [True, False])
    trial.suggest_categorical("half_life", [0.0, 60.0, 120.0, 240.0])
    return dict(trial.params)


def _windows(settings: Settings, history: History, task: Task) -> tuple[Dataset, list[Split]]:
    found: list[Split]
    if task == "churn":
        churn = settings.section("churn", Churn)
        dataset = churn_dataset(history, settings.roles, churn)
        found = _instants(dataset.as_of, churn)
    else:
        dataset = offers_dataset(history, settings.roles, settings.section("offer", OfferTask))
        tests = [begin for begin, _ in splits.episode_splits(dataset.as_of, dataset.ends)]
        early = dataset.ends <= min(tests, default=0)
        found = [split for _, split in splits.episode_splits(dataset.as_of, dataset.ends, early)]
    kept = [split for split in found if both(dataset, split.refit) and both(dataset, split.test)]
    if len(kept) < 2:
        raise DataError(
            f"tuning of the {task} model",
            f"{len(kept)} windows before the first test instant that an earlier model can predict",
            "at least two with rows of both kinds, to choose by and to confirm on",
            "Bring a longer history; the defaults need none.",
        )
    return dataset, kept


def _instants(as_of: Int64, task: Churn) -> list[Split]:
    """Return splits whose tests lie a label window apart, all closed before the first test."""
    span, instants = task.gap_us + task.horizon_us, np.unique(as_of)
    before = min((test for test, _ in splits.churn_splits(as_of, task)), default=0)
    found: list[Split] = []
    for test in instants[::-1].tolist():
        enough = (instants <= test - 3 * span).sum() >= splits.FEWEST_SNAPSHOTS
        if test + span <= before and enough and len(found) < WINDOWS:
            split = splits.churn_split_at(as_of, task, test)
            if split is not None:
                found.append(split)
                before = test
    return found
