"""Signal values: what every engine returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.categories import Categories
from features.offers import Value
from features.plan import Plan

Float64 = npt.NDArray[np.float64]


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
            for code in np.flatnonzero(np.bincount(own + 1)).tolist():
                text = self.categories.values[code - 1] if code else None
                if text in frozen:  # of the categories met, those of one signal are few
                    table[code - 1] = frozen.index(text)
            encoded[:, j] = table[own]
        return encoded
