"""Sorting: what tables that nobody has described are taken for."""

from pathlib import Path

import duckdb
import pytest

from features.interactions import is_further
from features.sources.kinds import roles_of
from features.sources.sorting import Table, look
from features.sources.tables import open_file


def looked(folder: Path, **tables: str) -> dict[str, Table]:
    """Write tables as CSV files and look at them; each by its name."""
    with duckdb.connect() as connection:
        given = []
        for i, (name, text) in enumerate(tables.items()):
            path = folder / f"{name}.csv"
            path.write_text(text, encoding="utf-8")
            open_file(connection, str(path), name).create(f"given_{i}")
            given.append((path.name, None, f"given_{i}", name))
        return {table.profile.label: table for table in look(connection, given)}


def once(head: str, line: str, n: int = 60) -> str:
    """Return a table of one row for each customer; ``{d}`` is a day, ``{n}`` a number."""
    days = (f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(n))
    rows = (f"c{i}," + line.format(d=day, n=10 + 7 * i % 90) for i, day in enumerate(days))
    return "\n".join([head, *rows]) + "\n"


@pytest.mark.parametrize(
    ("name", "head", "line"),
    [
        ("customers", "customer_id,signup_date,lifetime_value", "{d},{n}.50"),
        ("customers", "customer_id,status,churned_at,total_spent", "gone,{d},{n}.50"),
        ("customers", "customer_id,signup_date,plan_type", "{d},gold"),
        ("crm_export", "client_no,registered_on,type,sales", "{d},firm,{n}"),
        ("export", "customer_id,signup_date,lifetime_value", "{d},{n}.50"),
        ("export", "customer_id,plan_type,value", "gold,{n}"),
    ],
)
def test_one_row_for_each_customer_is_facts_about_them(
    tmp_path: Path, name: str, head: str, line: str
) -> None:
    table = looked(tmp_path, **{name: once(head, line)})[name]
    assert table.section == "attributes"
    assert not table.asks


def test_a_table_of_customers_in_which_some_are_twice_is_facts_still(tmp_path: Path) -> None:
    text = once("customer_id,signup_date,lifetime_value", "{d},{n}.50", 100)
    text += "c3,2024-02-02,18.00\n"
    assert looked(tmp_path, customers=text)["customers"].section == "attributes"


@pytest.mark.parametrize(
    ("name", "head", "line"),
    [
        ("list", "customer,date,amount", "{d},{n}.50"),
        ("sales", "customer_id,date,value", "{d},{n}.50"),
        ("customer_orders", "customer_id,order_date,total_spent", "{d},{n}.50"),
        ("export", "customer_id,order_date,city,age,amount", "{d},Ulm,{n},{n}.50"),
    ],
)
def test_customers_who_happen_to_have_bought_once_have_bought(
    tmp_path: Path, name: str, head: str, line: str
) -> None:
    table = looked(tmp_path, **{name: once(head, line)})[name]
    assert table.section == "interactions"
    assert table.kind == "purchase"
    assert not table.asks


def test_what_may_be_either_is_a_question(tmp_path: Path) -> None:
    text = once("customer_id,date,total_spent", "{d},{n}.50")
    table = looked(tmp_path, export=text)["export"]
    assert table.section == "interactions"
    assert table.asks
    assert "once" in table.why


def test_facts_that_were_learnt_later_are_named(tmp_path: Path) -> None:
    head = "customer_id,city,churned_at,total_spent"
    table = looked(tmp_path, customers=once(head, "Ulm,{d},{n}.50"))["customers"]
    assert table.learnt_later == ["churned_at", "total_spent"]


def orders(n: int = 40, total: str = "order_total") -> str:
    """Return orders of one to four lines; each line repeats the total of its order."""
    rows = [f"order_id,customer_id,ordered_at,sku,unit_price,quantity,shipping,{total}"]
    for o in range(n):
        lines = [(f"s{7 * o + i}", 1.5 + (o + i) % 9, 1 + (o + i) % 3) for i in range(1 + o % 4)]
        whole = sum(price * quantity for _, price, quantity in lines)
        rows += [
            f"o{o},c{o % 11},2024-03-{1 + o % 28:02},{sku},{price},{quantity},{o % 5}.9,{whole}"
            for sku, price, quantity in lines
        ]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("total", ["order_total", "value"])
