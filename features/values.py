"""Signal values: what every engine returns."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.categories import Categories
from features.offers import Value
from features.plan import Plan

Float64 = npt.NDArray[np.float64]
FEW = 4
"""Categories that are looked for in a vocabulary sooner than it is made into a dictionary."""


@dataclass(frozen=True, slots=True)
class SignalValues:
    """The values of a plan's signals, one row an instant asked for.

    ``matrix`` is (n_rows, n_signals); missing is NaN; a category is a code of ``categories``.
    """

    plan: Plan
    matrix: Float64
    categories: Categories

    def __len__(self) -> int:
        return len(self.matrix)

    def rows(self, places: Sequence[int] | slice) -> "SignalValues":
        """Return some of the rows."""
        return SignalValues(self.plan, self.matrix[places], self.categories)

    def row(self, i: int) -> list[Value]:
        """Return one row: numbers (NaN is missing) and categories as text (None is missing)."""
        return [
            self.categories.decode(value) if category else value
            for value, category in zip(self.matrix[i].tolist(), self.plan.categories, strict=True)
        ]

    def column(self, name: str) -> list[Value]:
        """Return one signal's values over all rows."""
        j = self.plan.names.index(name)
        codes: list[Value] = list(self.matrix[:, j].tolist())
        if self.plan.categories[j]:
            return [
                self.categories.decode(float(code or 0.0)) if code == code else None
                for code in codes
            ]
        return codes

    def vocabularies(self) -> dict[str, list[str]]:
        """Return the categories that occur, by signal, sorted: what a model freezes."""
        found: dict[str, list[str]] = {}
        for j, (name, category) in enumerate(
            zip(self.plan.names, self.plan.categories, strict=True)
        ):
            if category:
                codes = np.unique(self.matrix[:, j])
                found[name] = sorted(self.categories.values[int(c)] for c in codes if c == c)
        return found

    def encode(self, vocabularies: Mapping[str, Sequence[str]]) -> Float64:
        """Return the matrix with each category as its place in its vocabulary, unseen as NaN.

        Args:
            vocabularies: for each category signal, its categories in the order of their codes.
        """
        encoded = self.matrix.copy()
        columns = np.flatnonzero(self.plan.categories)
        codes = np.nan_to_num(self.matrix[:, columns], nan=-1.0).astype(np.int64)
        for j, own in zip(columns.tolist(), codes.T, strict=True):
            frozen = vocabularies[self.plan.names[j]]
            table = np.full(len(self.categories.values) + 1, np.nan)  # the last is what is missing
            met = [int(code) - 1 for code in np.flatnonzero(np.bincount(own + 1)) if code]
            texts = [self.categories.values[code] for code in met]
            table[met] = _places(texts, frozen)
            encoded[:, j] = table[own]
        return encoded


def _places(texts: Sequence[str], frozen: Sequence[str]) -> list[float]:
    """Return the places of texts in a vocabulary, NaN of one that is not in it."""
    if len(texts) <= FEW:
        return [frozen.index(text) if text in frozen else math.nan for text in texts]
    places = {text: place for place, text in enumerate(frozen)}
    return [places.get(text, math.nan) for text in texts]
