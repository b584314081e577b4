"""What `init` writes holds what it meant, whatever tables, columns and values are called."""

import sqlite3
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from features.errors import SettingsError
from features.settings import read_settings
from features.sources.guessing import Found
from features.sources.naming import number_name
from features.sources.profile import Column, Profile
from features.sources.reader import read_history
from features.sources.sorting import Table
from features.sources.tables import open_query
from training.__main__ import commands
from training.proposal import Project, lines
from training.writing import put

DRAFT = ("[churn]", 'horizon = "28d"')
LEAST = """
[project]
name = "x"
[[interactions]]
source = "sales.csv"
[roles]
value = ["purchase"]
"""
DAYS = [f"2024-01-{1 + n % 28:02}" for n in range(60)]


def start(folder: Path, *more: str) -> Result:
    told = ["init", str(folder), "--out", str(folder / "rapport.toml"), *more]
    return CliRunner().invoke(commands, told)


def proposed(folder: Path) -> dict[str, Any]:
    """Propose settings for a folder whose history is too short to train on."""
    result = start(folder)
    assert "days for a horizon of" in result.output
    return tomllib.loads((folder / "rapport.toml").read_text(encoding="utf-8"))


def write(file: Path, header: str, row: str) -> None:
    file.parent.mkdir(exist_ok=True)
    rows = (row.format(c=n % 9, d=day, n=n) for n, day in enumerate(DAYS))
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def test_further_numbers_have_names_that_the_settings_take(tmp_path: Path) -> None:
    header = "customer,date,amount,rating,wait_minutes,channel,source,Größe,%,Foo Bar,foo_bar"
    row = "c{c},{d},{n}.5,5,-1.5,{n}.25,7.5,{n}.125,0.5,{n}.75,{n}.0625"
    write(tmp_path / "sales.csv", header, row)
    (table,) = proposed(tmp_path)["interactions"]
    assert table["numbers"] == {
        "rating_number": "rating",
        "wait_minutes_number": "wait_minutes",
        "channel_number": "channel",
        "source_number": "source",
        "groesse": "Größe",
        "number": "%",
        "foo_bar": "Foo Bar",
        "foo_bar_2": "foo_bar",
    }
    history = read_history(read_settings(tmp_path / "rapport.toml"))
    assert set(history.interactions["rating_number"].to_pylist()) == {5.0}
    assert set(history.interactions["rating"].to_pylist()) == {None}


@given(st.lists(st.text(max_size=8), max_size=6))
def test_names_of_numbers_are_valid_and_their_own(columns: list[str]) -> None:
    found: list[str] = []
    for column in columns:
        found.append(number_name(column, found))
    assert len(set(found)) == len(columns)
    assert all(name.isascii() and name.isidentifier() and name == name.lower() for name in found)


def test_of_two_tables_of_offers_one_is_left_out_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path / "sales.csv", "customer,date,amount", "c{c},{d},{n}.5")
    (tmp_path / "campaigns.csv").write_text("campaign_id,topics\na,tea\nb,wine\n")
    (tmp_path / "coupons.csv").write_text("coupon_id\na\nb\nd\n")
    assert proposed(tmp_path)["offers"]["source"] == "campaigns.csv"
    said = (tmp_path / "rapport.toml").read_text()
    assert "# coupons.csv is left out: one row for each 'coupon_id', but there is one" in said


def test_tables_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder / "orders.csv", "customer,date,amount", "c{c},{d},{n}.5")
    out = tmp_path / "rapport.toml"
    sources = [str(tmp_path / folder / "orders.csv") for folder in ("a", "b")]
    result = CliRunner().invoke(commands, ["init", *sources, "--out", str(out)])
    assert "days for a horizon of" in result.output
    assert [source.label for source in read_settings(out).interactions] == ["orders", "b_orders"]


def test_a_files_name_is_no_setting(tmp_path: Path) -> None:
    name = "x\n[policy]\ncontrol_share = 1.0 #.csv"
    (tmp_path / name).write_text("sku,level\na,1\nb,2\n")
    write(tmp_path / "sales.csv", "customer,date,amount", "c{c},{d},{n}.5")
    assert "policy" not in proposed(tmp_path)
    assert "# x [policy] control_share = 1.0 #.csv is left out" in (
        tmp_path / "rapport.toml"
    ).read_text(encoding="utf-8")


