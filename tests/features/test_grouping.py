"""Lines that are one interaction, returns, products, and times and numbers as people write them."""

import random
from pathlib import Path

import pytest

from features import clock
from features.errors import SettingsError, SourceError
from features.history import History
from features.sources.summary import lines as told
from tests.sources import history, visits

INVOICES = """
[[interactions]]
source = "invoices.csv"
kind = "purchase"
returns = "complaint"
group = "Invoice"
columns = { customer_id = "Customer", occurred_at = "Date", amount = "Quantity * Price" }
numbers = { items = "Quantity" }
sums = ["amount", "items"]
"""
HEAD = "Invoice,Customer,Date,Quantity,Price,Country\n"


def invoices(folder: Path, rows: list[str], sections: str = INVOICES) -> History:
    return history(folder, sections, {"invoices.csv": HEAD + "\n".join(rows) + "\n"})


def found(of: History, *names: str) -> list[tuple[object, ...]]:
    table = of.interactions.sort_by("interaction_id")
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_the_lines_of_a_group_are_one_interaction_with_their_totals(tmp_path: Path) -> None:
    rows = [
        "1,ann,2024-01-02T10:00,2,1.50,UK",
        "1,ann,2024-01-02T10:05,1,4.00,UK",
        "2,bob,2024-01-03T09:00,3,2.00,UK",
    ]
    seen = invoices(tmp_path, rows)
    names = ("customer_id", "interaction_id", "amount", "items", "kind")
    assert found(seen, *names) == [
        ("ann", "1 ann", 7.0, 3.0, "purchase"),
        ("bob", "2 bob", 6.0, 3.0, "purchase"),
    ]
    first = seen.interactions.sort_by("interaction_id")["occurred_at"][0].as_py()
    assert clock.isoformat(first) == "2024-01-02T15:00:00Z"
    assert "  3 rows are lines of 2 interactions" in list(told(tmp_path, seen))


def test_a_negative_total_is_a_return_and_a_discount_line_is_not(tmp_path: Path) -> None:
    rows = [
        "1,ann,2024-01-02,2,5.00,UK",
        "1,ann,2024-01-02,-1,3.00,UK",  # a discount on the invoice
        "C2,ann,2024-01-09,-2,5.00,UK",
    ]
    seen = invoices(tmp_path, rows)
    assert found(seen, "kind", "amount", "items") == [
        ("purchase", 7.0, 1.0),
        ("complaint", 10.0, 2.0),
    ]


def test_totals_do_not_depend_on_the_order_of_lines(tmp_path: Path) -> None:
    dice = random.Random(1)
    rows = [f"1,ann,2024-01-02,1,{dice.uniform(0, 10)!r},UK" for _ in range(50)]
    rows += ["1,ann,2024-01-02,1,1e16,UK", "1,ann,2024-01-02,-1,1e16,UK"]
    totals = set()
    for _ in range(5):
        dice.shuffle(rows)
        totals.add(found(invoices(tmp_path, rows), "amount")[0])
    assert len(totals) == 1


def test_it_is_known_when_its_last_line_is(tmp_path: Path) -> None:
    section = INVOICES.replace("columns = {", 'columns = { recorded_at = "Country",')
    rows = ["1,ann,2024-01-02,1,1,2024-01-07T10:00", "1,ann,2024-01-02,1,1,2024-01-08"]
    (recorded,) = invoices(tmp_path, rows, section).interactions["recorded_at"].to_pylist()
    assert clock.isoformat(recorded) == "2024-01-08T05:00:00Z"


def test_other_columns_hold_what_the_lines_agree_on(tmp_path: Path) -> None:
    section = INVOICES.replace("columns = {", 'columns = { topic = "Country",')
    rows = [
        "1,ann,2024-01-02,1,1,UK",
        "1,ann,2024-01-02,1,1,UK",
        "2,ann,2024-01-02,1,1,UK",
        "2,ann,2024-01-02,1,1,France",
        "3,ann,2024-01-02,1,1,",
        "3,ann,2024-01-02,1,1,UK",
    ]
    topics = [topic for (topic,) in found(invoices(tmp_path, rows, section), "topic")]
    assert topics == ["UK", None, "UK"]


