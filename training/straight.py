"""Straight: how the linear part is fitted."""

import math
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.linear import LARGEST, Linear

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
MOST_ROWS = 200_000
"""A straight line needs no more."""
MOST_CODES = 50
"""A category of more adds nothing to the line: it would need a column for each."""
NUMBER, MISSING = -1, -2


def fit_linear(
    matrix: Float64, label: Int8, weight: Float64, categorical: Collection[int], strength: float
) -> Linear:
    """Fit a linear part.

    Args:
        matrix: encoded signals, shape ``(n, n_signals)``.
        label: 0 or 1, shape ``(n,)``; both occur.
        weight: how much each row counts, shape ``(n,)``.
        categorical: which columns are categories.
        strength: the inverse of the L2 penalty on standardised columns.
    """
    n_codes = max([0, *(k for j in categorical if (k := _codes_in(matrix[:, j])) <= MOST_CODES)])
    wide, of, code = _wide(matrix, categorical)
    # By second derivatives: rows are many and columns few, and steps of the first kind stop early.
    logistic_fit = LogisticRegression(C=strength, max_iter=1000, solver="newton-cholesky")
    model = make_pipeline(StandardScaler(), logistic_fit)
    model.fit(wide, label, logisticregression__sample_weight=weight)
    scaler, logistic = model[0], model[1]
    coefficient = logistic.coef_[0] / scaler.scale_
    slope, missing = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    levels = np.zeros((matrix.shape[1], n_codes))
    for a, j, k in zip(coefficient, of, code, strict=True):
        if k == NUMBER:
            slope[j] = a
        elif k == MISSING:
            missing[j] = a
        else:
            levels[j, k] = a
    found = Linear(0.0, slope, missing, levels, np.zeros(matrix.shape[1]))
    mean = found.contributions(matrix).mean(axis=0)
    intercept = float(logistic.intercept_[0] - np.sum(coefficient * scaler.mean_))
    return Linear(intercept + math.fsum(mean), slope, missing, levels, mean)


def _wide(matrix: Float64, categorical: Collection[int]) -> tuple[Float64, list[int], list[int]]:
    """Return the columns to fit, of which signal each is, and what of it: a code, or one above."""
    columns, of, code = [], [], []
    for j in range(matrix.shape[1]):
        column = matrix[:, j]
        absent = np.isnan(column)
        if j in categorical:
            n_codes = _codes_in(column)
            for k in range(n_codes if n_codes <= MOST_CODES else 0):
                columns.append(column == k)
                of.append(j)
                code.append(k)
        else:
            columns.append(_signed_log(np.where(absent, 0.0, column)))
            of.append(j)
            code.append(NUMBER)
        if absent.any():
            columns.append(absent)
            of.append(j)
            code.append(MISSING)
    wide = np.empty((len(matrix), len(columns)))
    for k, column in enumerate(columns):
        wide[:, k] = column
    return wide, of, code


def _signed_log(column: Float64) -> Float64:
    cut = np.clip(column, -LARGEST, LARGEST)
    return np.copysign(np.log1p(np.abs(cut)), cut)


def _codes_in(column: Float64) -> int:
    there = column[~np.isnan(column)]
    return int(there.max()) + 1 if len(there) else 0
