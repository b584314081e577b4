"""The commands that look after a store: they do it, say what, and refuse what cannot be undone."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from features import clock
from features.interactions import Interaction
from features.settings import read_settings
from serving.__main__ import commands
from serving.loading import open_store
from serving.upkeep import before

SETTINGS = """
[project]
name = "till"
timezone = "UTC"
clock = "2024-06-30T00:00:00"

[[interactions]]
source = "visits.csv"
kind = "visit"
columns = { customer_id = "who", occurred_at = "at" }

[roles]
value = ["visit"]

[serving]
store = "sqlite:///var/till.db"
"""
DAY = clock.DAY
NOW = 1_719_705_600_000_000  # 2024-06-30


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings whose store holds visits of two customers, a year apart each, and decisions."""
    path = tmp_path / "rapport.toml"
    path.write_text(SETTINGS)
    (tmp_path / "visits.csv").write_text("who,at\n")
    with open_store(read_settings(path)) as store:
        for years in range(5):
            at = NOW - 366 * years * DAY - DAY
            store.record([Interaction(c, at, 0, "visit", amount=1.5) for c in ("annabel", "bob")])
            store.decide("annabel", at, lambda _: {"ranked": []})
    return path


def run(settings: Path, *arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [*map(str, arguments), "--settings", str(settings)])
    return result.exit_code, result.output


def count(settings: Path, customer: str) -> int:
    with open_store(read_settings(settings)) as store:
        return len(store.histories([customer])[customer][0])


def test_a_backup_is_a_store_while_the_first_is_written(settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    with open_store(read_settings(settings)) as store:
        store.record([Interaction("annabel", NOW, 0, "visit")])
        code, told = run(settings, "backup", file)
        store.record([Interaction("annabel", NOW, 0, "visit")])
    assert (code, str(file) in told) == (0, True)
    assert file.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    settings.write_text(SETTINGS.replace("var/till.db", "copy.db"))
    assert count(settings, "annabel") == 6


def test_a_backup_is_never_written_over(settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("precious")
    code, told = run(settings, "backup", file)
    assert (code, file.read_text()) == (2, "precious")
    assert "Name another one" in told


@pytest.mark.parametrize(
    ("store", "remedy"),
    [("postgresql://nobody:secret@127.0.0.1:1/x", "pg_dump"), ("sqlite:///var/none.db", "Check")],
)
def test_a_store_that_cannot_be_copied_is_told(settings: Path, store: str, remedy: str) -> None:
    settings.write_text(SETTINGS.replace("sqlite:///var/till.db", store))
    code, told = run(settings, "backup", settings.parent / "copy.db")
    assert code == 2
    assert remedy in told
    assert "secret" not in told
    assert not (settings.parent / "copy.db").exists()


def test_a_folder_that_is_not_there_is_told(settings: Path) -> None:
    code, told = run(settings, "backup", settings.parent / "none" / "copy.db")
    assert code == 2
    assert "a file that can be written" in told


def test_retention_counts_first_and_deletes_when_told_to(settings: Path) -> None:
    code, told = run(settings, "retain", "--older-than", "2y")
    assert code == 2
    assert "6 interactions and 3 decisions from before 2022-06-30" in told
    assert "can no longer be computed again" in told
    assert count(settings, "annabel") == 5
    code, told = run(settings, "retain", "--older-than", "2y", "--yes")
    assert code == 0
    assert "Deleted 6 interactions and 3 decisions" in told
    assert count(settings, "annabel") == 2
    with open_store(read_settings(settings)) as store:
        since = store.kept_since
        assert since is not None
        assert clock.isoformat(since).startswith("2022-06-30T00:0")
        store.retain(since - DAY)
        assert store.kept_since == since
        assert len(store.export("annabel")["decisions"]) == 2


@pytest.mark.parametrize("age", ["3", "y", "-1d", "0d", "1.5y", "3000y", "999999d"])
def test_an_age_that_is_none_is_refused(settings: Path, age: str) -> None:
    code, told = run(settings, "retain", "--older-than", age, "--yes")
    assert (code, "Traceback" in told) == (2, False)
    assert count(settings, "annabel") == 5


def test_years_are_those_of_the_calendar() -> None:
    assert before(NOW, 1, "y") == NOW - 366 * DAY
    assert before(NOW, 90, "d") == NOW - 90 * DAY


def test_a_customer_is_exported_and_erased(settings: Path) -> None:
    code, told = run(settings, "export", "annabel")
    assert code == 0
    assert [item["amount"] for item in json.loads(told)["interactions"]] == [1.5] * 5
    code, told = run(settings, "erase", "annabel", "nobody")
    assert code == 0
    assert "5 interactions, 0 attributes, 0 identities, 5 decisions" in told
    assert (count(settings, "annabel"), count(settings, "bob")) == (0, 5)
    with open_store(read_settings(settings)) as store:
        assert store.record([Interaction("annabel", NOW, 0, "visit")]).accepted == 0
    assert b"annabel" not in (settings.parent / "var" / "till.db").read_bytes()


def test_a_store_is_its_owners_to_read(settings: Path) -> None:
    for path in (settings.parent / "var").glob("till.db*"):
        assert path.stat().st_mode & 0o077 == 0
