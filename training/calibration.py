"""Calibration: from the ensemble's margin to a probability, strictly increasing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Float64 = npt.NDArray[np.float64]


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
        above, below = parts_of(np.asarray(margin, dtype=np.float64))
        probability: Float64 = expit(self.above * above + self.below * below + self.shift)
        return probability

    def derivative(self, margin: Float64 | float) -> Float64:
        """Return how fast the probability grows with the margin."""
        p, share = self(margin), expit(np.asarray(margin, dtype=np.float64))
        return np.asarray((self.above * share + self.below * (1.0 - share)) * p * (1.0 - p))


def parts_of(margin: Float64) -> tuple[Float64, Float64]:
    """Return what each slope is applied to: two parts of a margin, which add up to it."""
    return np.logaddexp(0.0, margin), -np.logaddexp(0.0, -margin)
