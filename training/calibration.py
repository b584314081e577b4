"""Calibration: from the ensemble's margin to a probability, strictly increasing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
N_FOLDS = 5
MANY = 1_000
"""Positives from which on a second slope can be told from the first."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """From log-odds ``f`` to the log-odds ``above * log(1 + e^f) - below * log(1 + e^-f) + shift``.

    ``above`` and ``below`` are the slopes far above and far below even odds, both above zero; where
    they are equal this is Platt's ``slope * f + shift``.

    Sources: Platt, Probabilistic outputs for support vector machines, 1999; Kull, Silva Filho and
    Flach, Beta calibration, 2017.

    >>> float(Calibrator()(0.0))
    0.5
    """

    above: float = 1.0
    below: float = 1.0
    shift: float = 0.0

    def __call__(self, margin: Float64 | float) -> Float64:
        """Return the probabilities of margins (log-odds), of any shape."""
        above, below = _bent(np.asarray(margin, dtype=np.float64))
        probability: Float64 = expit(self.above * above + self.below * below + self.shift)
        return probability

    def derivative(self, margin: Float64 | float) -> Float64:
        """Return how fast the probability grows with the margin."""
        p, share = self(margin), expit(np.asarray(margin, dtype=np.float64))
        return np.asarray((self.above * share + self.below * (1.0 - share)) * p * (1.0 - p))


def fit_calibrator(margin: Float64, label: Int8, group: npt.ArrayLike) -> Calibrator:
    """Fit a calibrator, and keep it only if it helps on customers that it was not fitted on.

    Args:
        margin: log-odds of rows the ensemble did not learn from, shape ``(n,)``.
        label: 0 or 1, shape ``(n,)``.
        group: the customer of each row.

    Returns:
        Of the identity, one slope and (from ``MANY`` positives on) two slopes, the one with the
        least log loss on held-out customers.
    """
    if len(np.unique(label)) < 2 or len(np.unique(group)) < N_FOLDS:
        return Calibrator()
    found, least = Calibrator(), log_loss(label, Calibrator()(margin), labels=[0, 1])
    for bent in (False, True)[: 1 + (label.sum() >= MANY)]:
        fitted, loss = _fit(margin, label, bent), held_out_loss(margin, label, group, bent)
        if min(fitted.above, fitted.below) > 0 and loss is not None and loss.mean() < least:
            found, least = fitted, float(loss.mean())
    return found


def held_out_loss(
    margin: Float64, label: Int8, group: npt.ArrayLike, bent: bool = False
) -> Float64 | None:
    """Return each row's log loss by a calibrator fitted on other customers, shape ``(n,)``.

    ``None`` where the rest of the rows has labels of one class only.
    """
    held_out = np.empty_like(margin)
    for rest, part in GroupKFold(N_FOLDS).split(margin, label, group):
        if len(np.unique(label[rest])) < 2:
            return None
        held_out[part] = _fit(margin[rest], label[rest], bent)(margin[part])
    right = np.where(label == 1, held_out, 1.0 - held_out)
    loss: Float64 = -np.log(np.clip(right, 1e-15, 1.0))
    return loss


def _bent(margin: Float64) -> tuple[Float64, Float64]:
    """Return the two parts of a margin, which add up to it."""
    return np.logaddexp(0.0, margin), -np.logaddexp(0.0, -margin)


def _fit(margin: Float64, label: Int8, bent: bool) -> Calibrator:
    columns = np.column_stack(_bent(margin)) if bent else margin.reshape(-1, 1)
    model = LogisticRegression(C=1e6).fit(columns, label)
    slopes = [float(slope) for slope in model.coef_[0]]
    return Calibrator(slopes[0], slopes[-1], float(model.intercept_[0]))
