"""Promotion: whether a challenger may replace the champion, from what both predicted unseen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.evaluation import (
    Float64,
    Int64,
    Tested,
    calibration_error,
    evaluate,
    resamples,
    weighted_pairs,
)

Mask = npt.NDArray[np.bool_]
CHAMPION = "champion"
"""Under this name ``Tested`` holds the champion's predictions; the challenger's are ``model``."""
MARGIN = 0.005
"""AUC that may be lost: refits of one recipe on neighbouring weeks differ by about as much, so
that less would keep an old model for noise, and more would add up over promotions."""
ECE_LIMIT = 0.01
"""A calibration error that no decision notices: one percentage point."""
SLICE_MARGIN = 0.01
"""What a slice may lose, in AUC or in percentage points of calibration / 100: a large trial finds
differences that are certain and too small to matter."""
FEWEST = 30
"""Customers with a positive row, and with a negative one, below which no interval is believed."""
LARGE = 200
"""Customers of a slice that can stop a promotion."""
Gain = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition, in words with its numbers, and whether it holds."""

    holds: bool
    text: str


@dataclass(frozen=True, slots=True)
class SliceGain:
    """What the challenger gains in a slice: mean, low and high.

    ``auc`` within instants; ``calibration`` is by how much nearer its mean prediction is to what
    happened. The intervals hold together at 95 %, over all slices.
    """

    name: str
    customers: int
    auc: Gain
    calibration: Gain

    @property
    def harms(self) -> tuple[str, ...]:
        """What is credibly worse, by more than the margin, in words."""
        both = {"AUC": self.auc, "calibration": self.calibration}
        return tuple(
            f"{self.name}: {what} {_signed(gain)} of {self.customers:,} customers"
            for what, gain in both.items()
            if gain[0] < -SLICE_MARGIN and gain[2] < 0
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings; what was measured, by name; and each large slice."""

    findings: tuple[Finding, ...]
    metrics: Mapping[str, float]
    slices: tuple[SliceGain, ...] = ()

    @property
    def promoted(self) -> bool:
        """Whether every condition holds."""
        return all(finding.holds for finding in self.findings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not, in words; empty where it is promoted."""
        return tuple(finding.text for finding in self.findings if not finding.holds)


def judge(tested: Tested, slices: Mapping[str, Mask], seed: int = 7) -> Verdict:
    """Compare a challenger with the champion on rows that neither has learned from.

    It may replace the champion when it is not worse: the interval of its gain in mean AUC lies
    above ``-MARGIN``, its calibration error is at most the champion's, ``ECE_LIMIT`` or what
    chance shows, and no large slice is harmed.

    Args:
        tested: predictions called ``model`` (the challenger's) and ``champion``.
        slices: which rows each slice holds, by its name.
        seed: of the resamples.
    """
    model, champion = tested.predictions["model"], tested.predictions[CHAMPION]
    lost = np.unique(tested.customer[tested.label == 1])
    kept = np.unique(tested.customer[tested.label == 0])
    sizes = {
        "rows": float(len(tested.label)),
        "customers": float(len(np.unique(tested.customer))),
        "positives": float(tested.label.sum()),
        "instants": float(len(np.unique(tested.instant))),
    }
    if min(len(lost), len(kept)) < FEWEST or not _comparable(tested):
        few = (
            f"too few unseen rows to compare on: {len(lost)} customers with a positive one and "
            f"{len(kept)} with a negative one; wanted {FEWEST} of each, and both at one instant"
        )
        return Verdict((Finding(False, few),), sizes)
    measured = evaluate(tested, seed=seed)
    gain, ece = measured.gain[CHAMPION], measured.metrics["ece"]
    champion_ece = calibration_error(tested.label, champion)
    limit = max(champion_ece, ECE_LIMIT, _chance(model))
    found = _gains(tested, slices, seed)
    return Verdict(
        (
            Finding(
                gain[1] > -MARGIN,
                f"AUC {measured.auc['model']:.3f}, the champion's {measured.auc[CHAMPION]:.3f}: "
                f"gain {_signed(gain)}, wanted above {-MARGIN:+.3f}",
            ),
            Finding(
                ece <= limit,
                f"calibration error {ece:.3f}, the champion's {champion_ece:.3f}: "
                f"wanted at most {limit:.3f}",
            ),
            _slices_finding(found),
        ),
        {
            **sizes,
            "auc.challenger": measured.auc["model"],
            "auc.champion": measured.auc[CHAMPION],
            "gain": gain[0],
            "gain.low": gain[1],
            "gain.high": gain[2],
            "ece.challenger": ece,
            "ece.champion": champion_ece,
            "ece.limit": limit,
        },
        found,
    )


def _signed(gain: Gain) -> str:
    return f"{gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}]"


def _comparable(tested: Tested) -> bool:
    instants = np.unique(tested.instant)
    return any(len(np.unique(tested.label[tested.instant == t])) == 2 for t in instants)


def _chance(probability: Float64) -> float:
    """Return the calibration error that true probabilities stay below 95 times in 100.

    It takes rows as independent; a customer's are not, so that it errs on the strict side.
    """
    parts = [part for part in np.array_split(np.sort(probability), 10) if len(part)]
    spread = np.array([np.sqrt(np.sum(part * (1 - part))) for part in parts])
    drawn = np.abs(np.random.default_rng(7).normal(size=(2_000, len(parts)))) @ spread
    return float(np.quantile(drawn, 0.95) / len(probability))


def _slices_finding(found: tuple[SliceGain, ...]) -> Finding:
    harms = [harm for each in found for harm in each.harms]
    if harms:
        return Finding(False, f"credibly worse in {'; '.join(harms)}")
    if not found:
        return Finding(True, f"no slice has {LARGE} customers: none was compared")
    return Finding(True, f"none of {len(found)} slices of {LARGE} customers or more is harmed")


def _gains(tested: Tested, slices: Mapping[str, Mask], seed: int) -> tuple[SliceGain, ...]:
    """Return the gains of each large slice.

    The intervals are simultaneous: as wide as the largest studentized deviation over all slices
    and both measures in 95 of 100 resamples, which allows for many slices that share customers.

    Source: Romano and Wolf, Exact and approximate stepdown methods for multiple hypothesis
    testing, 2005 (the single step).
    """
    customer, drawn = resamples(tested.customer, seed)
    weights = [np.ones_like(drawn[0]), *drawn]
    large = {name: rows for name, rows in slices.items() if _large(tested, rows)}
    if not large:
        return ()
    draws = np.array(
        [measure(tested, r, customer, weights) for r in large.values() for measure in MEASURES]
    )
    mean, spread = draws[:, 0], draws[:, 1:].std(axis=1)
    off = np.abs(draws[:, 1:] - mean[:, None])
    # equal predictions never differ
    share = np.divide(off, spread[:, None], out=np.zeros_like(off), where=spread[:, None] > 0)
    wide = np.quantile(share.max(axis=0), 0.95) * spread
    gains = [(float(m), float(m - w), float(m + w)) for m, w in zip(mean, wide, strict=True)]
    return tuple(
        SliceGain(name, len(np.unique(tested.customer[rows])), *gains[2 * i : 2 * i + 2])
        for i, (name, rows) in enumerate(large.items())
    )


def _large(tested: Tested, rows: Mask) -> bool:
    customer, label = tested.customer[rows], tested.label[rows]
    classes = [len(np.unique(customer[label == each])) for each in (0, 1)]
    return len(np.unique(customer)) >= LARGE and min(classes) >= FEWEST


def _auc_gain(tested: Tested, rows: Mask, customer: Int64, weights: list[Int64]) -> Float64:
    """Return the gain in AUC under each weight, of pairs within an instant.

    Pairs of all instants count together: a slice may have one class only at some.
    """
    wins, pairs = np.zeros((2, len(weights))), np.zeros(len(weights))
    for t in np.unique(tested.instant[rows]):
        here = rows & (tested.instant == t)
        for k, name in enumerate(("model", CHAMPION)):
            p = tested.predictions[name][here]
            won, of = weighted_pairs(tested.label[here], p, customer[here], weights)
            wins[k] += won
        pairs += of
    gain: Float64 = np.divide(wins[0] - wins[1], pairs, out=np.zeros_like(pairs), where=pairs > 0)
    return gain


def _calibration_gain(tested: Tested, rows: Mask, customer: Int64, weights: list[Int64]) -> Float64:
    """Return by how much nearer the mean prediction is to what happened, under each weight."""
    n = len(weights[0])

    def sums(values: Float64) -> Float64:
        by_customer = np.bincount(customer[rows], weights=values, minlength=n)
        return np.array([weight @ by_customer for weight in weights])

    label, total = tested.label[rows].astype(np.float64), sums(np.ones(int(rows.sum())))
    gaps = [np.abs(sums(tested.predictions[name][rows] - label)) for name in (CHAMPION, "model")]
    gain: Float64 = np.divide(gaps[0] - gaps[1], total, out=np.zeros_like(total), where=total > 0)
    return gain


MEASURES = (_auc_gain, _calibration_gain)
