"""A lean start: LightGBM without the packages that its estimators and tables alone need.

Importing LightGBM imports scikit-learn, with it SciPy's statistics, and pandas, which serving does
not use: half of the time until it is there. Found missing, LightGBM does without them, and whoever
asks for them later gets them.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = ("sklearn", "sklearn.base", "pandas")


def load() -> None:
    """Import LightGBM so, unless it is there already, into a process that serves."""
    if "lightgbm" not in sys.modules:
        with _missing(*UNUSED):
            importlib.import_module("lightgbm")


@contextmanager
def _missing(*names: str) -> Iterator[None]:
    """Have packages that were not imported yet seem not to be installed."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type] # None says so to Python
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
