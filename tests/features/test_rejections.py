"""Rejected rows: the rest of the table is kept, they are written aside, and too many stop it."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from features import clock
from features.__main__ import commands as features_commands
from features.errors import InteractionError, SourceError
from features.history import History
from features.interactions import Interaction, check_interaction
from features.rules import LONGEST_TEXT
from features.settings import read_settings
from features.sources.reader import read_history
from features.sources.rejections import aside
from tests.sources import VISITS, history, write

HEADER = "customer_id,occurred_at,kind,amount,rating,wait_minutes,topic"
GOOD = "c,2017-01-01,purchase,1,0.5,3,tea"
ANY = VISITS.replace('kind = "purchase"\n', "")
ALL = "\n[checks]\nrejected = 1.0\n"
LONG = "x" * (LONGEST_TEXT + 1)


def read(folder: Path, *lines: str, checks: str = ALL, section: str = ANY) -> History:
    """Read a table of these lines, the rejected ones written aside."""
    table = "\n".join((HEADER, *lines)) + "\n"
    path = write(folder, section + checks, {"visits.csv": table})
    found = read_settings(path)
    return read_history(found, aside(found))


def written(folder: Path, name: str = "interactions/visits.csv") -> list[dict[str, str]]:
    with (folder / "var" / "rejected" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("line", "column", "wanted"),
    [
        (",2017-01-01,purchase,1,,,", "customer_id", "a value in every row"),
        (f"{LONG},2017-01-01,purchase,1,,,", "customer_id", "1 to 500 characters"),
        ("c\x00d,2017-01-01,purchase,1,,,", "customer_id", "1 to 500 characters"),
        ("c,,purchase,1,,,", "occurred_at", "a value in every row"),
        ("c,soon,purchase,1,,,", "occurred_at", "a time such as"),
        ("c,0000-13-01,purchase,1,,,", "occurred_at", "a time such as"),
        ("c,2904-01-01,purchase,1,,,", "occurred_at", "times that have come"),
        ("c,9998-01-01T00:00:00Z,purchase,1,,,", "occurred_at", "times that have come"),
        ("c,2017-01-01,,1,,,", "kind", "a value in every row"),
        ("c,2017-01-01,visit,1,,,", "kind", "a kind that"),
        ("c,2017-01-01,purchase,inf,,,", "amount", "a finite number"),
        ("c,2017-01-01,purchase,much,,,", "amount", "a finite number"),
        ("c,2017-01-01,purchase,1,1.5,,", "rating", "a number from 0 to 1"),
        ("c,2017-01-01,purchase,1,-0.5,,", "rating", "a number from 0 to 1"),
        ("c,2017-01-01,purchase,1,,-1,", "wait_minutes", "at least 0"),
        (f"c,2017-01-01,purchase,1,,,{LONG}", "topic", "1 to 500 characters"),
    ],
)
def test_a_wrong_row_is_rejected_with_its_reason_and_the_others_are_kept(
    tmp_path: Path, line: str, column: str, wanted: str
) -> None:
    found = read(tmp_path, GOOD, line, GOOD)
    assert len(found.interactions) == 2
    assert found.report
    (rejection,) = found.report.interactions[0].table.rejections
    assert (rejection.column, rejection.count) == (column, 1)
    assert wanted in rejection.wanted
    (row,) = written(tmp_path)
    assert row["row"] == "2"
    assert f"column '{column}': got" in row["rejected_because"]
    assert wanted in row["rejected_because"]
    assert [row[name] for name in HEADER.split(",")] == line.split(",")


@pytest.mark.parametrize(
    "line",
    [
        "c,2017-01-01,purchase,nan,,,",
        "c,2017-01-01,purchase,-5,0,0,",
        "c,2017-01-01,purchase,,1,,",
        f"{'é' * LONGEST_TEXT},2017-01-01,purchase,,,,",
    ],
)
def test_what_is_missing_or_at_the_edge_is_no_reason(tmp_path: Path, line: str) -> None:
    assert len(read(tmp_path, line, checks="").interactions) == 1


def test_a_time_in_the_future_by_the_projects_zone_alone_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noon in New York has come, a minute past the skew has not; in UTC both would have."""
    now = clock.to_instant(clock.to_datetime(1_483_290_000_000_000), "UTC")  # 12:00 in New York
    monkeypatch.setattr("time.time_ns", lambda: now * 1000)
    lines = [f"c,2017-01-01T{at},purchase,1,,," for at in ("12:00", "12:05", "12:06")]
    found = read(tmp_path, *lines)
    assert len(found.interactions) == 2
    assert [row["row"] for row in written(tmp_path)] == ["3"]


