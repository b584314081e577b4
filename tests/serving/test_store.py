"""The store: appended once, stamped by its own clock, durable when acknowledged."""

import math
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features import batch, clock, online
from features.errors import SourceError
from features.identities import IDENTITIES_SCHEMA
from features.interactions import Attribute, Interaction
from features.plan import compile_plan
from features.rules import YEAR_1, YEAR_9999
from features.settings import Settings
from features.signals import attribute, interactions
from features.sources.reader import read_history
from serving.importing import Imported
from serving.store import Store
from tests.histories import history_of, spine_of

START = 1_700_000_000_000_000


def bought(key: str | None, amount: float = 1.0, customer: str = "c") -> Interaction:
    return Interaction(customer, START - 10, 0, "purchase", key, "till", amount=amount)


def history(store: Store, customer: str = "c") -> list[Interaction]:
    return list(store.histories([customer])[customer][0])


def test_what_is_recorded_is_read_back_with_the_stores_own_time(empty: Store) -> None:
    full = Interaction(
        "c",
        START - 5,
        12345,
        "complaint",
        "k",
        "crm",
        "phone",
        "bills",
        "case",
        "offer",
        9.5,
        3.0,
        0.5,
        False,
        START + 1,
        {"points": 2.0},
    )
    assert empty.record([full]).accepted == 1
    (kept,) = history(empty)
    assert kept.recorded_at >= START
    assert replace(kept, recorded_at=12345) == full


def test_a_score_after_recording_sees_it(empty: Store) -> None:
    for _ in range(50):
        empty.record([bought(None)])
        assert history(empty)[-1].recorded_at < empty.as_of()


def test_recording_times_only_grow(empty: Store) -> None:
    for _ in range(50):
        empty.record([bought(None)])
    stamps = [item.recorded_at for item in history(empty)]
    assert stamps == sorted(set(stamps))


def test_the_same_id_again_is_a_duplicate_and_other_content_a_conflict(empty: Store) -> None:
    empty.record([bought("a")])
    again = empty.record([bought("a"), bought("b"), bought("b"), bought("a", 2.0)])
    assert (again.accepted, again.duplicates, list(again.conflicts)) == (1, [0, 2], [3])
    assert len(history(empty)) == 2


def test_interactions_without_an_id_are_all_kept(empty: Store) -> None:
    assert empty.record([bought(None), bought(None)]).accepted == 2


def test_the_same_id_of_another_source_is_another_interaction(empty: Store) -> None:
    web = Interaction("c", START - 10, 0, "purchase", "a", "web", amount=1.0)
    assert empty.record([bought("a"), web]).accepted == 2


def test_the_clock_goes_on_after_a_restart(store_url: str) -> None:
    first = Store(store_url, START)
    for _ in range(20):
        first.record([bought(None)])
    last = first.last_recorded()
    first.close()
    with Store(store_url, START) as again:
        assert again.as_of() > last


def test_an_instant_that_was_given_stays_true(empty: Store) -> None:
    """Nothing recorded later is stamped before it, however the clocks run."""
    for _ in range(20):
        as_of = empty.as_of()
        empty.record([bought(None)])
        assert history(empty)[-1].recorded_at >= as_of
        assert empty.as_of() > history(empty)[-1].recorded_at


def test_a_restart_never_goes_back_before_an_instant_that_was_given(store_url: str) -> None:
    first = Store(store_url, START - 10_000_000)
    given = first.as_of()
    first.close()
    with Store(store_url, START - 10_000_000) as again:
        assert again.as_of() >= given
        again.record([bought(None)])
        assert history(again)[-1].recorded_at >= given


def test_a_quiet_stores_clock_goes_on(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = empty.as_of()
    monkeypatch.setattr(empty, "_began", empty._began - 5_000_000_000)
    assert empty.as_of() >= before + 4_000_000


def test_a_store_of_another_project_is_refused(store_url: str) -> None:
    Store(store_url, START, "grocery").close()
    with pytest.raises(SourceError, match="the customers of project 'grocery'"):
        Store(store_url, START, "bank")


OPENER = """
import sys
from serving.store import Store
Store(sys.argv[1], 1_700_000_000_000_000).close()
"""


def test_processes_may_open_a_new_store_at_once(store_url: str) -> None:
    command = [sys.executable, "-c", OPENER, store_url]
    opening = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[1] for process in opening] == [""] * 2


def test_a_new_store_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.3, other.execute, ["COMMIT"])
    done.start()
    Store(f"sqlite:///{path}", START).close()
    assert not done.is_alive()
    other.close()


def test_many_writers_lose_nothing(empty: Store) -> None:
    def write(worker: int) -> None:
        for n in range(20):
            empty.record([bought(f"{worker}-{n}", customer=str(worker)), bought(f"shared-{n}")])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(history(empty, str(worker))) for worker in range(4)] == [20] * 4
    assert len(history(empty)) == 20


