"""Slices: how a model does among customers of one kind, each with its own calibration."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from features.english import said_number
from features.plan import Plan
from features.sources.report import counted, percent
from training.evaluation import Tested

Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
TENURE = "value_days_since_first"
FEWEST_ROWS = 100
"""Of a slice that is worth a line."""
PARTS = 3
"""Into how many parts of equal mass numbers are cut."""
Z = 1.96


@dataclass(frozen=True, slots=True)
class Slice:
    """The tested rows of one kind.

    ``predicted`` is the mean probability, ``observed`` the share of positives with its 95 %
    interval from ``low`` to ``high``; ``auc`` is NaN where there is one class only.
    """

    signal: str
    of: str
    rows: int
    customers: int
    positives: int
    auc: float
    predicted: float
    observed: float
    low: float
    high: float

    @property
    def name(self) -> str:
        """The signal and the values of it that make the slice."""
        return f"{self.signal}: {self.of}"

    @property
    def told(self) -> str:
        """What was predicted and what happened, in a sentence."""
        way = "too low" if self.predicted < self.observed else "too high"
        return (
            f"where {self.signal} is {self.of}: predicted {percent(self.predicted)}, in fact "
            f"{percent(self.observed)} ({percent(self.low)} to {percent(self.high)}) of "
            f"{counted(self.rows, 'row')}: {way if self.off else 'right'}"
        )

    @property
    def off(self) -> bool:
        """Whether the mean prediction lies outside the interval of what happened."""
        return not self.low <= self.predicted <= self.high


def slices_of(
    plan: Plan, matrix: Float64, vocabularies: Mapping[str, list[str]], tested: Tested
) -> list[Slice]:
    """Cut the tested rows by tenure, by activity and by every attribute.

    Args:
        plan: names the columns.
        matrix: the encoded signals of the rows tested, shape ``(n, n_signals)``.
        vocabularies: the texts of each category by code.
        tested: predictions of these rows.

    Returns:
        The slices of at least ``FEWEST_ROWS`` rows, those of one signal together.
    """
    return [_slice(name, of, rows, tested) for name, of, rows in cut(plan, matrix, vocabularies)]


def cut(
    plan: Plan, matrix: Float64, vocabularies: Mapping[str, list[str]]
) -> Iterator[tuple[str, str, Mask]]:
    """Yield the slices: the signal, the values of it in words, and which rows have them."""
    for name in _sliced_by(plan):
        column = matrix[:, plan.names.index(name)]
        for of, rows in _parts(column, vocabularies.get(name)):
            if rows.sum() >= FEWEST_ROWS:
                yield name, of, rows


def _sliced_by(plan: Plan) -> list[str]:
    """Return tenure, the count of value interactions over the longest window, and attributes."""
    signals = dict(zip(plan.names, plan.signals, strict=True))
    counts = [s for s in signals.values() if s.role == "value" and s.measure == "count"]
    plain = [s for s in counts if s.window and s.same is None and s.where is None]
    activity = [max(plain, key=lambda s: s.window or 0).name] if plain else []
    attributes = [name for name, s in signals.items() if s.measure == "attribute"]
    return [*([TENURE] if TENURE in signals else []), *activity, *attributes]


def _parts(column: Float64, texts: list[str] | None) -> Iterator[tuple[str, Mask]]:
    """Yield the parts of a column in words, and which rows are in each."""
    missing = np.isnan(column)
    if texts is not None:
        for code, text in enumerate(texts):
            yield text, column == code
    else:
        there = np.sort(column[~missing])
        # Each part ends with its edge, so that a value which fills several parts is one of its own.
        edges = (
            there[[len(there) * k // PARTS - 1 for k in range(1, PARTS)]]
            if len(there) >= PARTS
            else np.empty(0)
        )
        part = np.searchsorted(edges, column)
        for k in range(len(edges) + 1):
            rows = (part == k) & ~missing
            if rows.any():
                low, high = column[rows].min(), column[rows].max()
                yield " to ".join(dict.fromkeys((said_number(low), said_number(high)))), rows
    yield "missing", missing


def _slice(name: str, of: str, rows: Mask, tested: Tested) -> Slice:
    label, probability = tested.label[rows], tested.predictions["model"][rows]
    customers = len(np.unique(tested.customer[rows]))
    observed = float(label.mean())
    low, high = wilson(observed, customers)
    both = 0 < label.sum() < len(label)
    return Slice(
        signal=name,
        of=of,
        rows=len(label),
        customers=customers,
        positives=int(label.sum()),
        auc=float(roc_auc_score(label, probability)) if both else math.nan,
        predicted=float(probability.mean()),
        observed=observed,
        low=low,
        high=high,
    )


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share among ``n`` that are independent.

    The rows of one customer are not: ``n`` is the number of customers.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.

    >>> [round(end, 4) for end in wilson(0.5, 100)]
    [0.4038, 0.5962]
    """
    scale = 1.0 + Z * Z / n
    middle = (share + Z * Z / (2 * n)) / scale
    spread = Z * math.sqrt(share * (1.0 - share) / n + Z * Z / (4 * n * n)) / scale
    return max(0.0, middle - spread), min(1.0, middle + spread)
