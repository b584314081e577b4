"""Baselines: what a model must beat to be worth its trouble."""

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.catalog import RECENCY
from features.plan import Plan
from training.straight import MOST_ROWS, fit_linear

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
STRENGTH = 0.1
"""Inverse of the penalty that a person would take who does not look for a better one."""
Baseline = Callable[[Plan, Float64, Int8, Float64], Float64]


def recency(plan: Plan, matrix: Float64, label: Int8, test: Float64) -> Float64:
    """Probabilities from the days since the last value interaction alone."""
    column = [plan.names.index(RECENCY)]
    return _logistic([], matrix[:, column], label, test[:, column])


def rfm(plan: Plan, matrix: Float64, label: Int8, test: Float64) -> Float64:
    """Probabilities of an untuned LightGBM on recency, frequency and monetary value."""
    columns = [
        i
        for i, s in enumerate(plan.signals)
        if s.role == "value" and (s.name == RECENCY or s.measure == "count" or s.column == "amount")
    ]
    model = lgb.train(
        {
            "objective": "binary",
            "seed": 7,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        },
        lgb.Dataset(matrix[:, columns], label),
    )
    # LightGBM keeps one number of threads for the whole process: left open here, it would change
    # under another fit that is filling its bins, which crashes.
    return np.asarray(model.predict(test[:, columns], num_threads=1), dtype=np.float64)


def logistic(plan: Plan, matrix: Float64, label: Int8, test: Float64) -> Float64:
    """Probabilities of logistic regression on log signals and one-hot categories."""
    categorical = [j for j, category in enumerate(plan.categories) if category]
    return _logistic(categorical, matrix[-MOST_ROWS:], label[-MOST_ROWS:], test)


BASELINES: dict[str, Baseline] = {"recency": recency, "rfm": rfm, "logistic": logistic}


def _logistic(categorical: list[int], matrix: Float64, label: Int8, test: Float64) -> Float64:
    line = fit_linear(matrix, label, np.ones(len(label)), categorical, STRENGTH)
    return np.asarray(expit(line.margin(test)))