WRITER = """
import sys
from features.interactions import Interaction
from serving.store import Store
store = Store(sys.argv[1], 1_700_000_000_000_000)
n = 0
while True:
    store.record([Interaction("c", 1, 1, "purchase", str(n), "till")])
    print(n, flush=True)
    n += 1
"""


def test_what_was_acknowledged_survives_kill_9(store_url: str) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, store_url], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    seen = [int(writer.stdout.readline()) for _ in range(30)]
    os.kill(writer.pid, signal.SIGKILL)
    seen += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()
    with Store(store_url, START) as store:
        kept = [int(item.interaction_id or -1) for item in history(store)]
    assert set(seen) <= set(kept)
    assert len(kept) == len(set(kept))


def test_what_is_too_old_is_counted_then_deleted(empty: Store) -> None:
    empty.record([replace(bought(str(n)), occurred_at=n) for n in range(5)])
    for as_of in (1, 7):
        empty.decide("c", as_of, lambda _: {})
    counted = empty.retain(3, dry=True)
    assert (counted.interactions, counted.decisions, counted.scrubbed) == (3, 1, False)
    assert (len(history(empty)), empty.kept_since) == (5, None)
    deleted = empty.retain(3)
    assert (deleted.interactions, deleted.decisions, deleted.scrubbed) == (3, 1, True)
    assert [item.occurred_at for item in history(empty)] == [3, 4]
    assert empty.kept_since == 3


def test_a_decision_is_kept(empty: Store) -> None:
    decision_id = empty.decide("c", START, lambda before: {"ranked": ["o1"]})
    assert empty.decision(decision_id) == {
        "decision_id": decision_id,
        "customer_id": "c",
        "as_of": START,
        "decision": {"ranked": ["o1"]},
    }
    assert empty.decision("none") is None


def decided(store: Store, customer: str = "c", at: int = START) -> list[Any]:
    """Make a decision; return those that it was made by."""
    seen: list[Any] = []

    def choose(before: Any) -> dict[str, int]:
        seen.extend(before)
        return {"at": at}

    store.decide(customer, at, choose)
    return seen


def test_a_decision_knows_those_of_the_month_before(empty: Store) -> None:
    month = 30 * clock.DAY
    for customer, at in (("c", START - month), ("c", START - month + 1), ("d", START), ("c", 9)):
        decided(empty, customer, at)
    first = {"as_of": START - month + 1, "decision": {"at": START - month + 1}}
    assert decided(empty) == [first]
    assert decided(empty) == [first, {"as_of": START, "decision": {"at": START}}]


def test_a_decision_that_only_looked_counts_for_none(empty: Store) -> None:
    empty.decide("c", START, lambda before: {"reserved": False})
    assert decided(empty) == []
    empty.decide("c", START, lambda before: {"reserved": True})
    assert [each["decision"] for each in decided(empty)] == [{"at": START}, {"reserved": True}]


def test_a_decision_that_cannot_be_made_leaves_nothing(empty: Store) -> None:
    def fail(before: Any) -> dict[str, Any]:
        raise ValueError("no decision")

    with pytest.raises(ValueError, match="no decision"):
        empty.decide("c", START, fail)
    assert decided(empty) == []


def test_an_import_keeps_recording_times_and_comes_before_what_is_recorded_later(
    shop: Settings, store: Store
) -> None:
    source = read_history(shop)
    customers = store.customers()
    assert customers == sorted(set(source.interactions["customer_id"].to_pylist()))
    stored = [item for items, _ in store.histories(customers).values() for item in items]
    assert len(stored) == len(source.interactions)
    assert max(item.recorded_at for item in stored) < source.known_until
    assert store.imported == "digest"
    assert store.import_history(source, "digest") == Imported(0)
    assert len(store.histories(["0001"])["0001"][0]) == [i.customer_id for i in stored].count(
        "0001"
    )
    store.record([Interaction("0001", 1, 1, "purchase", "new", "api")])
    assert store.last_recorded() >= source.known_until


@pytest.mark.parametrize(("asked", "level"), [("", 2), ("?synchronous=normal", 1)])
def test_every_commit_is_synced_unless_told_otherwise(
    tmp_path: Path, asked: str, level: int
) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.db'}{asked}", START) as store:
        assert store.record([bought("a")]).accepted == 1
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == level


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "oracle9://x",
        "sqlite:////proc/nowhere/store.db",
        "sqlite:///store.db?synchronous=OFF",
        "postgresql+psycopg2://nobody:secret@127.0.0.1:1/none",
    ],
)
def test_a_store_that_cannot_be_opened_is_a_clear_error(url: str) -> None:
    with pytest.raises(SourceError, match="store") as refused:
        Store(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"customer_id": "a\x00b"}, "customer_id"),
        ({"topic": "a\x00b"}, "topic"),
        ({"interaction_id": "\ud800"}, "interaction_id"),
        ({"amount": math.inf}, "amount"),
        ({"numbers": {"points": -math.inf}}, "numbers.points"),
        ({"occurred_at": YEAR_9999 + 1}, "occurred_at"),
        ({"due_at": -(10**30)}, "due_at"),
    ],
)
def test_what_no_database_could_hold_is_refused_alone(
    empty: Store, wrong: dict[str, Any], field: str
) -> None:
    done = empty.record([bought("a"), replace(bought("b"), **wrong), bought("c")])
    assert (done.accepted, done.duplicates) == (2, [])
    assert [error.subject for error in done.conflicts.values()] == [field]
    assert list(done.conflicts) == [1]
    assert [item.interaction_id for item in history(empty)] == ["a", "c"]


