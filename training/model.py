"""The model: LightGBM with small trees, stopped early, refitted, calibrated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.plan import Plan
from training.calibration import Calibrator, fit_calibrator, margin_of
from training.splits import Split

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
MOST_TREES, PATIENCE = 600, 50
FEWEST_POSITIVES = 50

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "max_depth": 5,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.4,
    "lambda_l2": 20.0,
    "extra_trees": True,
    "max_cat_to_onehot": 8,
    "cat_smooth": 50.0,
    "seed": 7,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
"""Small trees are better calibrated and cheaper to explain."""
SMALL_DATA: dict[str, Any] = {"min_data_in_leaf": 20, "num_leaves": 7, "max_depth": 4}
"""What changes below ``SMALL`` positives."""
SMALL = 2_000
DEFAULT_TREES = 150


@dataclass(frozen=True, slots=True)
class Fitted:
    """An ensemble with its calibrator."""

    booster: lgb.Booster
    calibrator: Calibrator
    parameters: Mapping[str, Any]

    def predict(self, matrix: Float64) -> Float64:
        """Return the probabilities of encoded rows, shape ``(n,)``."""
        return self.calibrator(margin_of(self.booster, matrix))


def fit(plan: Plan, matrix: Float64, label: Int8, group: npt.ArrayLike, split: Split) -> Fitted:
    """Fit by a split: stop early on one part, calibrate on a later one, refit on all.

    The calibrator is fitted on margins of an ensemble that has not seen the rows; the ensemble
    returned has also learned from them, with the same number of trees.

    Args:
        plan: names the columns and says which are categories.
        matrix: encoded signals, shape ``(n, n_signals)``.
        label: 0 or 1, shape ``(n,)``.
        group: the customer of each row.
        split: which rows train, stop, calibrate and refit.
    """
    group = np.asarray(group)
    parameters = dict(PARAMETERS)
    if label[split.train].sum() < SMALL:
        parameters |= SMALL_DATA
    n_trees = DEFAULT_TREES
    if label[split.stop].sum() >= FEWEST_POSITIVES:
        stopped = _train(plan, matrix, label, split.train, parameters, MOST_TREES, split.stop)
        n_trees = max(20, stopped.best_iteration)
    before = _train(plan, matrix, label, split.train | split.stop, parameters, n_trees)
    calibrator = Calibrator()
    if label[split.calibrate].sum() >= FEWEST_POSITIVES:
        margin = margin_of(before, matrix[split.calibrate])
        calibrator = fit_calibrator(margin, label[split.calibrate], group[split.calibrate])
    booster = _train(plan, matrix, label, split.refit, parameters, n_trees)
    return Fitted(booster, calibrator, parameters | {"trees": booster.num_trees()})


def _train(
    plan: Plan,
    matrix: Float64,
    label: Int8,
    rows: npt.NDArray[np.bool_],
    parameters: Mapping[str, Any],
    n_trees: int,
    stop: npt.NDArray[np.bool_] | None = None,
) -> lgb.Booster:
    options: dict[str, Any] = {
        "feature_name": plan.names,
        "categorical_feature": [i for i, c in enumerate(plan.categories) if c],
        "free_raw_data": True,
    }
    data = lgb.Dataset(matrix[rows], label[rows], params=dict(parameters), **options)
    watched: Sequence[lgb.Dataset] = ()
    callbacks = []
    if stop is not None:
        watched = [lgb.Dataset(matrix[stop], label[stop], reference=data)]
        callbacks = [lgb.early_stopping(PATIENCE, verbose=False)]
    return lgb.train(dict(parameters), data, n_trees, valid_sets=list(watched), callbacks=callbacks)
