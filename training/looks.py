"""Looks: how tables and figures are shown in notebooks."""

import warnings
from typing import Any

import matplotlib
import pandas as pd
from cycler import cycler

INK, MUTED, LINE = "#222222", "#666666", "#DDDDDD"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222")
"""Colours that the colour-blind can tell apart (Okabe and Ito), the first ones best."""
LOW_TO_HIGH = matplotlib.colormaps["cividis"]
_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.dpi": 88,
    "font.size": 10,
    "grid.color": LINE,
    "legend.frameon": False,
}


def set_up() -> None:
    """Show tables with their whole texts, and figures in one style, in this process."""
    matplotlib.rcParams.update(_STYLE)
    # shap brings tqdm, which would like a package that nothing here needs
    warnings.filterwarnings("ignore", "IProgress not found")
    pd.options.display.max_colwidth = None
    pd.options.display.precision = 3
    pd.options.display.min_rows = 8
    pd.options.display.max_rows = 40
    pd.options.display.max_columns = 20
