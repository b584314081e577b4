"""Sources: what a table's values become, whatever form it comes in."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine, text

from features import clock
from features.batch import Spine, compute
from features.errors import RapportError
from features.history import History
from features.plan import compile_plan
from features.signals import interactions
from tests.sources import VISITS, history, visits

EXAMPLES = int(os.environ.get("RAPPORT_EXAMPLES", "100"))


def rows(found: History, *columns: str) -> list[Any]:
    """The given columns in the order of time; one column alone comes without tuples."""
    order = [("occurred_at", "ascending"), ("customer_id", "ascending")]
    table = found.interactions.sort_by(order)
    return (
        table[columns[0]].to_pylist()
        if len(columns) == 1
        else list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    )


def times(found: History) -> list[str]:
    return [clock.isoformat(instant) for instant in rows(found, "occurred_at")]


def test_ids_in_text_files_keep_their_leading_zeros(tmp_path: Path) -> None:
    found = visits(tmp_path, "customer_id,occurred_at\n007,2017-01-02\n7,2017-01-03\n")
    assert rows(found, "customer_id") == ["007", "7"]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2017-01-02T10:00:00", "2017-01-02T15:00:00Z"),
        ("2017-07-02 10:00", "2017-07-02T14:00:00Z"),
        ("2017-01-02", "2017-01-02T05:00:00Z"),
        ("2017-01-02T10:00:00Z", "2017-01-02T10:00:00Z"),
        ("2017-01-02 10:00:00 UTC", "2017-01-02T10:00:00Z"),
        ("2017-01-02 10:00:00+00", "2017-01-02T10:00:00Z"),
        ("2017-01-02T10:00:00+05:30", "2017-01-02T04:30:00Z"),
        ("2017-01-02T10:00:00+0530 ", "2017-01-02T04:30:00Z"),
        (" 2017-01-02T10:00:00-02:00", "2017-01-02T12:00:00Z"),
        ("2017-01-02T10:00:00.000001", "2017-01-02T15:00:00.000001Z"),
    ],
)
def test_times_are_read_by_their_own_zone_else_by_the_projects(
    tmp_path: Path, written: str, instant: str
) -> None:
    assert times(visits(tmp_path, f"customer_id,occurred_at\nc,{written}\n")) == [instant]


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "30/11/2017",
        "2017-11-30 4:45 PM",
        "2017-11-30 16:45:00 America/New_York",
        "2017-02-29",
        "infinity",
        "0000-01-01",
        "9999-12-31",
        "20171130",
    ],
)
def test_what_is_no_time_is_refused_with_its_value_and_count(tmp_path: Path, written: str) -> None:
    table = f"customer_id,when\na,{written}\nb,2017-01-01\nc,{written}\n"
    with pytest.raises(RapportError) as error:
        visits(tmp_path, table, 'columns = { occurred_at = "when" }\n')
    message = str(error.value)
    assert "source 'visits.csv', column 'when'" in message
    assert f"'{written}' (in 2 rows)" in message


def test_parquet_times_are_naive_aware_or_dates_by_their_type(tmp_path: Path) -> None:
    moment = datetime(2017, 1, 2, 10)
    for name, column in {
        "naive": pa.array([moment], pa.timestamp("ns")),
        "aware": pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "Asia/Tokyo")),
        "date": pa.array([moment.date()]),
    }.items():
        table = pa.table({"customer_id": [name], "occurred_at": column})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    sections = [VISITS.replace("visits.csv", f"{n}.parquet") for n in ("naive", "aware", "date")]
    found = history(tmp_path, "".join(sections))
    assert dict(zip(rows(found, "customer_id"), times(found), strict=True)) == {
        "naive": "2017-01-02T15:00:00Z",
        "aware": "2017-01-02T10:00:00Z",
        "date": "2017-01-02T05:00:00Z",
    }


def test_a_glob_reads_several_files_as_one_source(tmp_path: Path) -> None:
    files = {
        "in/a.csv": "customer_id,occurred_at,interaction_id\na,2017-01-01,1\n",
        "in/b.csv": "customer_id,occurred_at,interaction_id\nb,2017-01-02,2\n",
    }
    found = history(tmp_path, VISITS.replace("visits.csv", "in/*.csv"), files)
    assert rows(found, "customer_id") == ["a", "b"]
    assert len(set(rows(found, "source"))) == 1


def test_numbers_that_the_settings_declare_are_read_and_empty_ones_are_missing(
    tmp_path: Path,
) -> None:
    table = "customer_id,occurred_at,n_items,amount\na,2017-01-01,3,1.5\nb,2017-01-02,,nan\n"
    found = visits(tmp_path, table, 'numbers = { items = "n_items" }\n')
    assert found.numbers == ("items",)
    assert rows(found, "items", "amount") == [(3.0, 1.5), (None, None)]


@pytest.mark.parametrize("name", ["c", "n0", "bad_amount", "naive_due_at", "number"])
def test_a_number_may_be_called_anything(tmp_path: Path, name: str) -> None:
    table = "customer_id,occurred_at,v,amount\na,2017-01-01,3,1\n"
    found = visits(tmp_path, table, f'numbers = {{ {name} = "v" }}\n')
    plan = compile_plan(interactions("value").sum(name, why="w"), {"value": ("purchase",)})
    spine = Spine(pa.array(["a"]), np.array([found.known_until]))
    assert compute(plan, found, spine).row(0) == [3.0]


def test_missing_and_not_a_number_in_parquet_are_missing(tmp_path: Path) -> None:
    table = pa.table(
        {
            "customer_id": ["a", "b", "c"],
            "occurred_at": [f"2017-01-0{day}" for day in (1, 2, 3)],
            "amount": [float("nan"), None, -0.0],
            "topic": ["", None, "tea"],
        }
    )
    pq.write_table(table, tmp_path / "visits.parquet")
    found = history(tmp_path, VISITS.replace(".csv", ".parquet"))
    assert list(map(str, rows(found, "amount"))) == ["None", "None", "0.0"]
    assert rows(found, "topic") == [None, None, "tea"]


def test_a_constant_wins_over_a_column_of_the_same_name(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,kind,channel\na,2017-01-01,complaint,web\n"
    found = visits(tmp_path, table, 'channel = "o\'clock"\ntopic = "tea"\n')
    assert rows(found, "kind", "channel", "topic") == [("purchase", "o'clock", "tea")]


def test_a_kind_may_come_from_a_column(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,what,resolved\na,2017-01-01,complaint,false\n"
    section = VISITS.replace('kind = "purchase"', 'columns = { kind = "what" }')
    found = history(tmp_path, section, {"visits.csv": table})
    assert rows(found, "kind", "resolved") == [("complaint", False)]


def database(folder: Path) -> str:
    """A database with nullable whole numbers, which must not become 12.0."""
    url = f"sqlite:///{folder / 'shop.db'}"
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in (
            "CREATE TABLE visits (c TEXT, at TEXT, offer INTEGER, paid REAL)",
            "INSERT INTO visits VALUES ('007', '2017-01-01 10:00:00', 12, 9.5)",
            "INSERT INTO visits VALUES ('8', '2017-01-02 10:00:00', NULL, NULL)",
        ):
            connection.execute(text(statement))
    return url


def test_a_database_answers_a_query(tmp_path: Path) -> None:
    section = f"""