def test_lines_without_a_group_stand_alone(tmp_path: Path) -> None:
    rows = [",ann,2024-01-02,1,1,UK", ",ann,2024-01-02,1,2,UK"]
    assert sorted(found(invoices(tmp_path, rows), "amount")) == [(1.0,), (2.0,)]


def test_kinds_in_one_group_are_interactions_of_their_own(tmp_path: Path) -> None:
    section = INVOICES.replace('kind = "purchase"\n', "").replace('returns = "complaint"\n', "")
    section = section.replace("columns = {", 'columns = { kind = "Country",')
    rows = ["1,ann,2024-01-02,1,1,purchase", "1,ann,2024-01-02,1,2,complaint"]
    names = ("interaction_id", "amount")
    assert found(invoices(tmp_path, rows, section), *names) == [
        ("1 ann complaint", 2.0),
        ("1 ann purchase", 1.0),
    ]


def test_a_group_of_two_customers_is_one_interaction_of_each(tmp_path: Path) -> None:
    seen = invoices(tmp_path, ["1,ann,2024-01-02,1,1,UK", "1,bob,2024-01-02,1,2,UK"])
    assert found(seen, "customer_id", "amount") == [("ann", 1.0), ("bob", 2.0)]
    assert not any("the id that of one interaction" in note for note in seen.notes)


def test_a_return_noted_weeks_later_leaves_the_purchase_as_it_was_known(tmp_path: Path) -> None:
    rows = [
        "1,ann,2024-01-02T10:00,2,5.00,UK",
        "1,ann,2024-01-03T09:00,1,1.00,UK",
        "1,ann,2024-03-01T10:00,-1,5.00,UK",
        "1,ann,2024-03-01T10:00,-1,1.00,UK",
    ]
    before, after = invoices(tmp_path, rows[:2]), invoices(tmp_path, rows)
    names = ("interaction_id", "kind", "amount", "occurred_at", "recorded_at")
    assert found(after, *names)[:1] == found(before, *names)
    assert found(after, *names[:3]) == [("1 ann", "purchase", 11.0), ("1 ann 1", "complaint", 6.0)]


