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
MANY, FEWEST_ABOVE = 1_000, 50
"""Positives from which on a second slope can be told from the first, and those above even odds."""


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
        One slope where that lowers the log loss of held-out customers, two where that lowers it by
        more than its standard error once more, else the identity.
    """
    if len(np.unique(label)) < 2 or len(np.unique(group)) < N_FOLDS:
        return Calibrator()
    straight, by_straight = _fit(margin, label, False), held_out_loss(margin, label, group)
    if by_straight is None or straight.above <= 0:
        return Calibrator()
    found = Calibrator()
    if by_straight.mean() < log_loss(label, Calibrator()(margin), labels=[0, 1]):
        found = straight
    # Of rare events nearly all margins are negative, where the slope above is not to be seen.
    if label.sum() >= MANY and label[margin > 0].sum() >= FEWEST_ABOVE:
        bent, by_bent = _fit(margin, label, True), held_out_loss(margin, label, group, True)
        if by_bent is not None and min(bent.above, bent.below) > 0:
            gain, error = clustered(by_straight - by_bent, group)
            found = bent if gain > error else found
    return found


def clustered(gains: Float64, group: npt.ArrayLike) -> tuple[float, float]:
    """Return the sum of rows' gains and its standard error, the rows of a customer together."""
    _, customer = np.unique(np.asarray(group), return_inverse=True)
    own = np.bincount(customer, gains)
    return float(own.sum()), float(np.sqrt(np.sum(own * own)))


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
    scale = np.maximum(columns.std(axis=0), 1e-12)
    model = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(columns / scale, label)
    slopes = [float(slope) for slope in model.coef_[0] / scale]
    return Calibrator(slopes[0], slopes[-1], float(model.intercept_[0]))