def test_a_row_is_counted_once_under_its_first_reason(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD, ",soon,visit,inf,9,-1,")
    assert found.report
    assert found.report.interactions[0].table.rejected == 1


@pytest.mark.parametrize(("n_bad", "refused"), [(1, False), (2, True)])
def test_more_than_one_percent_stops_the_reading(tmp_path: Path, n_bad: int, refused: bool) -> None:
    lines = ["c,soon,purchase,1,,,"] * n_bad + [GOOD] * (100 - n_bad)
    if not refused:
        assert len(read(tmp_path, *lines, checks="").interactions) == 99
        return
    with pytest.raises(SourceError) as error:
        read(tmp_path, *lines, checks="")
    message = str(error.value)
    assert "source 'visits.csv', column 'occurred_at': got 'soon' (in 2 rows); wanted" in message
    assert "2 of 100 rows (2 %) rejected, more than the 1 % that [checks] rejected" in message
    assert str(tmp_path / "var" / "rejected" / "interactions" / "visits.csv") in message
    assert len(written(tmp_path)) == 2


def test_the_most_frequent_reason_is_told_with_its_most_frequent_values(tmp_path: Path) -> None:
    bad = [f"c,{when},purchase,1,,," for when in ("a", "b", "b", "c", "c", "d", "e", "e", "e")]
    with pytest.raises(SourceError) as error:
        read(tmp_path, *bad, ",2017-01-01,purchase,1,,,", GOOD, checks="")
    message = str(error.value)
    assert "got 'e' (in 3 rows), 'b' (in 2 rows), 'c' (in 2 rows) and more (in 2 rows)" in message
    assert "10 of 11 rows (90.9 %) rejected for 2 reasons" in message


def test_a_customers_id_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="column 'customer_id'") as error:
        read(tmp_path, f"{LONG},2017-01-01,purchase,1,,,", checks="")
    assert "xxx" not in str(error.value)


def test_a_constant_that_no_row_could_have_is_refused_whatever_is_allowed(tmp_path: Path) -> None:
    for constant in ('kind = "visit"', f'channel = "{LONG}"', 'topic = "a\\u0000b"'):
        section = f'\n[[interactions]]\nsource = "visits.csv"\n{constant}\n'
        with pytest.raises(SourceError, match=f"visits.csv', {constant.split()[0]}: got"):
            read(tmp_path, GOOD.replace("tea", ""), section=section)


def test_a_table_of_wrong_rows_alone_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no interactions"):
        read(tmp_path, "c,soon,purchase,1,,,")


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    table = f"{HEADER}\n{GOOD}\nc,soon,purchase,1,,,\n"
    history(tmp_path, ANY + ALL, {"visits.csv": table})
    assert not (tmp_path / "var").exists()


def test_what_was_written_for_a_table_that_is_mended_since_is_removed(tmp_path: Path) -> None:
    read(tmp_path, GOOD, "c,soon,purchase,1,,,")
    assert written(tmp_path)
    read(tmp_path, GOOD)
    assert not list((tmp_path / "var").rglob("*.csv"))


def test_columns_that_are_not_mapped_are_written_too_under_names_of_their_own(
    tmp_path: Path,
) -> None:
    table = pa.table(
        {
            "customer_id": ["a", None],
            "occurred_at": ["2017-01-01", "2017-01-02"],
            "Row": [7, 8],
            "rejected_because": ["x", 'say "no"\nor not'],
            "parts": [[1], [2, 3]],
        }
    )
    pq.write_table(table, tmp_path / "visits.parquet")
    path = write(tmp_path, VISITS.replace(".csv", ".parquet") + ALL)
    found = read_settings(path)
    read_history(found, aside(found))
    (row,) = written(tmp_path)
    assert row == {
        "row_": "2",
        "rejected_because_": "column 'customer_id': got nothing; wanted a value in every row",
        "customer_id": "",
        "occurred_at": "2017-01-02",
        "Row": "8",
        "rejected_because": 'say "no"\nor not',
        "parts": "[2, 3]",
    }


