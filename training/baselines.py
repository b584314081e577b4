"""Baselines: what a model must beat to be worth its trouble."""

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from features.catalog import RECENCY
from features.plan import Plan

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Baseline = Callable[[Plan, Float64, Int8, Float64], Float64]


def recency(plan: Plan, matrix: Float64, label: Int8, test: Float64) -> Float64:
    """Probabilities from the days since the last value interaction alone."""
    column = [plan.names.index(RECENCY)]
    return _logistic(_logs(matrix[:, column]), label, _logs(test[:, column]))


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
    return np.asarray(model.predict(test[:, columns]), dtype=np.float64)


def logistic(plan: Plan, matrix: Float64, label: Int8, test: Float64) -> Float64:
    """Probabilities of logistic regression on log signals and one-hot categories."""
    encoded = _wide(plan, np.vstack([matrix, test]))
    return _logistic(encoded[: len(matrix)], label, encoded[len(matrix) :])


BASELINES: dict[str, Baseline] = {"recency": recency, "rfm": rfm, "logistic": logistic}


def _wide(plan: Plan, matrix: Float64) -> Float64:
    columns = []
    for j, category in enumerate(plan.categories):
        column = matrix[:, [j]]
        if category:
            codes = np.unique(column[~np.isnan(column)])
            columns.append((column == codes).astype(np.float64))
        else:
            columns.append(_logs(column))
    return np.hstack(columns)


def _logs(column: Float64) -> Float64:
    """Return signed logarithms, missing as 0, and beside them whether they are missing."""
    missing = np.isnan(column)
    filled = np.where(missing, 0.0, column)
    return np.hstack([np.sign(filled) * np.log1p(np.abs(filled)), missing.astype(np.float64)])


def _logistic(matrix: Float64, label: Int8, test: Float64) -> Float64:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(matrix, label)
    return np.asarray(model.predict_proba(test)[:, 1], dtype=np.float64)
