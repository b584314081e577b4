"""Pictures of what happened, to everybody and to one customer, for notebooks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from features.frames import Signals
from features.listing import Entry
from training.looks import COLOURS, INK, MUTED
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
        axes.set_title(f"{name}: {_cut(told.meaning)}", fontsize=9)
        axes.set_ylabel(told.unit, fontsize=9)
        axes.set_ylim(bottom=0)
        if told.unit == "interactions":
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        for kind, colour in zip(_kinds(marks), COLOURS[1:], strict=False):
            moments = _when(marks, kind)
            axes.vlines(moments, 0, 1, colour, "dashed", lw=1, transform=axes.get_xaxis_transform())
    for kind, colour in zip(_kinds(marks), COLOURS[1:], strict=False):
        every[0].plot([], [], "--", color=colour, lw=1, label=kind.replace("_", " "))
    if marks is not None:
        figure.legend(loc="outside lower left", ncols=4, fontsize=9)
    _dated(every[-1])
    return figure


def cases_plot(interactions: pd.DataFrame, title: str) -> Figure:
    """Draw one customer's cases: their contacts by channel, what was promised, what was solved."""
    cases = interactions[interactions["case_id"].notna()]
    names = list(dict.fromkeys(cases["case_id"]))[::-1]
    channels = list(cases["channel"].dropna().unique())
    figure = Figure(figsize=(WIDE, 1.4 + 0.36 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(names):
        rows = cases[cases["case_id"] == name]
        when = rows["occurred_at"].dt.tz_localize(None)
        axes.plot([when.min(), when.max()], [place, place], color=MUTED, lw=1, zorder=1)
        for channel, colour in zip(channels, COLOURS, strict=False):
            own = when[rows["channel"] == channel]
            axes.plot(own, np.full(len(own), place), "o", ms=7, color=colour, zorder=2)
        due = rows["due_at"].dropna().dt.tz_localize(None) if "due_at" in rows else []
        axes.plot(due, np.full(len(due), place), "|", ms=15, mew=2, color=INK, zorder=3)
        done = when[rows["resolved"].eq(True)] if "resolved" in rows else []
        axes.plot(done, np.full(len(done), place), "o", ms=13, mfc="none", mec=INK, zorder=3)
    topics = [cases.loc[cases["case_id"] == name, "topic"].dropna() for name in names]
    axes.set_yticks(range(len(names)), [next(iter(each), "case") for each in topics])
    for channel, colour in zip(channels, COLOURS, strict=False):
        axes.plot([], [], "o", color=colour, label=channel)
    axes.plot([], [], "|", ms=15, mew=2, color=INK, label="promised by")
    axes.plot([], [], "o", ms=13, mfc="none", mec=INK, label="solved")
    axes.set(title=title, ylim=(-0.7, len(names) - 0.3))
    figure.legend(loc="outside lower left", ncols=len(channels) + 2, fontsize=9)
    _dated(axes)
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
    """Draw probabilities, a line for each column, named where it ends."""
    figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, colour in zip(lines.columns, COLOURS, strict=False):
        found = 100 * lines[name].dropna()
        axes.plot(found.index, found, color=colour, lw=2)
        axes.annotate(
            str(name),
            (found.index[-1], found.iloc[-1]),
            (6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    axes.set(title=title, xlabel=xlabel, ylabel="probability")
    axes.set_ylim(0, 1.12 * float(100 * lines.max().max()))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.margins(x=0.01)
    return figure


def effect_plot(effects: "shap.Explanation", name: str, told: Entry) -> Figure:
    """Draw what a signal does to the probability, over its values, with the mean as a line.

    Args:
        effects: as ``study.explanation()`` gives them, in probability points.
        name: which signal.
        told: what it measures.
    """
    place = list(effects.feature_names).index(name)
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
    axes.set_title(f"{name}: {_cut(told.meaning)}", fontsize=9)
    axes.set(xlabel=f"{told.unit} (the highest hundredth drawn at the edge)")
    axes.set_ylabel("effect (percentage points)")
    axes.legend()
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


def _cut(meaning: str, most: int = 105) -> str:
    return meaning if len(meaning) <= most else f"{meaning[: most - 1]}…"
