"""A timeline: one customer's interactions in canonical order, each id once, column by column."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from features.interactions import Interaction, canonical_order, first_recorded

FIELDS = tuple(Interaction.__dataclass_fields__)
_PLACE = {name: place for place, name in enumerate(FIELDS)}


class Timeline(Sequence[Interaction]):
    """One customer's interactions in canonical order, of those that share an id the first recorded.

    A store that has them as columns need not make an object of each; they are made where somebody
    looks at one.

    Args:
        columns: the fields of ``FIELDS``, each as long as there are interactions.
        make: makes the interactions.
    """

    def __init__(
        self,
        columns: Sequence[Sequence[Any]],
        make: Callable[[], list[Interaction]] | None = None,
    ) -> None:
        self._columns, self._make = columns, make

    @classmethod
    def of(cls, interactions: Iterable[Interaction]) -> "Timeline":
        """Return the timeline of a customer's interactions, which come in any order."""
        if isinstance(interactions, Timeline):
            return interactions
        ordered = first_recorded(canonical_order(interactions))
        return cls([[getattr(i, name) for i in ordered] for name in FIELDS], lambda: ordered)

    def column(self, name: str) -> Sequence[Any]:
        """Return a field of every interaction; ``None`` is missing."""
        return self._columns[_PLACE[name]]

    def numbers(self, name: str) -> Sequence[Any]:
        """Return a numeric column of every interaction, a declared one too; ``None`` is missing."""
        if name in _PLACE:
            return self.column(name)
        return [further.get(name) for further in self.column("numbers")]

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> Interaction: ...
    @overload
    def __getitem__(self, place: slice) -> list[Interaction]: ...
    def __getitem__(self, place: int | slice) -> Interaction | list[Interaction]:
        return self._items[place]

    def __iter__(self) -> Iterator[Interaction]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return self._items == list(other) if isinstance(other, Sequence) else NotImplemented

    @cached_property
    def _items(self) -> list[Interaction]:
        if self._make is not None:
            return self._make()
        return [Interaction(*row) for row in zip(*self._columns, strict=True)]
