"""Erasing: nothing of a customer is left, not even in the bytes, and nothing comes back."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from features import clock
from features.errors import InteractionError
from features.history import History
from features.identities import IDENTITIES_SCHEMA
from features.interactions import Attribute, Interaction
from serving.importing import Imported
from serving.store import Store
from serving.tables import IDENTITIES
from tests.histories import history_of

START = 1_700_000_000_000_000
ID, KEY, TOPIC = "customer-4711-secret", "key-of-4711-secret", "topic-4711-secret"
SECRETS = (ID.encode(), KEY.encode(), TOPIC.encode())


def joined() -> History:
    """Return a history of a customer with a key, and of another one."""
    items = [
        Interaction(ID, 10, 11, "purchase", "1", "till", topic=TOPIC, amount=12.5),
        Interaction(KEY, 20, 21, "visit", "2", "web", topic=TOPIC),
        Interaction("other", 30, 31, "visit", "3", "web"),
    ]
    facts = [Attribute(ID, clock.EVER, "city", "Ayr"), Attribute("other", 5, "city", "Bath")]
    rows = [{"key": KEY, "customer_id": ID, "known_at": 25}]
    identities = pa.Table.from_pylist(rows, IDENTITIES_SCHEMA)
    return replace(history_of(items, 50, facts), identities=identities)


@pytest.fixture
def filled(empty: Store) -> Store:
    """A store of that history, with a decision for each customer."""
    empty.import_history(joined(), "digest")
    for customer in (ID, "other"):
        empty.decide(customer, START, lambda _: {"ranked": [TOPIC]})
    return empty


@pytest.mark.parametrize("name", [ID, KEY])
def test_everything_is_erased_under_every_name(filled: Store, name: str) -> None:
    erased = filled.erase(name)
    assert (erased.names, erased.interactions, erased.attributes) == (2, 2, 1)
    assert (erased.identities, erased.decisions, erased.others) == (1, 1, 0)
    assert erased.scrubbed
    assert filled.histories([ID, KEY]) == {ID: ([], []), KEY: ([], [])}
    assert filled.customers() == ["other"]
    assert len(filled.export("other")["decisions"]) == 1
    nothing = filled.export(ID)
    assert not any(nothing[n] for n in ("interactions", "attributes", "identities", "decisions"))


def test_a_key_means_its_customer_once_that_is_known(filled: Store) -> None:
    further = {"key": "further", "customer_id": KEY, "known_at": 40}
    with filled._alone() as connection:
        connection.execute(IDENTITIES.insert(), further)
    names = [ID, KEY, "nobody", "further", KEY, "a\x00b"]
    assert filled.whose(names) == [ID, ID, "nobody", ID, ID, "a\x00b"]
    assert filled.whose(names, 25) == names
    assert filled.whose(["further", KEY], 30) == ["further", ID]
    filled.erase(ID)
    assert filled.whose([KEY]) == [KEY]


def test_nothing_is_recorded_of_who_was_erased(filled: Store) -> None:
    filled.erase(ID)
    done = filled.record([Interaction(n, 40, 0, "visit") for n in ("other", ID, KEY)])
    assert done.accepted == 1
    assert sorted(done.conflicts) == [1, 2]
    assert done.conflicts[1].got == "a customer who was erased"
    assert ID not in str(done.conflicts[1])
    with pytest.raises(InteractionError, match="erased"):
        filled.decide(ID, START, lambda _: {})
    assert filled.export(ID)["decisions"] == []


def test_an_import_leaves_out_who_was_erased_and_counts(empty: Store) -> None:
    for name in (ID, KEY):
        assert empty.erase(name).interactions == 0
    assert empty.import_history(joined(), "digest") == Imported(1, erased=2)
    assert empty.customers() == ["other"]
    held = empty.export(ID)
    assert not any(held[n] for n in ("interactions", "attributes", "identities", "decisions"))


def test_erasing_twice_changes_nothing(filled: Store) -> None:
    filled.erase(ID)
    again = filled.erase(ID)
    assert (again.names, again.interactions, again.decisions) == (1, 0, 0)


def test_an_export_is_all_that_is_held_in_plain_data(filled: Store) -> None:
    held = json.loads(json.dumps(filled.export(KEY), allow_nan=False))
    assert (held["customer_id"], held["keys"]) == (ID, [KEY])
    assert [item["occurred_at"] for item in held["interactions"]] == [
        "1970-01-01T00:00:00.000010Z",
        "1970-01-01T00:00:00.000020Z",
    ]
    assert held["interactions"][0]["recorded_at"] == "1970-01-01T00:00:00.000011Z"
    assert held["interactions"][0]["amount"] == 12.5
    assert held["attributes"] == [
        {"customer_id": ID, "known_at": None, "name": "city", "value": "Ayr"}
    ]
    assert held["identities"][0]["known_at"] == "1970-01-01T00:00:00.000025Z"
    assert held["decisions"][0]["decision"] == {"ranked": [TOPIC]}


def files(folder: Path) -> bytes:
    """Return the bytes of a SQLite store: database, write-ahead log and shared memory."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("store.db*")))


def test_no_byte_of_who_was_erased_is_left_in_the_files(tmp_path: Path) -> None:
    """Also none of the copies that pages keep of rows that moved on to others."""
    rng = random.Random(5)
    with Store(f"sqlite:///{tmp_path / 'store.db'}", START) as store:
        for batch in range(60):
            customers = [ID, *(f"c{rng.randrange(10**9)}" for _ in range(20))]
            rng.shuffle(customers)
            store.record(
                [
                    Interaction(c, n, 0, "visit", f"{batch}-{n}", topic=TOPIC if c == ID else "x")
                    for n, c in enumerate(customers)
                ]
            )
        store.decide(ID, START, lambda _: {"topic": TOPIC})
        assert all(secret in files(tmp_path) for secret in (ID.encode(), TOPIC.encode()))
        other = store.customers()[0]
        assert store.erase(ID).scrubbed
        left = files(tmp_path)
        assert not any(secret in left for secret in SECRETS)
        assert other.encode() in left
        assert len(store.customers()) == 60 * 20


def test_a_reader_in_the_way_of_wiping_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.erasing.SCRUB_PATIENCE", 0.0)
    monkeypatch.setattr("serving.engine.PATIENCE", 100)
    with Store(f"sqlite:///{tmp_path / 'store.db'}", START) as store:
        store.record([Interaction(ID, 1, 0, "visit", topic=TOPIC)])
        with store._engine.connect() as reader:
            reader.exec_driver_sql("SELECT count(*) FROM interactions").scalar_one()
            assert not store.erase(ID).scrubbed
        assert store.scrub()
        assert not any(secret in files(tmp_path) for secret in SECRETS)
