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
from training.linear import MOST_CODES, MOST_ROWS, codes_in, signed_log

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
    matrix, label = matrix[-MOST_ROWS:], label[-MOST_ROWS:]
    codes = [
        list(range(codes_in(column))) if category and codes_in(column) <= MOST_CODES else []
        for column, category in zip(matrix.T, plan.categories, strict=True)
    ]
    return _logistic(_wide(plan, codes, matrix), label, _wide(plan, codes, test))


BASELINES: dict[str, Baseline] = {"recency": recency, "rfm": rfm, "logistic": logistic}


def _wide(plan: Plan, codes: list[list[int]], matrix: Float64) -> Float64:
    columns = []
    for j, category in enumerate(plan.categories):
        column = matrix[:, [j]]
        if category:
            columns.append((column == np.array(codes[j])).astype(np.float64))
        else:
            columns.append(_logs(column))
    return np.hstack(columns)


def _logs(column: Float64) -> Float64:
    """Return signed logarithms, missing as 0, and beside them whether they are missing."""
    missing = np.isnan(column)
    filled = np.where(missing, 0.0, column)
    return np.hstack([signed_log(filled), missing.astype(np.float64)])


def _logistic(matrix: Float64, label: Int8, test: Float64) -> Float64:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(matrix, label)
    return np.asarray(model.predict_proba(test)[:, 1], dtype=np.float64)
