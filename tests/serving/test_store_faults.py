"""What a store survives: killed writers, a database that goes away, a full disk."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.interactions import Interaction
from serving.store import Store
from tests.postgres import postgres

START = 1_700_000_000_000_000
PATIENCE = 60
WRITER = """
import sys
from features.interactions import Interaction
from serving.store import Store
store = Store(sys.argv[1], 1_700_000_000_000_000)
batch = int(sys.argv[2])
while True:
    ids = [f"{batch}-{n}" for n in range(100)]
    store.record([Interaction(str(n), 1, 1, "purchase", id, "till") for n, id in enumerate(ids)])
    print(batch, flush=True)
    batch += 1
"""


def test_a_full_database_is_a_clear_error_and_nothing_breaks(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(f"sqlite:///{path}", START) as store:
        n = fill(store, 0)
        limit(store, 1)
        with pytest.raises(sa.exc.OperationalError, match="full"):
            fill(store, n, 1000)
        kept = len(store.histories(["c"])["c"][0])
        with closing(sqlite3.connect(path)) as check:
            assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        limit(store, 2**30)
        fill(store, n, 3)
        assert len(store.histories(["c"])["c"][0]) >= kept + 3


def fill(store: Store, begin: int, batches: int = 3) -> int:
    """Record batches of one, each acknowledged, and return the next number."""
    for n in range(begin, begin + batches):
        item = Interaction("c", n, 0, "visit", str(n), "till", case_id="x" * 2000)
        done = store.record([item])
        assert done.accepted + len(done.duplicates) == 1
    return begin + batches


def limit(store: Store, pages: int) -> None:
    """Give every connection of a store room for no more pages than these (or those in use)."""
    store._engine.dispose()

    def connected(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    sa.event.listen(store._engine, "connect", connected)


@pytest.mark.slow
def test_what_was_acknowledged_survives_twenty_kills(store_url: str) -> None:
    acknowledged: list[int] = []
    Store(store_url, START).close()
    for turn in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, store_url, str(turn * 1_000_000)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            acknowledged += [int(writer.stdout.readline()) for _ in range(1 + turn % 5)]
            time.sleep(0.003 * (turn % 7))  # into a write, or between two
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout.read().split()]
    with Store(store_url, START) as store:
        found = store.histories([str(n) for n in range(100)])
    ids = [item.interaction_id for items, _ in found.values() for item in items]
    assert len(ids) == len(set(ids))
    assert {f"{batch}-{n}" for batch in acknowledged for n in range(100)} <= set(ids)
    assert len(ids) % 100 == 0  # a batch is there whole or not at all


@contextmanager
def stopped(url: str) -> Iterator[Callable[[], None]]:
    """Stop a PostgreSQL; give what starts it again, and stop that one afterwards."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
    engine.dispose()
    pid, *_ = (folder / "postmaster.pid").read_text().split()
    program = Path(f"/proc/{pid}/exe").readlink()
    command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    os.kill(int(pid), signal.SIGINT)
    wait_for(lambda: not (folder / "postmaster.pid").exists())
    account = {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}
    again: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        log = (folder.parent / "log").open("a")
        again.append(
            subprocess.Popen(
                [program, *command[1:]],
                stdout=log,
                stderr=log,
                cwd=folder.parent,
                **account,  # type: ignore[call-overload]
            )
        )
        log.close()

    try:
        yield start
    finally:
        for server in again:
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE)


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(store: Store) -> bool:
    try:
        store.as_of()
    except sa.exc.SQLAlchemyError:
        return False
    return True


@pytest.mark.slow
def test_a_postgresql_that_went_away_is_an_error_at_once_and_is_found_again() -> None:
    item = Interaction("c", 1, 0, "visit", "1", "till")
    with postgres() as url, Store(url, START) as store:
        store.record([item])
        with stopped(url) as start:
            for call in (
                store.as_of,
                lambda: store.histories(["c"]),
                lambda: store.record([item]),
                lambda: store.decide("c", 1, lambda _: {}),
                lambda: store.export("c"),
            ):
                with pytest.raises(sa.exc.SQLAlchemyError):
                    call()
            start()
            wait_for(lambda: answers(store))
            assert store.record([item]).duplicates == [0]
            assert len(store.histories(["c"])["c"][0]) == 1
