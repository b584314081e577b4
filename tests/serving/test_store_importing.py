"""Importing: a history in the store is the history, whole or not at all."""

from dataclasses import replace

import pyarrow as pa
import pytest

from features.history import History, interactions_table
from features.interactions import Interaction
from serving.importing import Imported
from serving.store import Store
from tests.histories import history_of

START = 1_700_000_000_000_000


def numbered(items: list[Interaction]) -> History:
    """Return a history with the further numeric columns ``items`` and ``points``."""
    numbers = ("items", "points")
    return replace(
        history_of([], 100), interactions=interactions_table(items, numbers), numbers=numbers
    )


ITEMS = [
    Interaction("a", 3, 4, "visit", None, "web", "app", 'to"pic, \n\\N', numbers={"points": -0.5}),
    Interaction(
        *("b", 1, 2, "purchase", "k", "till", None, "", "case", "offer"),
        *(1e308, 0.1, 0.5, True, 7, {"items": 2.0, "points": 1e-300}),
    ),
    Interaction("b", 2, 9, "purchase", None, "till", resolved=False, due_at=-(10**15)),
]


def test_what_was_imported_is_read_back(empty: Store) -> None:
    assert empty.import_history(numbered(ITEMS), "digest") == Imported(3)
    found = empty.histories(["a", "b"])
    assert [*found["a"][0], *found["b"][0]] == ITEMS


def test_recording_what_was_imported_again_is_a_repeat(empty: Store) -> None:
    empty.import_history(numbered(ITEMS), "digest")
    assert empty.record([ITEMS[1]]).duplicates == [0]


def test_an_import_passes_over_what_is_recorded_already(empty: Store) -> None:
    empty.record([ITEMS[1]])
    assert empty.import_history(numbered(ITEMS), "digest") == Imported(2)
    assert len(empty.histories(["b"])["b"][0]) == 2


def test_missing_numbers_are_missing(empty: Store) -> None:
    table = interactions_table([Interaction("a", 1, 2, "visit", None, "web")], ("items",))
    nan = pa.array([float("nan")])
    for name in ("amount", "items"):
        table = table.set_column(table.schema.get_field_index(name), name, nan)
    empty.import_history(replace(numbered([]), interactions=table, numbers=("items",)), "digest")
    ((kept,), _) = empty.histories(["a"])["a"]
    assert (kept.amount, kept.numbers) == (None, {})


def test_an_import_that_breaks_off_leaves_nothing(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.importing.BATCH", 1)
    done: list[int] = []

    def interrupted(rows: int) -> None:
        done.append(rows)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        empty.import_history(numbered(ITEMS), "digest", interrupted)
    assert (empty.customers(), empty.imported) == ([], None)
    assert empty.import_history(numbered(ITEMS), "digest") == Imported(3)
