"""Sources: tables of attributes and of offers."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import clock
from features.errors import SourceError
from features.history import History
from tests.sources import VISITS, history

VISIT = {"visits.csv": "customer_id,occurred_at\nc,2017-01-01\n"}
ATTRIBUTES = '\n[[attributes]]\nsource = "facts.csv"\n'
OFFERS = '\n[offers]\nsource = "offers.csv"\n'


def facts(folder: Path, content: str, further: str = "") -> History:
    return history(folder, VISITS + ATTRIBUTES + further, {**VISIT, "facts.csv": content})


def offers(folder: Path, content: str, further: str = "") -> History:
    return history(folder, VISITS + OFFERS + further, {**VISIT, "offers.csv": content})


def listed(found: History) -> list[dict[str, Any]]:
    order = [("customer_id", "ascending"), ("known_at", "ascending"), ("name", "ascending")]
    listed: list[dict[str, Any]] = found.attributes.sort_by(order).to_pylist()
    return listed


def test_undated_attributes_are_known_since_ever(tmp_path: Path) -> None:
    found = facts(tmp_path, "customer_id,city\n007,Bath\n")
    fact = {"customer_id": "007", "known_at": clock.EVER, "name": "city", "value": "Bath"}
    assert listed(found) == [fact]


def test_dated_attributes_are_known_from_their_date_in_the_projects_zone(tmp_path: Path) -> None:
    table = "customer_id,since,city\nc,2017-01-02,Bath\nc,2017-01-02T10:00:00Z,Ayr\n"
    found = facts(tmp_path, table, 'columns = { known_at = "since" }\n')
    assert [(clock.isoformat(f["known_at"]), f["value"]) for f in listed(found)] == [
        ("2017-01-02T05:00:00Z", "Bath"),
        ("2017-01-02T10:00:00Z", "Ayr"),
    ]


def test_a_column_called_known_at_needs_no_mapping(tmp_path: Path) -> None:
    found = facts(tmp_path, "customer_id,known_at,city\nc,2017-01-02,Bath\n")
    assert clock.isoformat(listed(found)[0]["known_at"]) == "2017-01-02T05:00:00Z"


def test_an_attribute_is_a_number_when_all_that_is_there_reads_as_one(tmp_path: Path) -> None:
    table = "customer_id,age,income,nothing\na,41,50K,\nb,,60,\nc,3.5,70,\n"
    found = facts(tmp_path, table)
    assert found.attribute_numbers == {"age": True, "income": False, "nothing": False}
    assert [f["value"] for f in listed(found) if f["name"] == "age"] == ["41", "3.5"]


def test_an_attribute_that_is_text_in_one_table_is_a_category(tmp_path: Path) -> None:
    sections = VISITS + ATTRIBUTES + ATTRIBUTES.replace("facts", "more")
    files = {"facts.csv": "customer_id,size\na,2\n", "more.csv": "customer_id,size\nb,5+\n"}
    found = history(tmp_path, sections, {**VISIT, **files})
    assert found.attribute_numbers == {"size": False}


@pytest.mark.parametrize("name", ["it's", "a b", "größe", "select"])
def test_an_attribute_may_be_called_anything(tmp_path: Path, name: str) -> None:
    assert listed(facts(tmp_path, f"customer_id,{name}\nc,x\n"))[0]["name"] == name


def test_an_empty_value_is_no_fact_in_any_format(tmp_path: Path) -> None:
    table = pa.table({"customer_id": ["a", "b", "c"], "city": ["", None, "Bath"]})
    pq.write_table(table, tmp_path / "facts.parquet")
    found = history(tmp_path, VISITS + ATTRIBUTES.replace(".csv", ".parquet"), VISIT)
    assert [f["customer_id"] for f in listed(found)] == ["c"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("custmer_id,city\nc,Bath\n", "no column 'customer_id'.*'custmer_id'"),
        ("customer_id,known_at,city\nc,soon,Bath\n", "'known_at': got 'soon' .*wanted a time"),
        ("customer_id,known_at,city\nc,9999-12-31,Bath\n", "'9999-12-31' .*wanted a time"),
        ("customer_id,city\n,Bath\n", "'customer_id': got nothing in 1 row; wanted a customer"),
    ],
)
def test_a_fact_without_customer_or_time_is_refused(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        facts(tmp_path, table)


def test_offers_are_read_with_their_topics_money_dates_and_attributes(tmp_path: Path) -> None:
    table = (
        "campaign,topics,value,cost,channels,valid_from,valid_to,type,products\n"
        "007, TEA | MILK|,12.5,,post|email,2017-03-01,2017-03-31,A,10\n"
        "8,,,,,,,,\n"
    )
    found = offers(tmp_path, table, 'columns = { offer_id = "campaign" }\n')
    full, bare = found.offers["007"], found.offers["8"]
    assert full.topics == {"TEA", "MILK"}
    assert full.channels == {"post", "email"}
    assert (full.value, full.cost, bare.value) == (12.5, 0.0, 0.0)
    assert full.attributes == {"type": "A", "products": 10.0}
    assert bare.attributes == {"type": None, "products": None}
    assert bare.topics == bare.channels == frozenset()
    assert found.offer_numbers == {
        "type": False,
        "products": True,
        "days_valid": True,
        "topics": True,
    }


@pytest.mark.parametrize(
    ("valid_to", "ends"),
    [
        ("2017-03-11", "2017-03-12T05:00:00Z"),
        ("2017-03-12", "2017-03-13T04:00:00Z"),
        ("20170312", "2017-03-13T04:00:00Z"),
        ("2017-03-11T18:00:00", "2017-03-11T23:00:00Z"),
        ("2017-03-11T18:00:00+00:00", "2017-03-11T18:00:00Z"),
    ],
)
def test_a_bare_date_is_the_last_day_of_an_offer_and_a_time_its_end(
    tmp_path: Path, valid_to: str, ends: str
) -> None:
    found = offers(tmp_path, f"offer_id,valid_from,valid_to\no,2017-03-01,{valid_to}\n")
    offer = found.offers["o"]
    assert clock.isoformat(offer.valid_from) == "2017-03-01T05:00:00Z"
    assert clock.isoformat(offer.valid_to) == ends


@pytest.mark.parametrize("valid_to", ["", "9999-12-31", "9999-12-31T23:59:59"])
def test_an_offer_may_have_no_end(tmp_path: Path, valid_to: str) -> None:
    found = offers(tmp_path, f"offer_id,valid_from,valid_to\no,2017-03-01,{valid_to}\n")
    assert found.offers["o"].valid_to == 2**63 - 1
    assert found.offers["o"].attribute("days_valid") is None


def test_of_an_offer_there_may_be_only_so_many(tmp_path: Path) -> None:
    found = offers(tmp_path, "offer_id,stock\na,100\nb,\nc,0\nd,2.0\n")
    assert [found.offers[name].stock for name in "abcd"] == [100, None, 0, 2]
    assert "stock" not in found.offer_numbers
    assert [found.offers[name].attribute("stock") for name in "ab"] == [100.0, None]


def test_offers_in_parquet_have_lists_dates_and_numbers(tmp_path: Path) -> None:
    table = pa.table(
        {
            "offer_id": [7, 8],
            "topics": [["TEA", "MILK"], None],
            "valid_to": [date(2017, 3, 31), None],
            "rate": [0.5, float("nan")],
        }
    )
    pq.write_table(table, tmp_path / "offers.parquet")
    found = history(tmp_path, VISITS + OFFERS.replace(".csv", ".parquet"), VISIT)
    assert found.offers["7"].topics == {"TEA", "MILK"}
    assert clock.isoformat(found.offers["7"].valid_to) == "2017-04-01T04:00:00Z"
    assert found.offer_numbers["rate"] is True
    assert found.offers["8"].attributes == {"rate": None}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("offer,value\no,1\n", r"column 'offer_id': got no column 'offer_id'.*'offer'\?"),
        ("offer_id\no\no\n", r"row 2: got offer_id 'o' again"),
        ("offer_id,value\n,1\n", r"row 1: got no offer_id"),
        ("offer_id,value\no,inf\n", r"row 1, value: got 'inf'; wanted a finite number"),
        ("offer_id,cost\no,free\n", r"row 1, cost: got 'free'"),
        ("offer_id,stock\no,-1\n", r"row 1, stock: got '-1'; wanted a whole number from 0 on"),
        ("offer_id,stock\no,1.5\n", r"row 1, stock: got '1.5'"),
        ("offer_id,stock\no,many\n", r"row 1, stock: got 'many'"),
        ("offer_id,valid_from\no,spring\n", r"row 1, valid_from: got 'spring'; wanted a date"),
        ("offer_id,valid_from,valid_to\no,2017-03-02,2017-03-01\n", r"row 1: got an end before"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        offers(tmp_path, table)


def test_a_missing_table_of_offers_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"offers\.csv"):
        history(tmp_path, VISITS + OFFERS, VISIT)
