"""The model: small LightGBM trees, beside them a straight line where it helps, calibrated."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold

from features import clock
from training.calibration import N_FOLDS, Calibrator, fit_calibrator, held_out_loss
from training.ensemble import Ensemble, margin_of, merged
from training.linear import Linear, fit_linear
from training.splits import Split, split_in_order

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]
MOST_TREES, FEWEST_TREES, DEFAULT_TREES, PATIENCE = 600, 20, 150, 50
FEWEST_POSITIVES = 50
SMALL = 2_000
"""Positives below which trees are smaller, several seeds are merged, and the line is stiffer."""
SHARES = (0.25, 0.5, 0.75)
FIXED: dict[str, Any] = {
    "objective": "binary",
    "max_cat_to_onehot": 8,
    "cat_smooth": 50.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
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
        half_life: days after which a row counts half as much, ``None`` for never.
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
        half_life: float | None = None,
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
        matrix, label = np.asarray(X, dtype=np.float64), np.asarray(y).astype(np.int8)
        self.classes_, self.n_features_in_ = np.array([0, 1]), matrix.shape[1]
        instant = np.arange(len(label)) if as_of is None else np.asarray(as_of, dtype=np.int64)
        group = np.arange(len(label)) if groups is None else np.asarray(groups)
        split = split or split_in_order(instant)
        chosen = self._chosen(int(label[split.refit].sum()))
        weight = self._weights(instant, chosen)
        fitting = _Fitting(matrix, label, weight, names, categorical, chosen, self.seed)
        small = label[split.refit].sum() < SMALL
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
                share = _share(trees, line, outcome, customer, errors=0.0 if small else 1.0)
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

    def _weights(self, instant: npt.NDArray[np.int64], chosen: Mapping[str, Any]) -> Float64:
        if chosen["half_life"] is None:
            return np.ones(len(instant))
        age = (instant.max() - instant) / (chosen["half_life"] * clock.DAY)
        return np.asarray(0.5**age)


class _Fitting:
    """The parts of a fit over the same rows."""

    def __init__(
        self,
        matrix: Float64,
        label: Int8,
        weight: Float64,
        names: Sequence[str] | None,
        categorical: Sequence[int],
        chosen: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.matrix, self.label, self.weight = matrix, label, weight
        self.names = list(names) if names is not None else "auto"
        self.categorical = list(categorical)
        self.seeds = range(seed, seed + chosen["n_seeds"])
        self.strength = chosen["line_strength"]
        ours = ("n_seeds", "half_life", "line_strength")
        self.parameters = FIXED | {k: v for k, v in chosen.items() if k not in ours}

    def trees_to_stop(self, train: Mask, stop: Mask) -> int:
        """Return how many trees do best on the rows to stop at."""
        stopping = lgb.early_stopping(PATIENCE, verbose=False)
        booster = self._booster(train, MOST_TREES, self.seeds[0], stop, [stopping])
        return int(booster.best_iteration)

    def trees(self, rows: Mask, n_trees: int) -> lgb.Booster:
        """Return the trees of all seeds as one booster."""
        return merged([self._booster(rows, n_trees, seed) for seed in self.seeds])

    def line(self, rows: Mask) -> Linear:
        """Return the linear part."""
        kept = self.matrix[rows], self.label[rows], self.weight[rows]
        return fit_linear(*kept, self.categorical, self.strength)

    def ahead(
        self, known: Mask, held: Mask, n_trees: int, blend: bool
    ) -> tuple[Float64, Float64 | None]:
        """Return margins of trees and line fitted on known rows, for those held out."""
        rows = self.matrix[held]
        line = self.line(known).margin(rows) if blend and self._both(known) else None
        return margin_of(self._booster(known, n_trees, self.seeds[0]), rows), line

    def crossed(
        self, rows: Mask, group: npt.NDArray[Any], n_trees: int, blend: bool
    ) -> tuple[Float64, Float64 | None]:
        """Return margins of rows, each by models that did not see its customer."""
        places = np.flatnonzero(rows)
        trees, line = np.zeros(len(places)), np.zeros(len(places)) if blend else None
        if len(np.unique(group[places])) < N_FOLDS:
            return trees, None
        folds = GroupKFold(N_FOLDS, shuffle=True, random_state=self.seeds[0])
        for rest, part in folds.split(places, groups=group[places]):
            known, held = np.zeros_like(rows), np.zeros_like(rows)
            known[places[rest]], held[places[part]] = True, True
            trees[part], own = self.ahead(known, held, n_trees, blend)
            if line is None or own is None:
                line = None
            else:
                line[part] = own
        return trees, line

    def _both(self, rows: Mask) -> bool:
        return bool(0 < self.label[rows].sum() < rows.sum())

    def _booster(
        self,
        rows: Mask,
        n_trees: int,
        seed: int,
        stop: Mask | None = None,
        callbacks: Sequence[Any] = (),
    ) -> lgb.Booster:
        parameters = self.parameters | {"seed": seed}
        data = lgb.Dataset(
            self.matrix[rows],
            self.label[rows],
            weight=self.weight[rows],
            params=parameters,
            feature_name=self.names,
            categorical_feature=self.categorical,
            free_raw_data=True,
        )
        watched = []
        if stop is not None:
            watched = [lgb.Dataset(self.matrix[stop], self.label[stop], reference=data)]
        return lgb.train(parameters, data, n_trees, valid_sets=watched, callbacks=list(callbacks))


def _share(
    trees: Float64, line: Float64, label: Int8, group: npt.NDArray[Any], errors: float
) -> float:
    """Return the line's share of the margin: none, unless it helps other customers.

    The gain in log loss must exceed so many of its standard errors, clustered by customer.
    """
    alone = held_out_loss(trees, label, group)
    best, most = 0.0, 0.0
    _, customer = np.unique(group, return_inverse=True)
    for share in SHARES:
        blended = held_out_loss((1.0 - share) * trees + share * line, label, group)
        if alone is None or blended is None:
            return 0.0
        gain = np.bincount(customer, alone - blended)
        if gain.sum() > max(most, errors * float(np.sqrt(np.sum(gain * gain)))):
            best, most = share, float(gain.sum())
    return best
