"""The model: small LightGBM trees, beside them a straight line where it helps, calibrated."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from training.calibration import Calibrator
from training.ensemble import Ensemble
from training.fitting import FIXED, Fitting, labels_of, share_of_line, weights_of
from training.slopes import fit_calibrator
from training.splits import Split, split_in_order

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]
FEWEST_TREES, DEFAULT_TREES = 20, 150
FEWEST_POSITIVES = 50
SMALL = 2_000
"""Positives below which trees are smaller, several seeds are merged, and the line is stiffer."""
# Small trees are better calibrated and cheaper to explain.
LARGE_DATA: dict[str, Any] = {
    "num_leaves": 15,
    "max_depth": 5,
    "min_data_in_leaf": 100,
    "n_seeds": 1,
    "line_strength": 0.01,
}
SMALL_DATA: dict[str, Any] = {
    "num_leaves": 7,
    "max_depth": 4,
    "min_data_in_leaf": 20,
    "n_seeds": 3,
    "line_strength": 0.003,
}


class Propensity(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The probability of an event, from encoded signals: a scikit-learn classifier.

    Parameters that are ``None`` follow from how many positives there are to learn from.

    Args:
        learning_rate: LightGBM's, as are the next six.
        num_leaves: of a tree.
        max_depth: of a tree.
        min_data_in_leaf: rows.
        feature_fraction: the share of signals that a tree may look at.
        lambda_l2: the penalty on leaves.
        extra_trees: whether thresholds are drawn at random.
        n_seeds: how many ensembles are averaged, merged into one booster.
        half_life: days after which a row counts half as much, 0 for never.
        blend: whether a linear part is added where it helps.
        line_strength: inverse of the linear part's L2 penalty.
        seed: the first seed.

    Attributes:
        ensemble_: the fitted trees and, if it helps, the linear part.
        calibrator_: from margins to probabilities.
        parameters_: what the fit came to use.
        classes_: 0 and 1.
    """

    def __init__(
        self,
        *,
        learning_rate: float = 0.04,
        num_leaves: int | None = None,
        max_depth: int | None = None,
        min_data_in_leaf: int | None = None,
        feature_fraction: float = 0.4,
        lambda_l2: float = 20.0,
        extra_trees: bool = True,
        n_seeds: int | None = None,
        half_life: float = 0.0,
        blend: bool = True,
        line_strength: float | None = None,
        seed: int = 7,
    ) -> None:
        """Keep the parameters, as scikit-learn wants them."""
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_data_in_leaf = min_data_in_leaf
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.extra_trees = extra_trees
        self.n_seeds = n_seeds
        self.half_life = half_life
        self.blend = blend
        self.line_strength = line_strength
        self.seed = seed

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        names: Sequence[str] | None = None,
        categorical: Sequence[int] = (),
        groups: npt.ArrayLike | None = None,
        as_of: npt.ArrayLike | None = None,
        split: Split | None = None,
    ) -> Self:
        """Fit: stop early on one part, blend and calibrate on a later one, refit on all.

        The share of the linear part and the calibrator are fitted on margins of models that have
        not seen the rows; the ensemble kept has also learned from them, by as many trees. Where
        positives are few, the part that could be left for that is too small to be alike: then
        trees are not stopped, and margins come from five models that each left out a fifth of the
        customers.

        Args:
            X: encoded signals, shape ``(n, n_signals)``; missing is NaN, a category a code.
            y: 0 or 1, shape ``(n,)``.
            names: of the columns.
            categorical: which columns are categories.
            groups: the customer of each row; by default each row is one.
            as_of: the instant of each row, microseconds; by default rows come in order of time.
            split: which rows train, stop, calibrate and refit; by default the newest quarter
                calibrates and the quarter before it stops.
        """
        matrix, label = np.asarray(X, dtype=np.float64), labels_of(y)
        self.classes_, self.n_features_in_ = np.array([0, 1]), matrix.shape[1]
        instant = np.arange(len(label)) if as_of is None else np.asarray(as_of, dtype=np.int64)
        group = np.arange(len(label)) if groups is None else np.asarray(groups)
        split = split or split_in_order(instant)
        chosen = self._chosen(int(label[split.refit].sum()))
        weight = weights_of(instant, split.refit, chosen["half_life"])
        fitting = Fitting(matrix, label, weight, instant, names, categorical, chosen, self.seed)
        small = label[split.refit].sum() < SMALL
        small |= label[split.calibrate].sum() < FEWEST_POSITIVES
        n_trees, held = DEFAULT_TREES, split.calibrate
        if small:
            held = split.refit
            trees, line = fitting.crossed(held, group, n_trees, self.blend)
        else:
            if label[split.stop].sum() >= FEWEST_POSITIVES:
                n_trees = max(FEWEST_TREES, fitting.trees_to_stop(split.train, split.stop))
            trees, line = fitting.ahead(split.train | split.stop, held, n_trees, self.blend)
        share, self.calibrator_ = 0.0, Calibrator()
        if label[held].sum() >= FEWEST_POSITIVES:
            outcome, customer = label[held], group[held]
            if line is not None:
                share = share_of_line(trees, line, outcome, customer, errors=0.0 if small else 1.0)
                trees = (1.0 - share) * trees + share * line
            self.calibrator_ = fit_calibrator(trees, outcome, customer)
        booster = fitting.trees(split.refit, n_trees)
        self.ensemble_ = Ensemble(booster, fitting.line(split.refit) if share else None, share)
        found = {"trees": booster.num_trees(), "line_share": share}
        self.parameters_: Mapping[str, Any] = FIXED | chosen | {"seed": self.seed} | found
        return self

    def decision_function(self, X: npt.ArrayLike) -> Float64:
        """Return the log-odds before calibration, shape ``(n,)``."""
        return self.ensemble_.margin(np.asarray(X, dtype=np.float64))

    def predict_proba(self, X: npt.ArrayLike) -> Float64:
        """Return the probabilities of 0 and of 1, shape ``(n, 2)``."""
        p = self.calibrator_(self.decision_function(X))
        return np.column_stack([1.0 - p, p])

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return whether 1 is at least as likely as 0, shape ``(n,)``."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)

    def _chosen(self, positives: int) -> dict[str, Any]:
        """Return the parameters, those left open by how many positives there are."""
        given = {k: v for k, v in self.get_params().items() if k not in ("seed", "blend")}
        by_size = SMALL_DATA if positives < SMALL else LARGE_DATA
        return {k: by_size.get(k) if v is None else v for k, v in given.items()}
