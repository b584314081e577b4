"""Pictures of the composite signals, drawn from made-up lives by the real engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docs.lives import MONTH, YEAR, Life, event, measured, promise, told
from features.composites import exchange, knowledge, trust

FOLDER = Path(__file__).parent
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
"""Colours that the colour-blind can tell apart (Okabe and Ito)."""
STEADY: Any = {"svg.hashsalt": "rapport", "svg.fonttype": "path", "font.size": 9}
"""Under these settings the same data give the same bytes."""


def trust_picture() -> Figure:
    """Draw trust over three years: promises kept, and what breaks it after the first."""
    (signal,) = trust(why="picture")
    days = 3 * YEAR
    kept = [promise(day) for day in range(5, days, MONTH)]
    so_far = tuple(item for made in kept for item in made)
    fails = YEAR + 20
    panels = (
        ("Promises kept, one a month, build it", so_far, ()),
        (
            "One bad experience takes half at once:\na quarter of that is still lost a year later",
            (*so_far, event(fails, "complaint")),
            (fails,),
        ),
        (
            "Three in two months take over four fifths,\nand two years do not bring it all back",
            (*so_far, *(event(fails + n * MONTH, "complaint") for n in range(3))),
            (fails, fails + MONTH, fails + 2 * MONTH),
        ),
        (
            "A promise broken is a bad experience\non the day when it was due",
            (*so_far, *promise(fails - 7, kept=False)),
            (fails,),
        ),
    )
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    plain = measured(signal, Life(so_far), days)
    months = np.arange(days + 1) * 12 / YEAR
    for axes, (title, happened, bad) in zip(
        figure.subplots(2, 2, sharex=True, sharey=True).flat, panels, strict=True
    ):
        found = measured(signal, Life(happened), days)
        if bad:
            axes.plot(months, plain, color=GREY, linewidth=1, linestyle=":")
            axes.plot([day * 12 / YEAR for day in bad], [0.03] * len(bad), "^", color=ORANGE)
        axes.plot(months, found, color=BLUE, linewidth=2)
        _finish(axes, title)
        axes.set_xticks(range(0, 37, 6))
    _trust_notes(figure, fails * 12 / YEAR, plain, measured(signal, Life(panels[1][1]), days))
    return figure


def _trust_notes(figure: Figure, fails: float, plain: np.ndarray, found: np.ndarray) -> None:
    build, one, three, broken = figure.axes
    build.annotate("a newcomer starts at one half", (0.6, 0.44), color=GREY)
    day = round((fails + 12) * YEAR / 12)
    one.plot([fails + 12] * 2, [found[day], plain[day]], color=ORANGE, linewidth=2)
    one.annotate(
        f"a year later\n{found[day]:.2f} of {plain[day]:.2f}",
        (fails + 12.4, found[day] - 0.16),
        color=ORANGE,
    )
    for axes, text in ((one, "complaint"), (three, "3 complaints"), (broken, "due, not kept")):
        axes.annotate(
            text,
            (fails, 0.03),
            (-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=ORANGE,
        )
    three.annotate("without complaints", (36, 1.01), ha="right", va="bottom", color=GREY)
    for axes in (build, three):
        axes.set_ylabel("trust")
    for axes in (three, broken):
        axes.set_xlabel("months since the first promise")


def knowledge_picture() -> Figure:
    """Draw knowledge over two years: a year of contacts and of telling, then silence."""
    names = {115: "household", 225: "preferred channel", 315: "age"}
    met = {
        80: ("web", "loans"),
        150: ("phone", "cards"),
        185: ("branch", "mortgage"),
        270: ("app", "savings"),
        360: ("email", "insurance"),
    }
    (signal,) = knowledge(dict.fromkeys(names.values(), False), why="picture")
    life = Life(
        tuple(
            event(day, "visit", channel=channel, topic=topic)
            for day, (channel, topic) in met.items()
        ),
        tuple(told(day, name) for day, name in names.items()),
    )
    days = 2 * YEAR + 2 * MONTH
    found = measured(signal, life, days)
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    months = np.arange(days + 1) * 12 / YEAR
    axes.plot(months, found, color=BLUE, linewidth=2, drawstyle="steps-pre")
    marks = [(day, f"{channel}, {topic}", ORANGE, "s") for day, (channel, topic) in met.items()]
    marks += [(day, name, GREEN, "o") for day, name in names.items()]
    for day, text, colour, marker in marks:
        month, height = (day + 1) * 12 / YEAR, found[day + 1]
        axes.plot([month], [height], marker, color=colour, markersize=6)
        axes.annotate(
            text, (month, height), (-5, 5), textcoords="offset points", ha="right", color=colour
        )
    axes.annotate("a new topic and a new channel: 2 things more", (14.5, 0.66), color=ORANGE)
    axes.annotate("a fact that they told: 1 thing more", (14.5, 0.61), color=GREEN)
    axes.annotate(
        "a year after each contact\nits topic and channel no longer count", (19.2, 0.43), color=GREY
    )
    axes.annotate("the 3 facts stay", (26, 0.19), ha="right", color=GREY)
    _finish(axes, "What they tell stays known; what they show fades after a year of silence", 0.72)
    axes.set(xlabel="months", ylabel="knowledge", xlim=(0, 26))
    axes.set_xticks(range(0, 25, 6))
    return figure


def exchange_picture() -> Figure:
    """Draw the exchange of value of who only buys, and of who gets something back too."""
    (signal,) = exchange(why="picture")
    days = YEAR + YEAR // 2
    bought = tuple(event(day, "purchase") for day in range(5, YEAR, 15))
    offers, solved = range(60, YEAR, 75), (100, 220, 320)
    back = (
        *(event(day, "offer_accepted") for day in offers),
        *(event(day, "answer", case_id=f"case-{day}", resolved=True) for day in solved),
    )
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    months = np.arange(days + 1) * 12 / YEAR
    for happened, colour, text in (
        ((*bought, *back), BLUE, "buys, takes offers,\nis helped"),
        (bought, ORANGE, "only buys"),
    ):
        found = measured(signal, Life(happened), days)
        axes.plot(months, found, color=colour, linewidth=2)
        axes.annotate(
            text, (18, found[-1]), (6, 0), textcoords="offset points", va="center", color=colour
        )
    axes.axhline(0.5, color=GREY, linewidth=1, linestyle=":")
    axes.axvline(12, color=GREY, linewidth=1, linestyle=":")
    axes.annotate("everything stops", (12.1, 0.93), color=GREY)
    for row, (when, colour, text) in enumerate(
        (
            (range(5, YEAR, 15), GREY, "purchases"),
            (offers, BLUE, "offers taken"),
            (solved, GREEN, "cases resolved"),
        )
    ):
        height = -0.06 - 0.06 * row
        axes.plot(
            [day * 12 / YEAR for day in when],
            [height] * len(when),
            "|",
            color=colour,
            markersize=8,
            markeredgewidth=1.5,
        )
        axes.annotate(text, (12.3, height), va="center", color=colour)
    _finish(axes, "Who only gives stays below one half, however much; it takes both sides")
    axes.set(xlabel="months", ylabel="exchange of value", xlim=(0, 18), ylim=(-0.24, 1))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xticks(range(0, 19, 3))
    return figure


def _finish(axes: Axes, title: str, top: float = 1.08) -> None:
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylim(0, top)


PICTURES: dict[str, Callable[[], Figure]] = {
    "trust": trust_picture,
    "knowledge": knowledge_picture,
    "exchange": exchange_picture,
}


def _settle(figure: Figure) -> None:
    """Lay a figure out, to the fourth digit: the solver's last ones hang on where memory lies."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(side, 4) for side in axes.get_position().bounds))


def write(name: str, folder: Path = FOLDER, form: str = "svg") -> Path:
    """Draw a picture into a folder; an SVG has the same bytes for the same data."""
    path = folder / f"{name}.{form}"
    with matplotlib.rc_context(STEADY):
        figure = PICTURES[name]()
        _settle(figure)
        figure.savefig(path, metadata={"Date": None} if form == "svg" else None, dpi=110)
    return path
