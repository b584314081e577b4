"""The store's schema: made by its revisions, taken over from before, and never guessed."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from features.errors import SourceError
from features.interactions import Interaction
from serving.revision import NEWEST, VERSIONS, revision_of
from serving.store import Store
from serving.tables import METADATA

START = 1_700_000_000_000_000
BEFORE_REVISIONS = """
CREATE TABLE interactions (
 seq {seq}, customer_id TEXT NOT NULL, occurred_at BIGINT NOT NULL, recorded_at BIGINT NOT NULL,
 interaction_id TEXT, source TEXT NOT NULL, kind TEXT NOT NULL, channel TEXT, topic TEXT,
 case_id TEXT, offer_id TEXT, amount DOUBLE PRECISION, wait_minutes DOUBLE PRECISION,
 rating DOUBLE PRECISION, resolved BOOLEAN, due_at BIGINT, numbers TEXT, PRIMARY KEY (seq));
CREATE UNIQUE INDEX interactions_once ON interactions (source, interaction_id);
CREATE INDEX ix_interactions_customer_id ON interactions (customer_id);
CREATE TABLE attributes (customer_id TEXT NOT NULL, known_at BIGINT NOT NULL, name TEXT NOT NULL,
 value TEXT NOT NULL);
CREATE INDEX ix_attributes_customer_id ON attributes (customer_id);
CREATE TABLE identities (key TEXT NOT NULL, customer_id TEXT NOT NULL, known_at BIGINT NOT NULL,
 PRIMARY KEY (key));
CREATE INDEX ix_identities_customer_id ON identities (customer_id);
CREATE TABLE decisions (decision_id TEXT NOT NULL, customer_id TEXT NOT NULL,
 as_of BIGINT NOT NULL, decision TEXT NOT NULL, PRIMARY KEY (decision_id));
CREATE INDEX ix_decisions_customer_id ON decisions (customer_id);
CREATE TABLE clock (id INTEGER NOT NULL, last_recorded BIGINT NOT NULL, project TEXT NOT NULL,
 imported TEXT, PRIMARY KEY (id));
INSERT INTO clock VALUES (1, 1700000000000100, 'shop', 'digest');
INSERT INTO interactions VALUES (7, 'b', 5, 6, NULL, 'till', 'purchase', NULL, NULL, NULL, NULL,
 1.5, NULL, NULL, {true}, NULL, '{{"points": 2.0}}');
INSERT INTO interactions VALUES (9, 'a', 7, 8, 'one', 'till', 'visit', 'web', NULL, NULL, NULL,
 NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO attributes VALUES ('a', 3, 'city', 'Ayr');
INSERT INTO identities VALUES ('k', 'a', 4);
INSERT INTO decisions VALUES ('d', 'a', 9, '{{"ranked": []}}');
"""


def execute(url: str, script: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in script.strip().removesuffix(";").split(";\n"):
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def unversioned(store_url: str) -> str:
    """The URL of a store as it was written before its schema had revisions."""
    sqlite = store_url.startswith("sqlite")
    if sqlite:
        Store(store_url).close()
        engine = sa.create_engine(store_url)
        with engine.begin() as connection:
            for table in (*METADATA.sorted_tables, VERSIONS):
                connection.exec_driver_sql(f"DROP TABLE {table.name}")
        engine.dispose()
    seq = "INTEGER NOT NULL" if sqlite else "BIGSERIAL"
    execute(store_url, BEFORE_REVISIONS.format(seq=seq, true="1" if sqlite else "true"))
    return store_url


def test_an_empty_database_is_made_as_the_tables_are_declared(empty: Store) -> None:
    with empty._engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: (kind, name) != ("table", VERSIONS.name),
                "compare_type": False,
            },
        )
        assert compare_metadata(context, METADATA) == []
        assert revision_of(connection) == NEWEST


def test_a_store_from_before_revisions_is_taken_over_whole(unversioned: str) -> None:
    with Store(unversioned, START, "shop") as store:
        assert store.imported == "digest"
        assert store.as_of() > 1_700_000_000_000_100
        found = store.histories(["a", "b"])
        assert found["b"][0] == [
            Interaction(
                "b",
                5,
                6,
                "purchase",
                None,
                "till",
                amount=1.5,
                resolved=True,
                numbers={"points": 2},
            )
        ]
        assert found["a"][0] == [Interaction("a", 7, 8, "visit", "one", "till", "web")]
        assert [(fact.name, fact.value) for fact in found["a"][1]] == [("city", "Ayr")]
        assert store.export("k")["identities"][0]["key"] == "k"
        assert store.decision("d") is not None
        again = store.record([Interaction("a", 7, 0, "visit", "one", "till", "web")])
        assert again.duplicates == [0]
        assert store.record([Interaction("b", 7, 0, "visit", "two", "till")]).accepted == 1
    with Store(unversioned, START, "shop") as store:
        assert len(store.histories(["b"])["b"][0]) == 2


def test_a_store_of_a_newer_revision_is_refused_and_left_alone(store_url: str) -> None:
    Store(store_url, START).close()
    execute(store_url, f"UPDATE {VERSIONS.name} SET version_num = '9999'")
    with pytest.raises(SourceError, match="revision 9999, which this version") as refused:
        Store(store_url, START)
    password = sa.make_url(store_url).password
    assert password is None or password not in str(refused.value)
    execute(store_url, f"UPDATE {VERSIONS.name} SET version_num = '{NEWEST}'")
    Store(store_url, START).close()


OPENER = """
import sys
from serving.store import Store
sys.stdin.readline()
Store(sys.argv[1], 1_700_000_000_000_000, "shop").close()
"""


@pytest.mark.slow
def test_processes_may_take_over_an_old_store_at_once(unversioned: str) -> None:
    opening = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, unversioned],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [process.communicate("go\n")[1] for process in opening] == [""] * 4
    with Store(unversioned, START, "shop") as store:
        assert [len(items) for items, _ in store.histories(["a", "b"]).values()] == [1, 1]
