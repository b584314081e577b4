"""Evaluation: metrics over test instants, with intervals clustered by customer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training.money import ProfitCurve, Stakes, profit_curve

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]
N_BINS = 10
N_RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Tested:
    """Predictions of rows that were not learned from; arrays of shape ``(n,)``.

    ``predictions`` holds the model's under ``"model"`` and each baseline's under its name;
    ``amount`` is what is at risk with each row, where the settings state it.
    """

    customer: npt.NDArray[np.int64]
    instant: npt.NDArray[np.int64]
    label: Int8
    predictions: Mapping[str, Float64]
    amount: Float64 | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of the model (``metrics``), of it and each baseline (``auc``), and gains with
    their 95 % interval (``gain``: mean, low, high) over each baseline in mean AUC; ``profit`` is
    what contacting those tested would have brought, where the settings state money."""

    metrics: Mapping[str, float]
    auc: Mapping[str, float]
    gain: Mapping[str, tuple[float, float, float]]
    by_instant: Mapping[int, Mapping[str, float]]
    profit: ProfitCurve | None = None


def evaluate(tested: Tested, stakes: Stakes | None = None, seed: int = 7) -> Evaluation:
    """Measure predictions on the test instants together and on each.

    Instants with labels of one class only are left out of the mean AUC.

    Args:
        tested: predictions, with ``amount`` if there are stakes.
        stakes: what a customer and a contact are worth.
        seed: of the resamples.
    """
    model = tested.predictions["model"]
    instants = [t for t in np.unique(tested.instant) if len(np.unique(_at(tested, t))) == 2]
    auc = {
        name: float(
            np.mean([roc_auc_score(_at(tested, t), p[tested.instant == t]) for t in instants])
        )
        for name, p in tested.predictions.items()
    }
    by_instant = {}
    for t in instants:
        label, p = _at(tested, t), model[tested.instant == t]
        by_instant[int(t)] = {
            "auc": float(roc_auc_score(label, p)),
            "average_precision": float(average_precision_score(label, p)),
            "log_loss": float(log_loss(label, p, labels=[0, 1])),
            "ece": calibration_error(label, p),
            "base_rate": float(label.mean()),
            "predicted": float(p.mean()),
        }
    profit = None
    if stakes is not None and tested.amount is not None:
        profit = profit_curve(stakes, tested.label, model, tested.amount)
    return Evaluation(
        metrics={
            "auc": auc["model"],
            "auc_pooled": float(roc_auc_score(tested.label, model)),
            "average_precision": float(average_precision_score(tested.label, model)),
            "log_loss": float(log_loss(tested.label, model)),
            "brier": float(brier_score_loss(tested.label, model)),
            "ece": calibration_error(tested.label, model),
            "lift_top_decile": lift(tested.label, model),
            "base_rate": float(tested.label.mean()),
            "rows": float(len(tested.label)),
            "positives": float(tested.label.sum()),
            **_money(profit),
        },
        auc=auc,
        gain=_gains(tested, instants, auc, seed),
        by_instant=by_instant,
        profit=profit,
    )


def _money(profit: ProfitCurve | None) -> dict[str, float]:
    """Return the share that contacting pays for, and what it brings a customer of the cohort."""
    if profit is None:
        return {}
    expected, realised = profit.at_best
    return {
        "contact_share": profit.best,
        "profit_expected": expected,
        "profit_realised": realised,
        "profit_contacting_all": float(profit.realised[-1]),
    }


