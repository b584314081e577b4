"""Curves of the report: what a model finds, and how right and how steady it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from features import clock
from training.evaluation import Int8, Tested, calibration_bins
from training.money import ProfitCurve
from training.slices import wilson
from training.svg import FOURTH, MODEL, MUTED, SECOND, THIRD

Float64 = npt.NDArray[np.float64]
SIZE = (5.0, 3.6)
POINTS = 400
"""Of a curve: more than a screen shows."""
LINES: dict[str, dict[str, Any]] = {
    "model": {"color": MODEL, "linewidth": 2.2, "zorder": 4},
    "recency": {"color": FOURTH, "linestyle": ":", "linewidth": 1.8},
    "rfm": {"color": SECOND, "linestyle": "--", "linewidth": 1.4},
    "logistic": {"color": THIRD, "linestyle": "-.", "linewidth": 1.4},
}
OTHER: dict[str, Any] = {"color": MUTED, "linestyle": (0, (5, 1)), "linewidth": 1.4}
NAMES = {"recency": "recency only", "rfm": "RFM LightGBM", "logistic": "logistic regression"}


def roc_plot(tested: Tested) -> Figure:
    """Draw the share of positives found against the share of others taken along."""
    figure, axes = _axes()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1)
    for name, p in tested.predictions.items():
        others, found, _ = roc_curve(tested.label, p)
        _line(axes, 100 * others, 100 * found, name)
    axes.set(xlabel="others taken along (%)", ylabel="positives found (%)", xlim=(0, 100))
    axes.set_ylim(0, 101)
    axes.legend(loc="lower right")
    return figure


def precision_plot(tested: Tested) -> Figure:
    """Draw the share of positives among those chosen against the share of positives found."""
    figure, axes = _axes()
    rate = 100 * float(tested.label.mean())
    axes.axhline(rate, color=MUTED, linewidth=1)
    top = rate
    for name, p in tested.predictions.items():
        precision, recall, _ = precision_recall_curve(tested.label, p)
        few = recall < 0.01  # a handful of rows: the curve jumps there and says nothing
        top = max(top, 100 * float(precision[~few].max()))
        _line(axes, 100 * recall[~few], 100 * precision[~few], name)
    axes.set(xlabel="positives found (%)", ylabel="positives among those chosen (%)", xlim=(0, 100))
    axes.set_ylim(0, min(101, 1.3 * top))
    axes.legend(loc="upper right")
    return figure


def calibration_curve(tested: Tested) -> Figure:
    """Draw observed shares with their intervals over predicted ones; below, how many have them."""
    p = tested.predictions["model"]
    predicted, observed, _ = calibration_bins(tested.label, p)
    order = np.array_split(np.argsort(p, kind="stable"), len(predicted))
    ends = [
        wilson(float(share), len(np.unique(tested.customer[rows])))
        for share, rows in zip(observed, order, strict=True)
    ]
    low, high = 100 * np.array(ends).T
    figure = Figure(figsize=SIZE, layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    top = max(float(100 * predicted.max()), float(high.max())) * 1.04
    axes.plot([0, top], [0, top], color=MUTED, linewidth=1)
    spread = np.maximum(0.0, [100 * observed - low, high - 100 * observed])
    axes.errorbar(
        100 * predicted, 100 * observed, yerr=spread, fmt="o-", color=MODEL, capsize=2, markersize=4
    )
    axes.set(ylabel="observed (%)", xlim=(0, top), ylim=(0, top))
    below.hist(100 * np.minimum(p, top / 100), bins=40, range=(0, top), color=MODEL, alpha=0.5)
    below.set(xlabel="predicted (%)", ylabel="rows")
    below.yaxis.set_major_locator(MaxNLocator(2))
    below.yaxis.set_major_formatter("{x:,.0f}")
    return figure


def gains_plot(tested: Tested) -> Figure:
    """Draw the share of positives among the highest probabilities, against how many are taken."""
    figure, axes = _axes()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1)
    rate = 100 * float(tested.label.mean())
    axes.plot([0, rate, 100], [0, 100, 100], color=MUTED, linewidth=1, linestyle=(0, (1, 1)))
    for name, p in tested.predictions.items():
        taken, found = gains(tested.label, p)
        _line(axes, 100 * taken, 100 * found, name)
    axes.set(xlabel="rows taken, the highest first (%)", ylabel="positives found (%)")
    axes.set(xlim=(0, 100), ylim=(0, 101))
    axes.legend(loc="lower right")
    return figure


def gains(label: Int8, probability: Float64) -> tuple[Float64, Float64]:
    """Return the shares of rows taken, highest first, and of the positives found among them.

    >>> gains(np.array([1, 0, 0, 1], dtype=np.int8), np.array([0.9, 0.8, 0.2, 0.1]))[1].tolist()
    [0.0, 0.5, 0.5, 0.5, 1.0]
    """
    order = np.argsort(-probability, kind="stable")
    found = np.concatenate(([0.0], np.cumsum(label[order]) / label.sum()))
    return np.arange(len(found)) / len(label), found


def profit_curves(profit: ProfitCurve, currency: str) -> Figure:
    """Draw what contacting the most promising share brings, as expected and as it turned out."""
    figure, axes = _axes()
    share = 100 * profit.share
    axes.axhline(0, color=MUTED, linewidth=1)
    axes.plot(*_thinned(share, profit.realised), label="as it turned out", **LINES["model"])
    axes.plot(*_thinned(share, profit.expected), label="as expected", **LINES["rfm"])
    axes.axvline(100 * profit.best, color=MUTED, linewidth=1, linestyle="--")
    axes.set(
        xlabel="customers contacted, the most promising first (%)",
        ylabel=f"{currency or 'money'} a customer of the cohort",
        xlim=(0, 100),
    )
    axes.legend(loc="lower left")
    return figure


def stability_plot(
    tested: Tested, by_instant: Mapping[int, Mapping[str, float]], zone: str
) -> Figure:
    """Draw the AUC of the model and of each baseline at every test instant."""
    figure, axes = _axes()
    instants = sorted(by_instant)
    when = clock.utc_to_local(np.array(instants), zone).astype("datetime64[us]")
    for name, p in tested.predictions.items():
        rows = [tested.instant == t for t in instants]
        values = [roc_auc_score(tested.label[at], p[at]) for at in rows]
        axes.plot(
            when, values, label=NAMES.get(name, name), marker="o", ms=4, **LINES.get(name, OTHER)
        )
    _date_axis(axes, when)
    axes.set(ylabel="AUC")
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.25 * (high - low), min(1.0, high + 0.02))  # room for the legend
    axes.legend(loc="lower left", ncols=2)
    return figure


def drift_plot(by_instant: Mapping[int, Mapping[str, float]], zone: str) -> Figure:
    """Draw at every test instant the mean prediction and the share of positives."""
    figure, axes = _axes()
    instants = sorted(by_instant)
    when = clock.utc_to_local(np.array(instants), zone).astype("datetime64[us]")
    observed = [100 * by_instant[t]["base_rate"] for t in instants]
    predicted = [100 * by_instant[t]["predicted"] for t in instants]
    axes.plot(when, observed, label="observed", marker="o", ms=4, **LINES["model"])
    axes.plot(when, predicted, label="predicted, mean", marker="s", ms=4, **LINES["rfm"])
    _date_axis(axes, when)
    axes.set(ylabel="positives (%)", ylim=(0, 1.25 * max(*observed, *predicted)))
    axes.legend(loc="upper left", ncols=2)
    return figure


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained")
    return figure, figure.subplots()


def _line(axes: Axes, x: Float64, y: Float64, name: str) -> None:
    axes.plot(*_thinned(x, y), label=NAMES.get(name, name), **LINES.get(name, OTHER))


def _thinned(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Return no more points of a curve than a screen shows, the ends among them."""
    kept = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(np.int64))
    return x[kept], y[kept]


def _date_axis(axes: Axes, when: npt.NDArray[np.datetime64]) -> None:
    few = when[:: (len(when) - 1) // 6 + 1]
    axes.set_xticks(few, [f"{day:%-d %b}" for day in few.tolist()], fontsize=9)