def test_a_total_that_each_line_repeats_is_taken_once(tmp_path: Path, total: str) -> None:
    found = looked(tmp_path, lines=orders(total=total))["lines"].found
    assert found is not None
    assert found.group == "order_id"
    assert found.columns["amount"] == total
    assert "quantity" in found.numbers.values()
    assert found.sums == tuple(ours for ours, of in found.numbers.items() if of == "quantity")
    assert found.numbers["shipping"] == "shipping"
    assert "price" in found.left["unit_price"]


def test_a_total_of_few_orders_is_known_by_its_name(tmp_path: Path) -> None:
    head = "order_id,customer_id,ordered_at,sku,unit_price,quantity,order_total\n"
    line = "o1,ann,2024-03-01,{},10.50,1,31.50\n"
    text = head + "".join(line.format(sku) for sku in "abc") + "o2,bob,2024-03-02,a,10.50,1,10.50\n"
    found = looked(tmp_path, lines=text)["lines"].found
    assert found is not None
    assert found.columns["amount"] == "order_total"
    assert "amount" not in found.sums


def test_what_each_line_cost_is_added_up(tmp_path: Path) -> None:
    head = "order_id,customer_id,ordered_at,sku,line_total\n"
    text = head + "".join(
        f"o{o},c{o % 9},2024-03-{1 + o % 28:02},s{i},{5 + (3 * o + i) % 8}.50\n"
        for o in range(30)
        for i in range(3)
    )
    found = looked(tmp_path, lines=text)["lines"].found
    assert found is not None
    assert (found.columns["amount"], found.sums) == ("line_total", ("amount",))


def test_lines_of_one_price_are_not_its_repetition(tmp_path: Path) -> None:
    head = "order_id,customer_id,ordered_at,seat,amount\n"
    text = head + "".join(
        f"o{o},c{o % 9},2024-03-{1 + o % 28:02},s{i},25.00\n" for o in range(30) for i in range(2)
    )
    found = looked(tmp_path, tickets=text)["tickets"].found
    assert found is not None
    assert found.sums == ("amount",)


def test_numbers_of_two_decimal_signs_are_not_read_by_one(tmp_path: Path) -> None:
    head = "customer;date;amount;weight;points\n"
    text = head + "".join(f"c{i % 9};2024-03-{1 + i % 28:02};12,50;1.5;{i}\n" for i in range(60))
    found = looked(tmp_path, sales=text)["sales"].found
    assert found is not None
    assert (found.decimal, found.columns["amount"]) == (",", "amount")
    assert found.numbers == {"points": "points"}
    assert "mend" in found.left["weight"]


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    rows = [f"c{i % 90},2024-03-{1 + i % 28:02},12.50" for i in range(1000)]
    rows[100:117] = [f"c{i},n/a,12.50" for i in range(17)]
    rows[200:210] = [f"c{i},2024-03-01,n/a" for i in range(10)]
    rows[300:305] = [",2024-03-01,12.50"] * 5
    table = looked(tmp_path, sales="\n".join(["customer,date,amount", *rows]) + "\n")["sales"]
    assert table.unreadable == pytest.approx(0.032)


@pytest.mark.parametrize("name", ["returns", "refund_2024"])
def test_returns_are_called_so(tmp_path: Path, name: str) -> None:
    text = once("customer_id,date,amount", "{d},{n}.50")
    assert looked(tmp_path, **{name: text})[name].kind == "return"
    assert roles_of({"return": True, "purchase": True}) == {
        "negative": ["return"],
        "value": ["purchase"],
    }


@pytest.mark.parametrize("name", ["updated_at", "processed_on", "modified"])
def test_the_time_of_a_change_is_not_when_it_was_recorded(tmp_path: Path, name: str) -> None:
    head = f"{name},customer_id,order_id,created_at,amount\n"
    text = head + "".join(
        f"2024-09-02T10:00:0{i % 9},c{i % 9},o{i},2024-03-{1 + i % 28:02},{i}.50\n"
        for i in range(60)
    )
    found = looked(tmp_path, orders=text)["orders"].found
    assert found is not None
    assert found.columns["occurred_at"] == "created_at"
    assert "recorded_at" not in found.columns
    assert found.left[name] == "another time"
    assert found.asked == {}


def test_the_time_of_ingestion_is_when_it_was_recorded(tmp_path: Path) -> None:
    head = "customer_id,sold_on,ingested_at,amount\n"
    text = head + "".join(f"c{i % 9},2024-03-01,2024-03-02,{i}.50\n" for i in range(60))
    found = looked(tmp_path, orders=text)["orders"].found
    assert found is not None
    assert (found.columns["occurred_at"], found.columns["recorded_at"]) == (
        "sold_on",
        "ingested_at",
    )


