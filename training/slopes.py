"""Slopes: how calibrators are fitted, and whether they help."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold

from training.calibration import Calibrator, parts_of

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
N_FOLDS = 5
MANY, FEWEST_ABOVE = 1_000, 50
"""Positives from which on a second slope can be told from the first, and those above even odds."""


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


def _fit(margin: Float64, label: Int8, bent: bool) -> Calibrator:
    columns = np.column_stack(parts_of(margin)) if bent else margin.reshape(-1, 1)
    scale = np.maximum(columns.std(axis=0), 1e-12)
    model = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(columns / scale, label)
    slopes = [float(slope) for slope in model.coef_[0] / scale]
    return Calibrator(slopes[0], slopes[-1], float(model.intercept_[0]))