def test_a_wrong_line_is_rejected_alone(tmp_path: Path) -> None:
    rows = ["1,ann,2024-01-02,1,1,UK", "1,ann,2024-01-02,some,1,UK", "2,,2024-01-02,1,1,UK"]
    rows += [f"{i},ann,2024-01-02,1,1,UK" for i in range(300, 600)]
    seen = invoices(tmp_path, rows)
    assert len(seen.interactions) == 301
    assert seen.report is not None
    wrong = [each.column for each in seen.report.tables[0].rejections]
    assert sorted(wrong) == ["Customer", "Quantity * Price"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Quantity * Price", "Quantity * Prize"), "no column 'Quantity * Prize'"),
        (('group = "Invoice"', 'group = "Voice"'), "no column 'Voice'"),
        (('returns = "complaint"', 'returns = "refund"'), "'refund'"),
    ],
)
def test_what_does_not_fit_the_table_is_a_clear_error(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(SourceError, match=r"source 'invoices\.csv'") as error:
        invoices(tmp_path, ["1,ann,2024-01-02,1,1,UK"], INVOICES.replace(*change))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('sums = ["items"]', "declared under `numbers`"),
        ('time_format = "%H:%M"', "day, month and year"),
    ],
)
def test_what_does_not_fit_together_is_a_clear_error(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        visits(tmp_path, "customer_id,occurred_at\nc,2024-01-02\n", line)


@pytest.mark.parametrize(
    ("form", "written", "instant"),
    [
        ("%d/%m/%Y %H:%M", "02/01/2017 10:00", "2017-01-02T15:00:00Z"),
        ("%m/%d/%Y %H:%M", "1/2/2017 10:00", "2017-01-02T15:00:00Z"),
        ("%d.%m.%y", "02.01.17", "2017-01-02T05:00:00Z"),
        ("%m/%d/%Y %I:%M %p", "7/2/2017 4:45 PM", "2017-07-02T20:45:00Z"),
    ],
)
def test_times_are_read_as_their_format_says(
    tmp_path: Path, form: str, written: str, instant: str
) -> None:
    content = f"customer_id,occurred_at\nc,{written}\n"
    seen = visits(tmp_path, content, f'time_format = "{form}"')
    assert clock.isoformat(seen.interactions["occurred_at"][0].as_py()) == instant
    with pytest.raises(SourceError, match="as `time_format` says"):
        visits(tmp_path, "customer_id,occurred_at\nc,2017-31-02\n", f'time_format = "{form}"')


def test_a_time_format_with_an_offset_is_read_by_it(tmp_path: Path) -> None:
    content = "customer_id,occurred_at\nc,15/01/2024 12:00 +0200\n"
    seen = visits(tmp_path, content, 'time_format = "%d/%m/%Y %H:%M %z"')
    assert clock.isoformat(seen.interactions["occurred_at"][0].as_py()) == "2024-01-15T10:00:00Z"


def test_a_year_of_two_digits_is_not_one_of_four(tmp_path: Path) -> None:
    content = "customer_id,occurred_at\nc,15/01/24\n"
    with pytest.raises(SourceError, match="as `time_format` says"):
        visits(tmp_path, content, 'time_format = "%d/%m/%Y"')


def test_by_a_comma_a_point_stands_between_thousands_alone(tmp_path: Path) -> None:
    right = 'a,2024-01-02,"12,5"\nb,2024-01-02,1.234\nc,2024-01-02,7\nd,2024-01-02,NaN\n'
    head = "customer_id,occurred_at,amount\n"
    seen = visits(tmp_path, head + right, 'decimal = ","')
    assert seen.interactions.sort_by("customer_id")["amount"].to_pylist() == [12.5, 1234, 7, None]
    with pytest.raises(SourceError, match=r"column 'amount'.*'1\.5'"):
        visits(tmp_path, head + "a,2024-01-02,1.5\n", 'decimal = ","')


def test_a_column_of_our_name_is_left_out_where_the_settings_say_so(tmp_path: Path) -> None:
    content = "customer_id,occurred_at,amount,rating\na,2024-01-02,$5,4\n"
    more = 'columns = { amount = "" }\nnumbers = { stars = "rating" }'
    (row,) = visits(tmp_path, content, more).interactions.to_pylist()
    assert (row["amount"], row["rating"], row["stars"]) == (None, None, 4.0)


def test_a_comma_may_stand_before_the_decimals(tmp_path: Path) -> None:
    content = 'customer_id,occurred_at,amount\na,2024-01-02,"1.234,50"\nb,2024-01-02,"0,5"\n'
    seen = visits(tmp_path, content, 'decimal = ","')
    assert sorted(seen.interactions["amount"].to_pylist()) == [0.5, 1234.5]


def test_dates_of_offers_are_read_as_their_format_says(tmp_path: Path) -> None:
    section = '\n[offers]\nsource = "offers.csv"\ntime_format = "%d.%m.%Y"\n'
    files = {
        "visits.csv": "customer_id,occurred_at\nc,2024-01-02\n",
        "offers.csv": "offer_id,valid_to\no,24.12.2024\n",
    }
    offer = history(tmp_path, write_section(section), files).offers["o"]
    assert clock.isoformat(offer.valid_to) == "2024-12-25T05:00:00Z"


def write_section(section: str) -> str:
    return '\n[[interactions]]\nsource = "visits.csv"\nkind = "purchase"\n' + section


def test_the_settings_may_be_written_for_a_store_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the store's own history with 'kind'"):
        history(tmp_path, '[[interactions]]\nsource = "store"\nkind = "purchase"\n')
    with pytest.raises(SettingsError, match="beside another source"):
        history(tmp_path, '[[interactions]]\nsource = "store"\n' + write_section(""))
