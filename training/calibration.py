"""Calibration: from the ensemble's margin to a probability, strictly increasing."""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold

Float64 = npt.NDArray[np.float64]
N_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Calibrator:
    """``probability = 1 / (1 + exp(-(slope * margin + intercept)))``, slope above zero.

    Source: Platt, Probabilistic outputs for support vector machines, 1999.

    >>> float(Calibrator()(0.0))
    0.5
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, margin: Float64 | float) -> Float64:
        """Return the probabilities of margins (log-odds), of any shape."""
        probability: Float64 = expit(self.slope * np.asarray(margin) + self.intercept)
        return probability

    def derivative(self, margin: Float64 | float) -> Float64:
        """Return how fast the probability grows with the margin."""
        p = self(margin)
        return np.asarray(self.slope * p * (1.0 - p))


def margin_of(booster: lgb.Booster, matrix: Float64) -> Float64:
    """Return the ensemble's margins (log-odds) of encoded rows, shape ``(n,)``."""
    margin = booster.predict(matrix, raw_score=True, num_threads=1)
    return np.asarray(margin, dtype=np.float64)


def fit_calibrator(
    margin: Float64, label: npt.NDArray[np.int8], group: npt.ArrayLike
) -> Calibrator:
    """Fit a calibrator, and keep it only if it helps on customers that it was not fitted on.

    Args:
        margin: log-odds of rows the ensemble did not learn from, shape ``(n,)``.
        label: 0 or 1, shape ``(n,)``.
        group: the customer of each row.

    Returns:
        The fitted calibrator, or the identity where it does not lower the log loss.
    """
    if len(np.unique(label)) < 2 or len(np.unique(group)) < N_FOLDS:
        return Calibrator()
    fitted = _platt(margin, label)
    if fitted.slope <= 0:
        return Calibrator()
    held_out = np.empty_like(margin)
    for rest, part in GroupKFold(N_FOLDS).split(margin, label, group):
        if len(np.unique(label[rest])) < 2:
            return Calibrator()
        held_out[part] = _platt(margin[rest], label[rest])(margin[part])
    helps = log_loss(label, held_out, labels=[0, 1]) < log_loss(
        label, Calibrator()(margin), labels=[0, 1]
    )
    return fitted if helps else Calibrator()


def _platt(margin: Float64, label: npt.NDArray[np.int8]) -> Calibrator:
    model = LogisticRegression(C=1e6).fit(margin.reshape(-1, 1), label)
    return Calibrator(float(model.coef_[0, 0]), float(model.intercept_[0]))
