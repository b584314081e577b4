"""Pictures of what happened, to everybody and to one customer, for notebooks."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from features.frames import Signals
from features.listing import Entry
from training.looks import COLOURS, INK, LOW_TO_HIGH, MUTED
from training.slices import wilson

if TYPE_CHECKING:
    import shap

WIDE = 9.0
BLUE, ORANGE = COLOURS[:2]
_LOCATOR: Any = AutoDateLocator  # matplotlib's dates have no types
_FORMATTER: Any = ConciseDateFormatter


def months_plot(interactions: pd.DataFrame, title: str) -> Figure:
    """Draw how many interactions of each kind happened in each month.

    Args:
        interactions: as ``study.interactions()`` gives them.
        title: what to see.
    """
    kinds = interactions["kind"].value_counts()
    months = interactions["occurred_at"].dt.tz_localize(None).dt.to_period("M")
    counts = interactions.groupby([months, "kind"]).size().unstack(fill_value=0)
    begins = pd.PeriodIndex(counts.index).to_timestamp()
    figure = Figure(figsize=(WIDE, 1.0 + 1.15 * len(kinds)), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    every = _stacked(figure, len(kinds))
    for axes, kind in zip(every, kinds.index, strict=True):
        axes.bar(begins, counts[kind], width=25, align="edge", color=BLUE)
        axes.set_title(f"{kind}: {kinds[kind]:,}", fontsize=10)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=False, axis="x")
    figure.supylabel("interactions a month", fontsize=10)
    _dated(every[-1])
    return figure


def timeline_plot(interactions: pd.DataFrame, title: str, currency: str = "") -> Figure:
    """Draw one customer's interactions, a row for each kind; dots grow with the amount."""
    kinds = list(interactions["kind"].value_counts().index)[::-1]
    figure = Figure(figsize=(WIDE, 1.2 + 0.45 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    for place, kind in enumerate(kinds):
        rows = interactions[interactions["kind"] == kind]
        amount = rows["amount"] if "amount" in rows else pd.Series(np.nan, rows.index)
        known = amount.notna()
        when = rows["occurred_at"].dt.tz_localize(None)
        size = 12 + 120 * amount[known].clip(lower=0) / max(float(amount.max()), 1e-9)
        axes.scatter(when[known], np.full(known.sum(), place), size, color=BLUE, alpha=0.45, lw=0)
        axes.plot(when[~known], np.full((~known).sum(), place), "|", ms=13, mew=2, color=ORANGE)
    axes.set_yticks(range(len(kinds)), [f"{kind.replace('_', ' ')}" for kind in kinds])
    axes.set(title=title, ylim=(-0.6, len(kinds) - 0.4))
    axes.set_xlabel(f"blue: with an amount, larger dots for more {currency}; orange: without one")
    _dated(axes)
    return figure


def course_plot(
    signals: Signals, names: Sequence[str], title: str, marks: pd.DataFrame | None = None
) -> Figure:
    """Draw how signals of one customer went, one below the other, each with what it measures.

    Args:
        signals: of one customer at several moments.
        names: which.
        title: what to see.
        marks: interactions to mark, as ``study.interactions()`` gives them.
    """
    figure = Figure(figsize=(WIDE, 0.8 + 1.45 * len(names)), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    when = pd.DatetimeIndex(signals.index.get_level_values("as_of")).tz_localize(None)
    every = _stacked(figure, len(names))
    for axes, name in zip(every, names, strict=True):
        told = signals.explain(name)
        axes.plot(when, signals[name], color=BLUE, linewidth=2)
        axes.set_title(f"{name}: {_in_short(told)}", fontsize=9)
        axes.set_ylabel(told.unit, fontsize=9)
        axes.set_ylim(bottom=0)
        if told.unit == "interactions":
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        for kind, colour in zip(_kinds(marks), COLOURS[1:], strict=False):
            moments = _when(marks, kind)
            axes.vlines(moments, 0, 1, colour, "dashed", lw=1, transform=axes.get_xaxis_transform())
    for kind, colour in zip(_kinds(marks), COLOURS[1:], strict=False):
        every[0].plot([], [], "--", color=colour, lw=1, label=kind.replace("_", " "))
    if _kinds(marks):
        figure.legend(loc="outside lower left", ncols=4, fontsize=9)
    _dated(every[-1])
    return figure


def cases_plot(interactions: pd.DataFrame, title: str, zoom: float = 30.0) -> Figure:
    """Draw one customer's cases side by side: a row a case, by days since it began.

    Args:
        interactions: of one customer, as ``study.interactions()`` gives them.
        title: what to see.
        zoom: days; what came later is drawn at the edge.
    """
    cases = interactions[interactions["case_id"].notna()]
    began = cases.groupby("case_id")["occurred_at"].transform("min")
    days = ((cases["occurred_at"] - began).dt.total_seconds() / 86_400).clip(upper=zoom)
    due = ((cases["due_at"] - began).dt.total_seconds() / 86_400).clip(upper=zoom)
    names = list(dict.fromkeys(cases["case_id"]))[::-1]
    row = cases["case_id"].map({name: place for place, name in enumerate(names)})
    figure = Figure(figsize=(WIDE, 1.4 + 0.34 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.hlines(row, 0, days, color=MUTED, lw=1, zorder=1)
    for channel, colour in zip(cases["channel"].dropna().unique(), COLOURS, strict=False):
        own = cases["channel"] == channel
        axes.plot(days[own], row[own], "o", ms=7, color=colour, label=channel, zorder=2)
    done = cases["resolved"].eq(True)
    axes.plot(days[done], row[done], "o", ms=13, mfc="none", mec=INK, label="solved", zorder=3)
    axes.plot(due, row, "|", ms=15, mew=2, color=INK, label="promised by", zorder=3)
    first = cases.drop_duplicates("case_id").set_index("case_id").loc[names]
    topics = first["topic"].fillna("case")
    told = [f"{topic}, {at:%-d %b}" for topic, at in zip(topics, first["occurred_at"], strict=True)]
    axes.set_yticks(range(len(names)), told)
    axes.set(title=title, xlabel="days since the case began", ylim=(-0.7, len(names) - 0.3))
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside lower left", ncols=8, fontsize=9)
    return figure


def shares_plot(
    groups: pd.Series, happened: pd.Series, title: str, xlabel: str, ylabel: str
) -> Figure:
    """Draw the share of customers to whom something happened, by group, with 95 % intervals.

    Args:
        groups: of each customer, in the order of the axis; missing is left out.
        happened: whether it did, with the same index.
        title: what to see.
        xlabel: what the groups are.
        ylabel: what happened.
    """
    table = happened.groupby(groups, observed=True, sort=True).agg(["mean", "size"])
    low, high = (
        100 * np.array([wilson(float(mean), int(n)) for mean, n in table.itertuples(index=False)]).T
    )
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    axes = figure.subplots()
    share = 100 * table["mean"].to_numpy()
    spread = np.maximum(0.0, [share - low, high - share])
    places = np.arange(len(table))
    axes.errorbar(places, share, yerr=spread, fmt="o", ms=7, capsize=4, color=BLUE)
    labels = [f"{name}\n({n:,})" for name, n in zip(table.index, table["size"], strict=True)]
    axes.set_xticks(places, labels)
    axes.set(title=title, xlabel=f"{xlabel}  (customers)", ylabel=ylabel)
    axes.set(xlim=(-0.5, len(table) - 0.5), ylim=(0, 1.1 * float(high.max())))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.grid(visible=False, axis="x")
    return figure


def probabilities_plot(lines: pd.DataFrame, title: str, xlabel: str) -> Figure:
    """Draw probabilities, a line for each of up to three columns."""
    figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, colour, dash in zip(lines.columns, COLOURS, ("-", "--", ":"), strict=False):
        axes.plot(lines.index, 100 * lines[name], dash, color=colour, lw=2, label=name)
    axes.legend(loc="lower right")
    axes.set(title=title, xlabel=xlabel, ylabel="probability")
    axes.set_ylim(0, 1.12 * float(100 * lines.max().max()))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.margins(x=0.01)
    return figure


def beeswarm_plot(effects: "shap.Explanation", title: str, most: int = 12) -> Figure:
    """Draw the effects of the strongest signals by ``shap``, a dot a row, in percentage points."""
    import shap

    size = (WIDE, 0.42 * most + 0.8)
    axes = shap.plots.beeswarm(
        _in_points(effects), most, color=LOW_TO_HIGH, plot_size=size, show=False
    )
    axes.set_title(title)
    axes.set_xlabel("effect on the probability (percentage points)", fontsize=10)
    axes.tick_params(labelsize=10)
    return _taken(axes)


def waterfall_plot(effects: "shap.Explanation", title: str, most: int = 10) -> Figure:
    """Draw by ``shap`` how the effects lead one row from the baseline to its probability, in %."""
    import shap

    axes = shap.plots.waterfall(_in_points(effects), most, show=False)
    axes.set_title(f"{title} (percentage points)", pad=24)
    return _taken(axes)


def titled(figure: Figure, title: str) -> Figure:
    """Return a figure of the report, with a title and as wide as a notebook likes it."""
    figure.axes[0].set_title(title)
    figure.set_size_inches(6.8, 4.0)
    return figure


def effect_plot(effects: "shap.Explanation", told: Entry, title: str) -> Figure:
    """Draw what a signal does to the probability, over its values, with the mean as a line.

    Args:
        effects: as ``study.explanation()`` gives them, in probability points.
        told: the signal, as ``signals.explain()`` gives it.
        title: what to see.
    """
    place = list(effects.feature_names).index(told.name)
    x, y = effects.data[:, place], 100 * effects.values[:, place]
    known = ~np.isnan(x)
    high = float(np.percentile(x[known], 99)) if known.any() else 1.0
    x = np.minimum(x, high)
    figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color=MUTED, lw=1)
    axes.scatter(x[known], y[known], 14, color=BLUE, alpha=0.35, lw=0)
    parts = np.array_split(np.flatnonzero(known)[np.argsort(x[known], kind="stable")], 12)
    means = [(x[part].mean(), y[part].mean()) for part in parts if len(part)]
    axes.plot(*zip(*means, strict=True), color=ORANGE, lw=2, label="mean")
    axes.set_title(title)
    axes.set_xlabel(f"{told.name} in {told.unit}; the highest hundredth is drawn at the edge")
    axes.set_ylabel("effect (percentage points)")
    axes.legend()
    return figure


def _in_points(effects: "shap.Explanation") -> "shap.Explanation":
    import shap

    return shap.Explanation(
        values=100 * effects.values,
        base_values=100 * effects.base_values,
        data=effects.data,
        display_data=effects.display_data,
        feature_names=effects.feature_names,
    )


def _taken(axes: Axes) -> Figure:
    """Return the figure of axes that ``shap`` drew, for the notebook to show once."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # for the type checker: it was drawn
    pyplot.close(figure)
    return figure


def _stacked(figure: Figure, n: int) -> list[Axes]:
    return list(figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0])


def _dated(axes: Axes) -> None:
    locator = _LOCATOR(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_FORMATTER(locator))


def _kinds(marks: pd.DataFrame | None) -> list[str]:
    return [] if marks is None else list(dict.fromkeys(marks["kind"]))


def _when(marks: pd.DataFrame | None, kind: str) -> npt.NDArray[np.datetime64]:
    assert marks is not None  # for the type checker: there are kinds
    found: npt.NDArray[np.datetime64] = (
        marks.loc[marks["kind"] == kind, "occurred_at"].dt.tz_localize(None).to_numpy()
    )
    return found


def _in_short(told: Entry) -> str:
    return re.split("[;:]", told.meaning)[0]