def test_values_at_the_edges_come_back_to_the_bit(empty: Store) -> None:
    items = [
        Interaction("c", YEAR_1, 0, "visit", "1", "till", amount=1e308, due_at=YEAR_9999),
        Interaction("c", YEAR_9999, 0, "visit", "2", "till", amount=-5e-324, wait_minutes=0.1),
        Interaction(
            "c", 0, 0, "visit", "3", "till", topic="Zoë 🎈 'x\\", numbers={"a": 0.1, "b": 1e-300}
        ),
        Interaction("c", 1, 0, "visit", "4", "till", case_id="x" * 10_000, resolved=False),
    ]
    assert empty.record(items).accepted == 4
    kept = sorted(history(empty), key=lambda item: item.interaction_id or "")
    assert [replace(item, recorded_at=0) for item in kept] == items
    assert [type(item.resolved) for item in kept] == [type(None)] * 3 + [bool]
    assert empty.record(items).duplicates == [0, 1, 2, 3]


def test_what_is_no_number_is_missing(empty: Store) -> None:
    nothing = replace(bought("a", math.nan), numbers={"points": math.nan, "age": 3.0})
    assert empty.record([nothing, nothing]).duplicates == [1]
    (kept,) = history(empty)
    assert (kept.amount, kept.numbers) == (None, {"age": 3.0})


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "", "x" * 10_000, "' OR 1=1 --", "%s", "?"])
def test_a_name_that_nobody_has_has_no_history(empty: Store, name: str) -> None:
    empty.record([bought("1", customer="a"), bought("2", customer="b")])
    assert empty.histories([name, "a"])[name] == ([], [])
    assert len(empty.histories([name, "a"])["a"][0]) == 1


def test_an_interaction_that_was_read_is_one_like_any_other(empty: Store) -> None:
    empty.record([replace(bought("a"), numbers={"points": 1.0})])
    (kept,) = history(empty)
    assert type(kept) is Interaction
    same = replace(kept)
    assert (same, repr(same)) == (kept, repr(kept))
    assert pickle.loads(pickle.dumps(kept)) == kept
    with pytest.raises(FrozenInstanceError):
        kept.amount = 2.0  # type: ignore[misc] # that it cannot is what is tested


def test_many_customers_are_read_at_once(empty: Store) -> None:
    names = [f"c{n}" for n in range(1000)]
    empty.record([bought(name, customer=name) for name in names])
    found = empty.histories([*names, "nobody"])
    assert [len(found[name][0]) for name in names] == [1] * 1000
    assert empty.customers() == sorted(names)


def test_keys_are_joined_as_known(empty: Store) -> None:
    items = [
        Interaction("k", 10, 10, "purchase", "1", "web"),
        Interaction("k", 40, 40, "purchase", "2", "web"),
        Interaction("l", 20, 20, "purchase", "3", "web"),
        Interaction("c", 15, 15, "purchase", "1", "till"),
    ]
    rows = [
        {"key": "l", "customer_id": "k", "known_at": 30},
        {"key": "k", "customer_id": "c", "known_at": 25},
    ]
    facts = [Attribute("k", 7, "city", "Ayr"), Attribute("k", 5, "city", "Bath")]
    joined = replace(
        history_of(items, 50, facts),
        identities=pa.Table.from_pylist(rows, IDENTITIES_SCHEMA),
    )
    assert empty.import_history(joined, "digest") == Imported(4)
    assert empty.customers() == ["c"]
    found = empty.histories(["c", "k", "nobody"])
    assert {(i.customer_id, i.occurred_at, i.recorded_at) for i in found["c"][0]} == {
        ("c", 10, 25),
        ("c", 40, 40),
        ("c", 20, 30),
        ("c", 15, 15),
    }
    assert found["c"][1] == [
        Attribute("c", 7, "city", "Ayr", since=25),
        Attribute("c", 5, "city", "Bath", since=25),
    ]
    assert sorted((i.occurred_at, i.recorded_at) for i in found["k"][0]) == [
        (10, 10),
        (20, 30),
        (40, 40),
    ]
    assert found["nobody"] == ([], [])
    plan = compile_plan((*interactions().count(why="-"), *attribute("city", why="-")), {})
    for as_of in (6, 8, 11, 16, 25, 26, 31, 41):
        spine = spine_of(("c", as_of), ("k", as_of))
        in_batch = batch.compute(plan, joined, spine)
        for place, name in enumerate(("c", "k")):
            alone = online.evaluate(plan, found[name][0], as_of, found[name][1])
            assert alone.row(0) == in_batch.row(place)