def test_a_line_break_in_a_header_or_a_value_is_none_of_the_settings(tmp_path: Path) -> None:
    header = '"customer\nid",date,"a\nb",amount,channel'
    write(tmp_path / "sales.csv", header, 'c{c},{d},"x{n}",{n}.5,"by\nphone"')
    (table,) = proposed(tmp_path)["interactions"]
    assert table["columns"]["customer_id"] == "customer\nid"
    assert '# left out: "a b"' in (tmp_path / "rapport.toml").read_text(encoding="utf-8")


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_whatever_text_stands_in_it_the_file_says_what_was_meant(text: str) -> None:
    column = Column(text, 9, 9, 2, values=(text, text))
    when = Column("at", 9, 9, 9, is_time=True)
    who = Column("customer", 9, 9, 3)
    profile = Profile(text, 9, {each.name: each for each in (who, when, column)})
    found = Found(
        {"customer_id": "customer", "occurred_at": "at", "channel": text}, left={text: text}
    )
    table = Table(text, None, "t", profile, "interactions", found, text)
    lost = Table(text, None, "u", profile, why=text)
    project = Project(text, "UTC", text, text)
    told = tomllib.loads("\n".join(lines(project, [table, lost], DRAFT)))
    assert set(told) == {"project", "interactions", "roles", "churn"}
    assert told["project"] == {"name": text, "timezone": "UTC", "currency": text}
    assert told["interactions"][0]["columns"]["channel"] == text


def test_what_does_not_read_is_not_left_in_place(tmp_path: Path) -> None:
    out = tmp_path / "rapport.toml"
    out.write_text("mine")
    with pytest.raises(SettingsError, match=r"rapport\.toml, \[project\] .*; wanted"):
        put(out, LEAST.replace("name", "nmae"), private=False)
    assert out.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [out]


def test_a_place_that_cannot_be_written_to_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SettingsError, match="wanted a place that can be written to"):
        put(tmp_path / "taken" / "rapport.toml", LEAST, private=False)


def test_a_database_is_kept_secret_over_a_file_that_anybody_reads(tmp_path: Path) -> None:
    out = tmp_path / "rapport.toml"
    out.write_text("old")
    out.chmod(0o644)
    put(out, LEAST, private=True)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_what_is_left_out_of_a_database_says_nothing_secret() -> None:
    url = "postgresql://bob:secret@db/shop"
    left = Table(url, "SELECT * FROM notes", "t", Profile("notes", 1, {}), why="nothing")
    said = "\n".join(lines(Project("x", "UTC", "", ""), [left], DRAFT))
    assert "# postgresql://db/shop, table notes, is left out: nothing." in said
    assert "secret" not in said


def test_of_a_big_table_of_a_database_the_first_rows_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.opening.MOST_ROWS", 50)
    read: list[int] = []
    with sqlite3.connect(tmp_path / "shop.db") as database:
        for name, columns in (("log lines", "level, text"), ("sales", "customer, date, amount")):
            database.execute(f'CREATE TABLE "{name}" ({columns})')
        database.executemany("INSERT INTO \"log lines\" VALUES (?, 'x')", [(n,) for n in range(90)])
        days = [(f"c{n % 9}", day, n + 0.5) for n, day in enumerate(DAYS)]
        database.executemany("INSERT INTO sales VALUES (?, ?, ?)", days)
    database.close()

    def opening(connection: Any, url: str, query: str | None) -> Any:
        answer = open_query(connection, url, query)
        read.append(len(answer))
        return answer

    monkeypatch.setattr("training.opening.open_query", opening)
    out = tmp_path / "rapport.toml"
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    result = CliRunner().invoke(commands, ["init", url, "--out", str(out)])
    assert read == [50, 50]
    assert "sales: interactions, 'customer' and a time, 'date', by its first 50" in result.output
    settings = read_settings(out)
    assert settings.interactions[0].query == "SELECT * FROM sales"
    assert len(read_history(settings).interactions) == len(DAYS)
    assert f"# {url}, table log lines, is left out" in out.read_text(encoding="utf-8")


def test_kinds_are_looked_for_in_all_rows_of_a_big_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.opening.MOST_ROWS", 50)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE events (customer, date, event_type)")
        kinds = ["purchase"] * 30 + ["visit"] * 20 + ["complaint"] * 10
        rows = [(f"c{n % 9}", day, kinds[n]) for n, day in enumerate(DAYS)]
        database.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
    database.close()
    out = tmp_path / "rapport.toml"
    CliRunner().invoke(commands, ["init", f"sqlite:///{tmp_path / 'shop.db'}", "--out", str(out)])
    assert read_settings(out).roles.negative == ("complaint",)


def test_the_trial_leaves_the_settings_alone(tmp_path: Path) -> None:
    write(tmp_path / "sales.csv", "customer,date,amount", "c{c},{d},{n}.5")
    with (tmp_path / "sales.csv").open("a") as sales:
        sales.write(",2024-01-01,5\n")
    proposed(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"sales.csv", "rapport.toml"}
