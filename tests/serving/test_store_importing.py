"""Importing: a history in the store is the history, whole or not at all."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from features import clock
from features.errors import SourceError
from features.history import History, attributes_table, interactions_table
from features.identities import IDENTITIES_SCHEMA
from features.interactions import Attribute, Interaction
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


def grown(
    items: list[Interaction], *facts: Attribute, keys: Sequence[tuple[str, str]] = ()
) -> History:
    """Return what the tables hold by now."""
    rows = [{"key": key, "customer_id": who, "known_at": clock.EVER} for key, who in keys]
    return replace(
        numbered(items),
        attributes=attributes_table(list(facts)),
        identities=pa.Table.from_pylist(rows, IDENTITIES_SCHEMA),
    )


def test_what_the_tables_have_more_is_recorded_now_and_once(empty: Store) -> None:
    empty.import_history(numbered(ITEMS), "digest")
    as_of = empty.as_of()
    before = empty.histories(["a", "b"])
    twice = [replace(ITEMS[0]), replace(ITEMS[0], occurred_at=50)]
    new = replace(ITEMS[1], interaction_id="l")
    more = grown([*ITEMS, *twice, new])
    assert empty.import_history(more, "more") == Imported(3)
    found = empty.histories(["a", "b"])
    stamps = {i.recorded_at for items, _ in found.values() for i in items} - {4, 2, 9}
    assert len(stamps) == 1
    assert min(stamps) >= as_of
    then = {name: [i for i in items if i.recorded_at < as_of] for name, (items, _) in found.items()}
    assert then == {name: items for name, (items, _) in before.items()}
    stamp = stamps.pop()
    fresh = [i for items, _ in found.values() for i in items if i.recorded_at == stamp]
    wanted = [replace(each, recorded_at=stamp) for each in (*twice, new)]
    assert sorted(fresh, key=repr) == sorted(wanted, key=repr)
    assert empty.import_history(more, "more") == Imported(0)
    assert empty.imported == "more"


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (ITEMS[:2], "1 interactions of 'till' that the tables lack"),
        ([*ITEMS[:2], replace(ITEMS[2], resolved=True)], "1 interactions of 'till'"),
        ([*ITEMS, replace(ITEMS[0], source="other")], "nothing of 'other'"),
    ],
)
def test_other_tables_are_refused_and_leave_nothing(
    empty: Store, items: list[Interaction], told: str
) -> None:
    empty.import_history(numbered(ITEMS), "digest")
    with pytest.raises(SourceError, match=f"{told}.*Name a new store"):
        empty.import_history(numbered([*items, replace(ITEMS[0], occurred_at=50)]), "more")
    assert sum(len(i) for i, _ in empty.histories(["a", "b"]).values()) == 3
    assert empty.imported == "digest"


def test_what_was_recorded_by_itself_is_no_obstacle(empty: Store) -> None:
    empty.import_history(numbered(ITEMS), "digest")
    empty.record([replace(ITEMS[0], source="api", interaction_id="n")])
    assert empty.import_history(numbered([*ITEMS, replace(ITEMS[0], kind="call")]), "more").new == 1


def test_what_is_too_old_or_of_the_erased_does_not_come_back(empty: Store) -> None:
    items = [*ITEMS, replace(ITEMS[0], customer_id="c")]
    empty.import_history(numbered(items), "digest")
    empty.retain(2)
    empty.erase("a")
    more = numbered([*items, replace(ITEMS[2], occurred_at=60), replace(ITEMS[2], occurred_at=1)])
    assert empty.import_history(more, "more") == Imported(1, erased=1)
    assert [i.occurred_at for i in empty.histories(["b"])["b"][0]] == [2, 60]


def test_facts_that_are_new_are_known_from_now_on(empty: Store) -> None:
    def towns() -> list[tuple[int, str]]:
        found = sorted((f.known_at, f.value) for f in empty.histories(["a"])["a"][1])
        return [(-1 if at == clock.EVER else at, value) for at, value in found]

    town, plan = Attribute("a", clock.EVER, "town", "Ayr"), Attribute("a", 3, "plan", "basic")
    empty.import_history(grown(ITEMS, town), "digest")
    assert towns() == [(-1, "Ayr")]
    for number, name in enumerate(("Bath", "Ayr", "Ayr")):
        as_of = empty.as_of()
        empty.import_history(grown(ITEMS, replace(town, value=name)), f"more {number}")
        at, value = towns()[-1]
        assert value == name
        assert (at >= as_of) == (number < 2)
    assert [value for _, value in towns()] == ["Ayr", "Bath", "Ayr"]
    later = [plan, replace(plan, known_at=5, value="gold"), replace(plan, known_at=7)]
    for number in range(2):
        empty.import_history(grown(ITEMS, town, *later), f"plans {number}")
        assert [value for _, value in towns()] == ["Ayr", "Bath", "Ayr", "basic"]


def test_keys_that_are_new_are_known_from_now_on(empty: Store) -> None:
    empty.import_history(grown(ITEMS, keys=[("k", "a")]), "digest")
    as_of = empty.as_of()
    empty.import_history(grown(ITEMS, keys=[("k", "a"), ("b", "a")]), "more")
    assert [i.recorded_at >= as_of for i in empty.histories(["a"])["a"][0]] == [True, True, False]
