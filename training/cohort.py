"""The cohort: for whom a churn model speaks. Training and serving both ask here."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def in_cohort(
    names: Sequence[str],
    matrix: npt.NDArray[np.float64],
    active_signal: str,
    gone_signal: str | None,
) -> npt.NDArray[np.bool_]:
    """Return which rows are of customers who are active and have not left, shape ``(n,)``.

    Args:
        names: the signals, in the order of the columns.
        matrix: their values, shape ``(n, n_signals)``.
        active_signal: counts the value interactions of the last days.
        gone_signal: counts the exits so far; ``None`` where nobody exits for good.
    """
    active: npt.NDArray[np.bool_] = matrix[:, names.index(active_signal)] > 0
    return active if gone_signal is None else active & (matrix[:, names.index(gone_signal)] == 0)
