"""The linear part: logistic regression on log signals, whose margin adds up signal by signal."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
LARGEST = 1e100
"""Numbers are cut there, so that one that overflowed adds a finite amount."""


@dataclass(frozen=True, slots=True)
class Linear:
    """What each signal adds to the log-odds.

    A number adds ``slope`` times its signed logarithm ``sign(x) * log(1 + |x|)``, a category what
    ``levels`` says of its code, and what is missing ``missing``. Shapes: ``(n_signals,)``, and
    ``(n_signals, most_codes)`` for ``levels``. ``mean`` is what each adds on average over the rows
    that it was fitted on; ``base`` is the margin where all add their average.
    """

    base: float
    slope: Float64
    missing: Float64
    levels: Float64
    mean: Float64

    def contributions(self, matrix: Float64) -> Float64:
        """Return what each signal adds above its average, shape ``(n, n_signals)``.

        Source: Lundberg and Lee, A unified approach to interpreting model predictions, 2017
        (linear SHAP).
        """
        found = np.empty((len(matrix), len(self.slope)))
        _add_up(matrix, self.slope, self.missing, self.levels, found)
        return found - self.mean

    def margin(self, matrix: Float64) -> Float64:
        """Return the log-odds of encoded rows, shape ``(n,)``; a row's do not hang on others."""
        # One after the other: numpy's sums depend on how many rows there are.
        total = np.cumsum(self.contributions(matrix), axis=1)[:, -1]
        margin: Float64 = self.base + total
        return margin


@njit(cache=True, nogil=True)
def _add_up(
    matrix: Float64, slope: Float64, missing: Float64, levels: Float64, found: Float64
) -> None:
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            x = matrix[i, j]
            if math.isnan(x):
                found[i, j] = missing[j]
            elif slope[j] != 0.0:
                found[i, j] = slope[j] * math.copysign(math.log1p(min(abs(x), LARGEST)), x)
            else:
                # A number without a slope has no levels but zeros.
                code = int(min(max(x, -1.0), levels.shape[1]))
                found[i, j] = levels[j, code] if 0 <= code < levels.shape[1] else 0.0