def test_the_time_of_a_change_alone_is_a_question(tmp_path: Path) -> None:
    head = "customer_id,order_id,updated_at,amount\n"
    text = head + "".join(f"c{i % 9},o{i},2024-03-{1 + i % 28:02},{i}.50\n" for i in range(60))
    found = looked(tmp_path, orders=text)["orders"].found
    assert found is not None
    assert "occurred_at" in found.asked


def test_addresses_are_customers_where_nothing_else_is(tmp_path: Path) -> None:
    head = "order_no,agent_email,email,date,amount\n"
    text = head + "".join(
        f"o{i},{'ab'[i % 2]}@shop,c{i % 9}@mail,2024-03-{1 + i % 28:02},{i}.50\n" for i in range(60)
    )
    found = looked(tmp_path, orders=text)["orders"].found
    assert found is not None
    assert found.columns["customer_id"] == "email"


@pytest.mark.parametrize("unit", [1, 1000])
def test_seconds_since_1970_are_named_with_a_remedy(tmp_path: Path, unit: int) -> None:
    head = "customer_id,ts,amount\n"
    text = head + "".join(
        f"c{i % 9},{(1_700_000_000 + 86_400 * i) * unit},{i}.50\n" for i in range(60)
    )
    table = looked(tmp_path, orders=text)["orders"]
    assert table.section is None
    assert "'ts' looks like seconds or milliseconds since 1970: write times" in table.why


def test_what_is_left_out_says_why(tmp_path: Path) -> None:
    head = "invoice,customer,date,description,quantity,price,country,loaded_ts\n"
    text = head + "".join(
        f"i{i // 2},c{i // 2 % 9},2024-03-{1 + i // 2 % 28:02},d{i % 40},{i % 4},{i}.5,UK,"
        f"17000{i:05}\n"
        for i in range(90)
    )
    found = looked(tmp_path, invoices=text)["invoices"].found
    assert found is not None
    assert found.numbers == {"items": "quantity"}
    assert found.left["country"] == "one value in every row"
    assert found.left["description"] == "a category of 40 values: a topic? See docs/own-data.md"
    assert found.left["loaded_ts"].startswith("seconds or milliseconds since 1970")


def test_further_numbers_have_names_that_settings_take(tmp_path: Path) -> None:
    head = "customer,date,amount,rating,Größe,unit size,unit_size\n"
    text = head + "".join(
        f"c{i % 9},2024-03-{1 + i % 28:02},{i}.5,{1 + i % 5},{i}.25,{i},{i % 7}\n"
        for i in range(60)
    )
    found = looked(tmp_path, sales=text)["sales"].found
    assert found is not None
    assert sorted(found.numbers.values()) == ["Größe", "rating", "unit size", "unit_size"]
    assert all(is_further(name) for name in found.numbers)


def test_a_column_of_our_name_that_is_left_out_is_told_so(tmp_path: Path) -> None:
    head = "customer;date;amount;wait_minutes;topic;rating;kind\n"
    text = head + "".join(
        f"c{i % 9};2024-03-{1 + i % 28:02};12,50;1.5;t{i};{1 + i % 5};k{i}\n" for i in range(2100)
    )
    table = looked(tmp_path, sales=text)["sales"]
    assert table.unused == ["topic", "wait_minutes"]


def test_the_id_of_a_table_of_people_is_theirs(tmp_path: Path) -> None:
    users = once("email,created_at,plan", "{d},gold").replace("email", "id,email", 1)
    users = users.replace("\nc", "\n7,c")
    users = "\n".join(line.replace("7,", f"{i},", 1) for i, line in enumerate(users.split("\n")))
    orders = "user_id,ordered_at,total\n" + "".join(
        f"{1 + i % 50},2024-03-{1 + i % 28:02},{i}.50\n" for i in range(300)
    )
    found = looked(tmp_path, users=users, orders=orders)
    assert found["users"].section == "attributes"
    assert found["users"].why == "facts about each 'id'"


@pytest.mark.parametrize(
    ("amounts", "asked"), [(["1,250", "999"], True), (["1,250", "9,5"], False)]
)
def test_commas_that_may_be_between_thousands_are_a_question(
    tmp_path: Path, amounts: list[str], asked: bool
) -> None:
    rows = [f"c{i % 9};2024-03-{1 + i % 28:02};{amounts[i % 2]}" for i in range(60)]
    text = "\n".join(["customer;date;amount", *rows]) + "\n"
    found = looked(tmp_path, sales=text)["sales"].found
    assert found is not None
    assert ("amount" in found.asked) == asked
