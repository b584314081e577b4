"""Categories: codes for the texts met in one evaluation."""

from collections.abc import Iterable

import numpy as np

from features.offers import Value


class Categories:
    """Codes for the categories met in one evaluation; a code means nothing outside it.

    Those ``named`` by the program have the first codes, in their order.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        self.values: list[str] = list(named)
        self._codes: dict[str, int] = {value: i for i, value in enumerate(self.values)}

    def code(self, value: str) -> float:
        """Return the code of a category, a new one when it is met for the first time."""
        if value not in self._codes:
            self._codes[value] = len(self.values)
            self.values.append(value)
        return float(self._codes[value])

    def find(self, value: str) -> int | None:
        """Return the code of a category, ``None`` when it was not met."""
        return self._codes.get(value)

    def encode(self, value: Value, number: bool) -> float:
        """Return a number as it is, a category as its code, and NaN for what is missing."""
        if value is None:
            return float("nan")
        if number:
            return as_number(value)
        return self.code(as_category(value))

    def decode(self, code: float) -> str | None:
        """Return the category of a code, ``None`` for NaN."""
        return None if code != code else self.values[int(code)]


def as_number(value: float | str) -> float:
    """Return an attribute's value as a number; text that is none is missing, NaN.

    >>> as_number("3"), as_number("3+")
    (3.0, nan)
    """
    try:
        found = float(value)
    except ValueError:
        return float("nan")
    return found + 0.0 if np.isfinite(found) else float("nan")


def as_category(value: float | str) -> str:
    """Return an attribute's value as text; a whole number loses its point.

    >>> as_category(2.0), as_category("5+")
    ('2', '5+')
    """
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)
