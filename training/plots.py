"""Plots of a trained model, as figures without a display."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.evaluation import Tested, calibration_bins
from training.money import ProfitCurve
from training.slices import Slice

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
"""Colours that the colour-blind can tell apart (Okabe and Ito)."""
MOST_SIGNALS = 15


def calibration_plot(tested: Tested, title: str) -> Figure:
    """Draw the observed share against the predicted probability, over 10 bins of equal mass."""
    predicted, observed, size = calibration_bins(tested.label, tested.predictions["model"])
    spread = 1.96 * np.sqrt(observed * (1 - observed) / size)
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    top = float(max(predicted.max(), (observed + spread).max())) * 1.05
    axes.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1, label="perfect")
    axes.errorbar(
        predicted,
        observed,
        yerr=spread,
        fmt="o-",
        color=BLUE,
        capsize=3,
        label="model, with 95 % interval",
    )
    axes.set(
        xlabel="predicted probability",
        ylabel="observed share",
        title=title,
        xlim=(0, top),
        ylim=(0, top),
    )
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def profit_plot(profit: ProfitCurve, currency: str) -> Figure:
    """Draw what contacting the most promising share brings, as expected and as it turned out."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    share = 100 * profit.share
    axes.axhline(0, color=GREY, linewidth=1)
    axes.plot(share, profit.realised, color=BLUE, label="by who left in fact")
    axes.plot(share, profit.expected, color=ORANGE, linestyle="--", label="as expected")
    axes.axvline(100 * profit.best, color=GREY, linestyle=":", linewidth=1.5)
    axes.annotate(
        f"contacting pays for {profit.best:.0%}",
        (100 * profit.best, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        textcoords="offset points",
        color=GREY,
    )
    axes.set(
        xlabel="share of customers contacted, the most promising first (%)",
        ylabel=f"profit a customer of the cohort ({currency})",
        title="What contacting brings, test instants",
        xlim=(0, 100),
    )
    axes.yaxis.label.set_parse_math(False)  # a dollar in the currency is a dollar
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def slices_plot(slices: Sequence[Slice], title: str) -> Figure:
    """Draw of each slice the mean prediction beside what happened; those that differ in orange."""
    figure = Figure(figsize=(9, 0.32 * len(slices) + 1.4), layout="constrained")
    axes = figure.subplots()
    for place, each in enumerate(reversed(slices)):
        color = ORANGE if each.off else BLUE
        axes.plot([100 * each.low, 100 * each.high], [place, place], color=color, linewidth=2)
        axes.plot(100 * each.observed, place, "o", color=color)
        axes.plot(100 * each.predicted, place, "|", color="black", markersize=12)
    names = [f"{each.name}  ({each.rows:,})" for each in reversed(slices)]
    axes.set_yticks(range(len(slices)), names, parse_math=False)  # a dollar there is a dollar
    axes.set(
        xlabel="%: observed with its 95 % interval (dot), predicted (bar)",
        title=title,
        ylim=(-0.7, len(slices) - 0.3),
    )
    axes.set_xlim(left=0)
    axes.grid(axis="x", color=GREY, alpha=0.2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def shap_plot(
    effects: npt.NDArray[np.float64],
    matrix: npt.NDArray[np.float64],
    labels: list[str],
    title: str,
    seed: int = 7,
) -> Figure:
    """Draw the effects of the strongest signals, one dot a row, coloured by the signal's rank.

    Args:
        effects: probability points, shape ``(n, n_signals)``.
        matrix: encoded values, same shape.
        labels: names of the signals.
        title: what is shown.
        seed: of the vertical scatter.
    """
    rng = np.random.default_rng(seed)
    strongest = np.argsort(-np.abs(effects).mean(axis=0))[:MOST_SIGNALS]
    figure = Figure(figsize=(9, 0.42 * len(strongest) + 1.6), layout="constrained")
    axes = figure.subplots()
    dots = None
    for place, j in enumerate(strongest[::-1]):
        scatter = rng.normal(0, 0.12, len(effects))
        dots = axes.scatter(
            100 * effects[:, j],
            place + scatter,
            c=ranks(matrix[:, j]),
            cmap="cividis",
            vmin=0,
            vmax=1,
            s=5,
            linewidths=0,
            alpha=0.6,
            rasterized=True,
        )
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(strongest)), [labels[j] for j in strongest[::-1]])
    axes.set(xlabel="effect on the probability, in percentage points", title=title)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if dots is not None:
        bar = figure.colorbar(dots, ax=axes, ticks=[0, 1], pad=0.02, aspect=40)
        bar.set_ticklabels(["low", "high"])
        bar.set_label("value of the signal")
    return figure


def ranks(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ranks from 0 to 1, missing as NaN (drawn without colour)."""
    ranks = np.full(len(column), np.nan)
    present = ~np.isnan(column)
    values, place = np.unique(column[present], return_inverse=True)
    ranks[present] = place / max(1, len(values) - 1)
    return ranks
