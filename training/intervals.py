"""Intervals: how far the metrics could be off, by resampling whole customers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.evaluation import Tested, calibration_error, resamples, weighted_aucs

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
N_RESAMPLES = 200
N_DRAWS = 100
TINY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric, and the 95 % interval where it was resampled."""

    value: float
    low: float | None = None
    high: float | None = None


Measure = Callable[[Float64, Float64, Float64], float]
"""A metric of labels, probabilities and weights, all (n,), sorted by falling probability."""


def average_precision(label: Float64, probability: Float64, weight: Float64) -> float:
    """Return the average precision of weighted rows; ties share one threshold."""
    ends = np.flatnonzero(np.r_[np.diff(probability) < 0, True])
    found, taken = np.cumsum(weight * label)[ends], np.cumsum(weight)[ends]
    precision = found / np.maximum(taken, TINY)
    return float(np.sum(np.diff(found, prepend=0.0) * precision) / found[-1])


def log_loss(label: Float64, probability: Float64, weight: Float64) -> float:
    """Return the mean negative log likelihood of weighted rows."""
    p = np.clip(probability, TINY, 1 - TINY)
    return float(np.average(-np.log(np.where(label > 0, p, 1 - p)), weights=weight))


def brier(label: Float64, probability: Float64, weight: Float64) -> float:
    """Return the mean squared error of weighted rows."""
    return float(np.average((probability - label) ** 2, weights=weight))


def top_lift(label: Float64, probability: Float64, weight: Float64) -> float:
    """Return how many times more positives the top tenth of the weight holds than chance."""
    # The same whole number of rows as ``evaluation.lift`` where each row weighs 1.
    left = np.floor(0.1 * weight.sum()) - (np.cumsum(weight) - weight)
    top = np.clip(left, 0.0, weight) if left[0] > 0 else np.eye(1, len(weight))[0]
    return float(np.average(label, weights=top) / np.average(label, weights=weight))


MEASURES: dict[str, Measure] = {
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "lift_top_decile": top_lift,
}


def estimates(tested: Tested, seed: int = 7) -> Mapping[str, Mapping[str, Estimate]]:
    """Return the metrics of the model, with intervals, and of each baseline.

    Customers are drawn with replacement, each with all of its rows. ``auc`` is the mean over the
    test instants that have both classes; the others are of all rows together.

    Args:
        tested: the predictions.
        seed: of the resamples.
    """
    customer, drawn = resamples(tested.customer, seed, N_RESAMPLES)
    once = [np.ones_like(drawn[0])]
    found: dict[str, dict[str, Estimate]] = {}
    for name, p in tested.predictions.items():
        weights = once + drawn if name == "model" else once
        order = np.argsort(-p, kind="stable")
        label, falling, who = tested.label[order].astype(float), p[order], customer[order]
        found[name] = {"auc": _estimate(_mean_aucs(tested, p, customer, weights))}
        for metric, measure in MEASURES.items():
            values = [measure(label, falling, w[who].astype(float)) for w in weights]
            found[name][metric] = _estimate(np.array(values))
        found[name]["ece"] = Estimate(calibration_error(tested.label, p))
    return found


def error_by_chance(tested: Tested, seed: int = 7) -> float:
    """Return the calibration error that perfect probabilities would have on as many rows.

    Outcomes are drawn from the model's own probabilities, as if each row were independent.
    """
    rng = np.random.default_rng(seed)
    p = tested.predictions["model"]
    draws = [(rng.random(len(p)) < p).astype(np.int8) for _ in range(N_DRAWS)]
    return float(np.mean([calibration_error(draw, p) for draw in draws]))


def _estimate(values: Float64) -> Estimate:
    """Return the first of the values with the interval that the others, if any, span."""
    if len(values) == 1:
        return Estimate(float(values[0]))
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return Estimate(float(values[0]), float(low), float(high))


def _mean_aucs(tested: Tested, p: Float64, customer: Int64, weights: list[Int64]) -> Float64:
    parts = [tested.instant == t for t in np.unique(tested.instant)]
    both = [rows for rows in parts if 0 < tested.label[rows].mean() < 1]
    aucs = [weighted_aucs(tested.label[rows], p[rows], customer[rows], weights) for rows in both]
    return np.asarray(np.mean(aucs, axis=0), dtype=np.float64)
