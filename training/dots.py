"""Plots of effects in the report: what a signal does to the probability of thousands of rows."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.plots import ranks
from training.svg import INK, MUTED

Float64 = npt.NDArray[np.float64]
MOST_CATEGORIES, MOST_LETTERS = 12, 20
FEWEST_OF_CATEGORY = 20
STRIP, BELOW = 0.42, 0.43
"""Inches of a strip, and of the axis under the last one."""
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", ["#2f83c0", "#a59f9a", "#e2701f"])
"""Both ends stand out from white and from black."""


def strip_plot(
    effects: Float64, column: Float64, ordered: bool, limit: float, with_axis: bool
) -> Figure:
    """Draw the effects of one signal, a dot a row, coloured by the rank of its value.

    Args:
        effects: probability points, shape ``(n,)``.
        column: encoded values, shape ``(n,)``; missing is grey.
        ordered: whether values have an order: categories are grey.
        limit: percentage points at the ends of the axis.
        with_axis: whether the axis has numbers.
    """
    # The same place in each strip, whatever is written below it: they are read one under another.
    height = STRIP + (BELOW if with_axis else 0.0)
    figure = Figure(figsize=(5.0, height))
    axes = figure.add_axes((0.02, 1.0 - STRIP / height, 0.96, STRIP / height))
    x = np.clip(100 * effects, -limit, limit)
    level = ranks(column) if ordered else np.full(len(column), np.nan)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    _dots(axes, x, _swarm(x, limit), level, size=3.5)
    axes.set(xlim=(-1.02 * limit, 1.02 * limit), ylim=(-1.15, 1.15), yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelbottom=with_axis)
    if with_axis:
        axes.set_xlabel("effect on the probability (percentage points; more is drawn at the edge)")
    return figure


def dependence_plot(
    effects: Float64, column: Float64, texts: list[str] | None, unit: str
) -> Figure:
    """Draw the effect of one signal over its values, with the mean effect as a line.

    Args:
        effects: probability points, shape ``(n,)``.
        column: encoded values, shape ``(n,)``; missing is drawn apart, on the left.
        texts: the texts of a category by code; ``None`` for numbers.
        unit: of the values.
    """
    figure = Figure(figsize=(5.0, 3.0), layout="constrained")
    axes = figure.subplots()
    y, missing = 100 * effects, np.isnan(column)
    if texts is not None:
        return _by_category(figure, axes, y, column, texts)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    low, high = np.percentile(column[~missing], [0, 99]) if (~missing).any() else (0.0, 1.0)
    width = float(high - low) or 1.0
    x = np.minimum(column, high)
    _dots(axes, x[~missing], y[~missing], ranks(column[~missing]), size=5)
    parts = [
        part for part in np.array_split(np.argsort(x[~missing], kind="stable"), 12) if len(part)
    ]
    middle = [float(np.mean(x[~missing][part])) for part in parts]
    mean = [float(np.mean(y[~missing][part])) for part in parts]
    axes.plot(middle, mean, color=INK, linewidth=1.8)
    if missing.any():
        at = low - 0.1 * width
        spread = np.random.default_rng(7).uniform(-0.02, 0.02, int(missing.sum())) * width
        _dots(axes, at + spread, y[missing], np.full(int(missing.sum()), np.nan), size=5)
        axes.text(at, 1.0, "missing", transform=axes.get_xaxis_transform(), ha="center", fontsize=8)
    axes.set(xlabel=unit, ylabel="effect (points)")
    axes.set_xlim(low - (0.16 if missing.any() else 0.03) * width, high + 0.03 * width)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    return figure


def _by_category(
    figure: Figure, axes: Axes, y: Float64, column: Float64, texts: list[str]
) -> Figure:
    """Draw the effects of categories as rows, the one with the highest mean effect on top."""
    codes, sizes = np.unique(column[~np.isnan(column)], return_counts=True)
    # What only a few have may name them.
    common = codes[np.argsort(-sizes)][np.sort(sizes)[::-1] >= FEWEST_OF_CATEGORY]
    named = {texts[int(code)]: column == code for code in common}
    shown = dict(list(named.items())[:MOST_CATEGORIES])
    if np.isnan(column).any():
        shown["missing"] = np.isnan(column)
    highest = sorted(shown, key=lambda text: float(y[shown[text]].mean()))
    spread = np.random.default_rng(7).uniform(-0.25, 0.25, len(y))
    axes.axvline(0, color=MUTED, linewidth=0.8)
    for place, text in enumerate(highest):
        rows = shown[text]
        _dots(axes, y[rows], place + spread[rows], np.full(int(rows.sum()), np.nan), size=5)
        axes.plot(y[rows].mean(), place, "|", color=INK, markersize=13, markeredgewidth=2)
    cut = [
        text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…" for text in highest
    ]
    axes.set_yticks(range(len(cut)), cut)
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="effect (points)")
    return figure


def _swarm(x: Float64, limit: float) -> Float64:
    """Return heights between -1 and 1 that are the wider the more dots lie at one place."""
    place = np.round(60 * x / limit).astype(np.int64)
    _, which, sizes = np.unique(place, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    within = np.empty(len(x))
    within[order] = np.concatenate([(np.arange(n) + 0.5) / n for n in sizes])
    heights: Float64 = (2 * within - 1) * np.sqrt(sizes / sizes.max())[which]
    return heights


def _dots(axes: Axes, x: Float64, y: Float64, level: Float64, size: float) -> None:
    """Draw dots as a picture, for thousands of shapes make a page slow; missing is grey."""
    missing = np.isnan(level)
    common: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": True}
    axes.scatter(x[missing], y[missing], color="#8a8a8a", alpha=0.5, **common)
    axes.scatter(
        x[~missing],
        y[~missing],
        c=level[~missing],
        cmap=LOW_TO_HIGH,
        vmin=0,
        vmax=1,
        alpha=0.7,
        **common,
    )