[[interactions]]
source = "{database(tmp_path)}"
name = "shop"
query = "SELECT * FROM visits"
kind = "purchase"
columns = {{ customer_id = "c", occurred_at = "at", offer_id = "offer", amount = "paid" }}
"""
    found = history(tmp_path, section)
    assert rows(found, "customer_id", "offer_id", "amount") == [
        ("007", "12", 9.5),
        ("8", None, None),
    ]
    assert times(found)[0] == "2017-01-01T15:00:00Z"
    assert rows(found, "source") == ["shop", "shop"]


@pytest.mark.parametrize(
    ("source", "query", "told"),
    [
        ("sqlite:///missing/folder.db", "SELECT 1", "unable to open"),
        ("sqlite://", "SELECT * FROM nowhere", "no such table: nowhere"),
        ("sqlite://", None, "no query"),
        ("nodriver://someone:secret@host/db", "SELECT 1", "nodriver"),
        ("://", "SELECT 1", "Could not parse"),
    ],
)
def test_a_database_that_does_not_answer_is_told_without_its_password(
    tmp_path: Path, source: str, query: str | None, told: str
) -> None:
    asked = 'name = "db"\n' + (f'query = "{query}"\n' if query else "")
    with pytest.raises(RapportError, match=told) as error:
        history(tmp_path, VISITS.replace("visits.csv", source) + asked)
    assert "secret" not in str(error.value)


def test_of_repeated_ids_the_first_recorded_is_kept(tmp_path: Path) -> None:
    table = (
        "customer_id,occurred_at,recorded_at,interaction_id,amount\n"
        "a,2017-01-01,2017-01-09,1,9\n"
        "a,2017-01-02,2017-01-03,1,3\n"
        "a,2017-01-04,2017-01-04,2,4\n"
        "a,2017-01-05,2017-01-05,,5\n"
        "a,2017-01-05,2017-01-05,,5\n"
    )
    assert rows(visits(tmp_path, table), "amount") == [3.0, 4.0, 5.0, 5.0]


def test_repeats_recorded_at_once_are_decided_by_the_canonical_order(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,interaction_id,amount\na,2017-01-01,1,5\na,2017-01-01,1,\n"
    assert rows(visits(tmp_path, table), "amount") == [None]


def test_the_same_id_in_two_sources_is_two_interactions(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,interaction_id\na,2017-01-01,1\n"
    sections = VISITS + VISITS.replace("visits", "calls")
    found = history(tmp_path, sections, {"visits.csv": table, "calls.csv": table})
    assert sorted(rows(found, "source")) == ["calls", "visits"]


LATE = (
    "customer_id,occurred_at,recorded_at,interaction_id\n"
    "a,2017-01-01,2017-01-01,1\n"
    "b,2017-01-02,2017-03-01,2\n"
    "c,2017-03-01,2017-01-03,3\n"
    "c,2017-01-04,2017-01-05,3\n"
)


def test_known_until_lies_just_after_the_last_interaction(tmp_path: Path) -> None:
    found = visits(tmp_path, LATE)
    assert clock.isoformat(found.known_until) == "2017-03-01T05:00:00.000001Z"
    assert rows(found, "customer_id") == ["a", "b", "c"]


def test_the_clock_cuts_off_what_was_not_yet_known(tmp_path: Path) -> None:
    project = 'timezone = "America/New_York"\nclock = "2017-02-01T00:00:00"'
    found = history(tmp_path, files={"visits.csv": LATE}, project=project)
    assert clock.isoformat(found.known_until) == "2017-02-01T05:00:00Z"
    assert rows(found, "customer_id") == ["a"], "a later repeat does not stand in for the first"


FUZZED = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ac,;\n\r\"'\t 01-:TZ\\\x00é#", max_size=80),
    st.lists(
        st.tuples(
            st.sampled_from(["a", "", '"', "\x00", "é"]),
            st.sampled_from(["2017-01-01", "", "9999-12-31", "0001-01-01", "x", "2017-01-01T00Z"]),
            st.sampled_from(["1", "1e400", "nan", "", "-inf", "0x10", "1,2", "'"]),
        ),
        max_size=4,
    ).map(lambda lines: "customer_id,occurred_at,amount\n" + "\n".join(map(",".join, lines))),
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(FUZZED, st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_any_text_as_a_source_ends_in_a_history_or_an_error_for_people(
    content: str, encoding: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "visits.csv").write_bytes(content.encode(encoding, "replace"))
        try:
            assert len(history(Path(folder)).interactions) > 0
        except RapportError as error:
            assert str(error)
