"""Fitting: the parts of a model over the same rows, and what they count."""

from collections.abc import Mapping, Sequence
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

from features import clock
from training.ensemble import margin_of, merged
from training.linear import Linear
from training.slopes import N_FOLDS, clustered, held_out_loss
from training.straight import MOST_ROWS, fit_linear

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]
MOST_TREES, PATIENCE = 600, 50
SHARES = (0.25, 0.5, 0.75)
MOST_RUNS = 100
FIXED: dict[str, Any] = {
    "objective": "binary",
    "max_cat_to_onehot": 8,
    "cat_smooth": 50.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class Fitting:
    """The parts of a fit over the same rows."""

    def __init__(
        self,
        matrix: Float64,
        label: Int8,
        weight: Float64,
        instant: npt.NDArray[np.int64],
        names: Sequence[str] | None,
        categorical: Sequence[int],
        chosen: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.matrix, self.label, self.weight, self.instant = matrix, label, weight, instant
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
        newest = np.flatnonzero(rows)
        newest = newest[np.argsort(self.instant[newest], kind="stable")][-MOST_ROWS:]
        kept = self.matrix[newest], self.label[newest], self.weight[newest]
        return fit_linear(*kept, self.categorical, self.strength)

    def ahead(
        self, known: Mask, held: Mask, n_trees: int, blend: bool
    ) -> tuple[Float64, Float64 | None]:
        """Return margins of trees and line fitted on known rows, for those held out."""
        rows = taken(self.matrix, held)
        line = self.line(known).margin(rows) if blend and self._both(known) else None
        return margin_of(self.trees(known, n_trees), rows), line

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
            _parts(self.matrix, rows),
            self.label[rows],
            weight=self.weight[rows],
            params=parameters,
            feature_name=self.names,
            categorical_feature=self.categorical,
            free_raw_data=True,
        )
        watched = []
        if stop is not None:
            held = _parts(self.matrix, stop)
            watched = [lgb.Dataset(held, self.label[stop], reference=data)]
        return lgb.train(parameters, data, n_trees, valid_sets=watched, callbacks=list(callbacks))


def _parts(matrix: Float64, rows: Mask) -> list[Float64]:
    """Return rows as slices of their matrix: a fit then holds their bins, and no copy.

    Rows in order of time come in one run or few; where they come in many, they are copied.
    """
    edges = np.flatnonzero(np.diff(rows, prepend=False, append=False))
    if len(edges) > 2 * MOST_RUNS:
        return [matrix[rows]]
    return [matrix[begin:end] for begin, end in edges.reshape(-1, 2)]


def taken(matrix: Float64, rows: Mask) -> Float64:
    """Return rows of a matrix; without a copy where they come in one run."""
    parts = _parts(matrix, rows)
    return parts[0] if len(parts) == 1 else matrix[rows]


def labels_of(y: npt.ArrayLike) -> Int8:
    """Return labels as small integers; raises ValueError unless all are 0 or 1."""
    label = np.asarray(y)
    if not np.isin(label, (0, 1)).all():
        raise ValueError(f"labels: got {np.unique(label)[:5]}; wanted 0 and 1. Map them first.")
    return label.astype(np.int8)


def weights_of(instant: npt.NDArray[np.int64], known: Mask, half_life: float) -> Float64:
    """Return what each row counts; the rows to learn from count 1 on average.

    Nothing hangs on the rows that are not learned from, so that a test stays one.
    """
    weight = np.ones(len(instant))
    if half_life > 0 and known.any():
        age = (instant[known].max() - instant[known]) / (half_life * clock.DAY)
        weight[known] = 0.5**age / np.mean(0.5**age)
    return weight


def share_of_line(
    trees: Float64, line: Float64, label: Int8, group: npt.NDArray[Any], errors: float
) -> float:
    """Return the line's share of the margin: none, unless it helps other customers.

    The gain in log loss must exceed so many of its standard errors, clustered by customer.
    """
    if len(np.unique(group)) < N_FOLDS:
        return 0.0
    alone = held_out_loss(trees, label, group)
    best, most = 0.0, 0.0
    for share in SHARES:
        blended = held_out_loss((1.0 - share) * trees + share * line, label, group)
        if alone is None or blended is None:
            return 0.0
        gain, error = clustered(alone - blended, group)
        if gain > max(most, errors * error):
            best, most = share, gain
    return best