def calibration_bins(label: Int8, probability: Float64) -> tuple[Float64, Float64, Float64]:
    """Return mean prediction, observed share and number of rows of 10 bins of equal mass."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, N_BINS) if len(part)]
    return (
        np.array([probability[part].mean() for part in parts]),
        np.array([label[part].mean() for part in parts]),
        np.array([float(len(part)) for part in parts]),
    )


def calibration_error(label: Int8, probability: Float64) -> float:
    """Return the expected calibration error over 10 bins of equal mass.

    Source: Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, 2015.

    >>> calibration_error(np.array([0, 1], dtype=np.int8), np.array([0.25, 0.75]))
    0.25
    """
    predicted, observed, size = calibration_bins(label, probability)
    return float(np.sum(size * np.abs(predicted - observed)) / np.sum(size))


def lift(label: Int8, probability: Float64, share: float = 0.1) -> float:
    """Return how many times more positives the top share holds than a random choice."""
    n = max(1, int(len(label) * share))
    top = np.argsort(-probability, kind="stable")[:n]
    return float(label[top].mean() / label.mean())


def ahead(tested: Tested, name: str) -> str:
    """Return in what a baseline ranks better than the model, in words; empty for nothing.

    AUC apart, whose gain has an interval. These differences have none: chance may make them.
    """
    measures = (("average precision", average_precision_score, 3), ("lift", lift, 1))
    found = []
    for called, measure, digits in measures:
        its, own = (
            round(float(measure(tested.label, tested.predictions[each])), digits)
            for each in (name, "model")
        )
        if its > own:
            found.append(f"{called} ({its:.{digits}f} against {own:.{digits}f})")
    return " and ".join(found)


def _at(tested: Tested, instant: int) -> Int8:
    label: Int8 = tested.label[tested.instant == instant]
    return label


def _gains(
    tested: Tested, instants: list[int], auc: Mapping[str, float], seed: int
) -> dict[str, tuple[float, float, float]]:
    """Return the paired gain in mean AUC over each baseline, resampling whole customers."""
    customer, weights = resamples(tested.customer, seed)
    aucs = {}
    for name, p in tested.predictions.items():
        total = np.zeros(N_RESAMPLES)
        for t in instants:
            rows = tested.instant == t
            total += weighted_aucs(tested.label[rows], p[rows], customer[rows], weights)
        aucs[name] = total / len(instants)
    gains = {}
    for name, values in aucs.items():
        if name != "model":
            gain = aucs["model"] - values
            low, high = np.nanpercentile(gain, [2.5, 97.5])
            gains[name] = (auc["model"] - auc[name], float(low), float(high))
    return gains


def resamples(customer: Int64, seed: int, times: int = N_RESAMPLES) -> tuple[Int64, list[Int64]]:
    """Draw whole customers with replacement, so many times.

    Returns:
        The rows' customers numbered from 0, shape ``(n,)``, and how often each resample holds
        each of them.
    """
    rng = np.random.default_rng(seed)
    _, numbered = np.unique(customer, return_inverse=True)
    n = int(numbered.max()) + 1
    return numbered, [rng.multinomial(n, np.full(n, 1 / n)) for _ in range(times)]


def weighted_aucs(
    label: Int8, probability: Float64, customer: Int64, weights: list[Int64]
) -> Float64:
    """Return the AUC under each resample's weights; NaN where one has labels of one class only."""
    wins, pairs = weighted_pairs(label, probability, customer, weights)
    auc: Float64 = np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return auc


def weighted_pairs(
    label: Int8, probability: Float64, customer: Int64, weights: list[Int64]
) -> tuple[Float64, Float64]:
    """Count the pairs of a positive and a negative row under each resample's weights.

    Returns:
        The pairs that the predictions put in order, a tie as half, and all pairs: the AUC is
        their ratio.
    """
    order = np.argsort(probability, kind="stable")
    label, customer = label[order], customer[order]
    starts = np.flatnonzero(np.r_[True, np.diff(probability[order]) > 0])
    wins, pairs = np.empty(len(weights)), np.empty(len(weights))
    for b, weight in enumerate(weights):
        w = weight[customer].astype(np.float64)
        positive = np.add.reduceat(w * label, starts)
        negative = np.add.reduceat(w * (1 - label), starts)
        below = np.cumsum(negative) - negative
        wins[b] = np.sum(positive * (below + negative / 2))
        pairs[b] = positive.sum() * negative.sum()
    return wins, pairs
