"""Figures as SVG inside a page: its colours, its fonts, the same bytes every time."""

import re
import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

INK, MUTED, LINE = "#010101", "#020202", "#030303"
"""Stand for the page's colours of text, of lesser text and of lines, in light and dark."""
MODEL, SECOND, THIRD, FOURTH = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
"""Colours that the colour-blind can tell apart (Okabe and Ito); lighter on a dark page."""
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    MODEL: "model",
    SECOND: "second",
    THIRD: "third",
    FOURTH: "fourth",
}
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: to be found, read aloud, and in the page's font
    "text.parse_math": False,  # a dollar in a currency or an attribute is a dollar
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "savefig.dpi": 160,
}


def drawn(name: str, draw: Callable[[], Figure], alt: str) -> Markup:
    """Draw a figure in the page's style, and return it as an SVG element.

    Args:
        name: keeps the ids inside one figure apart from another's.
        draw: makes the figure.
        alt: says in words what it shows.
    """
    file = StringIO()
    with warnings.catch_warnings(), matplotlib.rc_context(_STYLE | {"svg.hashsalt": name}):
        # The reader's browser has letters that this machine's font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        draw().savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    head, _, body = file.getvalue().partition("<svg")[2].partition(">")
    view = re.search(r'viewBox="[^"]*"', head)
    box = view[0] if view else ""
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # the same in every figure, and nothing names them
    for colour, variable in VARIABLES.items():
        body = re.sub(rf": *{colour}\b", f": var(--{variable})", body, flags=re.IGNORECASE)
    return Markup(f'<svg {box} role="img" aria-label="{escape(alt)}">{body.strip()}')