def test_the_numbers_of_rows_are_those_of_a_large_table(tmp_path: Path) -> None:
    n, bad = 400_000, {7, 122_880, 250_001, 399_999}
    customers = [None if i in bad else f"c{i % 50}" for i in range(n)]
    table = {"customer_id": customers, "occurred_at": ["2017-01-01"] * n, "i": range(n)}
    pq.write_table(pa.table(table), tmp_path / "visits.parquet", row_group_size=50_000)
    found = read_settings(write(tmp_path, VISITS.replace(".csv", ".parquet")))
    read_history(found, aside(found))
    rows = written(tmp_path)
    assert [(int(row["row"]) - 1, int(row["i"])) for row in rows] == [(i, i) for i in sorted(bad)]


def test_a_fact_that_is_wrong_is_rejected_and_the_others_are_kept(tmp_path: Path) -> None:
    attributes = '\n[[attributes]]\nsource = "facts.csv"\n'
    facts = "customer_id,known_at,city\na,2017-01-01,Bath\n,2017-01-01,Ayr\nb,soon,Ayr\nb,,Ayr\n"
    visits = "customer_id,occurred_at\na,2017-01-01\n"
    path = write(
        tmp_path,
        VISITS + attributes + attributes + ALL,
        {"visits.csv": visits, "facts.csv": facts},
    )
    found = read_settings(path)
    read = read_history(found, aside(found))
    assert read.attributes["value"].to_pylist() == ["Bath", "Bath"]
    assert read.report
    assert read.report.attributes[0].table.rejected == 3
    assert [row["row"] for row in written(tmp_path, "attributes/facts.csv")] == ["2", "3", "4"]
    assert len(written(tmp_path, "attributes/facts 2.csv")) == 3


def test_check_says_what_was_rejected_and_where_it_is(tmp_path: Path) -> None:
    table = "\n".join([HEADER, *[GOOD] * 999, "c,soon,purchase,1,,,"])
    path = write(tmp_path, ANY, {"visits.csv": table})
    done = CliRunner().invoke(features_commands, ["check", "--settings", str(path)])
    assert done.exit_code == 0, done.output
    place = tmp_path / "var" / "rejected" / "interactions" / "visits.csv"
    assert f"visits: 1,000 rows\n  rejected: 1 row, 0.1 %, written to {place}\n" in done.output
    assert "    1  column 'occurred_at': got 'soon' (in 1 row); wanted a time such" in done.output


TEXT = st.sampled_from(["a", "b\x00", "", "é" * LONGEST_TEXT, LONG, "purchase", "visit"])
NUMBER = st.sampled_from([None, 0.0, -0.0, 0.5, 1.0, 1.0000001, -1e-300, 1e300, float("inf")])
NOW = 1_500_000_000_000_000
TIME = st.sampled_from([NOW, NOW + 300_000_000, NOW + 300_000_001, 0, -(10**15), NOW * 3])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.fixed_dictionaries(
        {
            "customer_id": st.one_of(st.just("c"), TEXT),
            "kind": st.one_of(st.just("purchase"), TEXT),
            "occurred_at": st.one_of(st.just(NOW), TIME),
            "topic": st.one_of(st.none(), TEXT),
            "amount": NUMBER,
            "rating": NUMBER,
            "wait_minutes": NUMBER,
            "due_at": st.one_of(st.none(), TIME),
        }
    )
)
def test_a_table_and_the_api_refuse_the_same(row: dict[str, Any]) -> None:
    """Where the API refuses empty text, a table holds none."""
    plain: dict[str, Any] = {name: value if value != "" else None for name, value in row.items()}
    item = Interaction(recorded_at=NOW, **plain)
    try:
        check_interaction(
            item, frozenset({"purchase", "complaint", "offer_shown"}), frozenset(), NOW
        )
        right = True
    except InteractionError:
        right = False
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        patched.setattr("time.time_ns", lambda: NOW * 1000)
        times = {n: pa.timestamp("us", "UTC") for n in ("occurred_at", "due_at")}
        types = {**dict.fromkeys(row, pa.float64()), **times}
        types |= dict.fromkeys(("customer_id", "kind", "topic"), pa.string())
        good = dict.fromkeys(row) | {"customer_id": "z", "kind": "purchase", "occurred_at": NOW}
        columns = {n: pa.array([row[n], good[n]], t) for n, t in types.items()}
        pq.write_table(pa.table(columns), folder / "visits.parquet")
        found = history(folder, ANY.replace(".csv", ".parquet") + ALL)
    assert len(found.interactions) == 1 + right
