"""Frames hold what the engines compute, bit for bit, and say what it means."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.batch import compute
from features.catalog import customer_signals
from features.errors import DataError
from features.excerpts import excerpt, in_memory, person, with_less, with_more
from features.frames import Signals, framed, interactions_frame, signals_frame, values_of
from features.history import History
from features.identities import IDENTITIES_SCHEMA
from features.online import evaluate
from features.plan import Plan, compile_plan
from features.shape import shape_of
from features.snapshots import snapshot_spine
from features.wording import Wording
from tests.histories import DAY, ROLES, START, happened, history_of, shoppers, spine_of

WORDING = Wording({"value": ("purchase",)}, "EUR")
NOW = START + 120 * DAY


@pytest.fixture(scope="module")
def history() -> History:
    items, facts = shoppers(30, 120)
    return history_of(items, NOW, facts)


@pytest.fixture(scope="module")
def joined(history: History) -> History:
    """The same, where one customer's key turned out to be another's."""
    said = pa.table(
        {"key": ["c0001"], "customer_id": ["c0002"], "known_at": [NOW - 30 * DAY]},
        schema=IDENTITIES_SCHEMA,
    )
    return replace(history, identities=said)


@pytest.fixture(scope="module")
def plan(history: History) -> Plan:
    shape = shape_of(history, ROLES)
    return compile_plan(customer_signals(shape), {"value": ("purchase",), **_kinds()})


def _kinds() -> dict[str, tuple[str, ...]]:
    return {"negative": ("complaint",)}


@pytest.fixture
def signals(plan: Plan, history: History) -> Signals:
    return signals_frame(plan, WORDING, history, [NOW])


def same(one: np.ndarray, two: np.ndarray) -> bool:
    return bool(np.array_equal(one, two, equal_nan=True))


def test_a_table_goes_back_to_the_bits_it_was_made_of(plan: Plan, history: History) -> None:
    values = compute(plan, history, snapshot_spine(history, [NOW]))
    back = values_of(framed(values, WORDING), plan)
    vocabularies = values.vocabularies()
    assert any(plan.categories)
    assert same(back.encode(vocabularies), values.encode(vocabularies))


@pytest.mark.parametrize("customer", ["c0001", "c0002", "c0003"])
def test_some_customers_alone_have_the_signals_that_they_have_among_all(
    plan: Plan, joined: History, customer: str
) -> None:
    instants = [NOW - 60 * DAY, NOW - 10 * DAY]
    whole = signals_frame(plan, WORDING, joined, instants, dated=True)
    alone = signals_frame(plan, WORDING, joined, instants, [customer], dated=True)
    assert len(alone) == (1 if customer == "c0001" else 2)  # one that is another's key is no more
    pd.testing.assert_frame_equal(
        pd.DataFrame(alone), pd.DataFrame(whole.loc[[customer]]), check_exact=True
    )


@pytest.mark.parametrize("customer", ["c0002", "c0003"])
def test_one_person_has_the_same_signals_online(plan: Plan, joined: History, customer: str) -> None:
    values = compute(plan, joined, spine_of((customer, NOW)))
    vocabularies = values.vocabularies()
    items, facts = person(joined, customer)
    assert {item.customer_id for item in items} == {customer}
    online = evaluate(plan, items, NOW, facts)
    assert same(online.encode(vocabularies), values.encode(vocabularies))


def test_what_did_not_happen_and_what_did_come_out_as_if_it_had_been_so(
    plan: Plan, history: History
) -> None:
    theirs = excerpt(history, ["c0003"])
    before, _ = person(history, "c0003")
    basket = happened("c0003", NOW - DAY)
    changed = with_more(with_less(theirs, before[-2:]), [basket])
    after, facts = person(changed, "c0003")
    assert after == [*before[:-2], basket]
    expected = compute(plan, history_of(after, NOW, facts), spine_of(("c0003", NOW)))
    found = compute(plan, changed, spine_of(("c0003", NOW)))
    assert same(found.matrix[:, :20], expected.matrix[:, :20])


def test_what_stands_under_another_key_can_be_taken_out_too(joined: History) -> None:
    items, _ = person(joined, "c0002")
    theirs = excerpt(joined, ["c0002"])
    assert len(in_memory(theirs)) == len(items)
    under_another_key = {row["customer_id"] for row in in_memory(theirs).to_pylist()}
    assert under_another_key == {"c0001", "c0002"}
    assert len(in_memory(with_less(theirs, items))) == 0


def test_what_did_not_happen_cannot_be_taken_out(history: History) -> None:
    with pytest.raises(DataError, match=r"a purchase at .* that is not in it"):
        with_less(excerpt(history, ["c0003"]), [happened("c0003", NOW - 7)])


def test_columns_explain_themselves_in_what_is_chosen_too(signals: Signals) -> None:
    busy = signals[signals["value_count_28d"] > 2]
    assert isinstance(busy, Signals)
    told = busy.explain("value_sum_amount_28d")
    assert told.meaning.startswith("sum of amount over purchases in the 28 days")
    assert told.unit == "EUR"
    assert "<code>value_sum_amount_28d</code>" in told._repr_html_()
    assert list(busy.catalogue().columns) == ["group", "meaning", "unit", "why"]
    with pytest.raises(DataError, match="Did you mean 'value_count_28d'"):
        busy.explain("value_count_28")


def test_a_row_is_told_in_words(signals: Signals) -> None:
    told = signals[["value_count_28d", "attribute_city", "value_days_since_last"]].in_words("c0003")
    assert list(told.index) == ["value_days_since_last", "value_count_28d", "attribute_city"]
    words = told["in words"].to_dict()
    n = int(signals["value_count_28d"].to_dict()["c0003"])
    assert words["value_count_28d"].startswith(f"{n} purchase" if n else "no purchase")
    assert words["attribute_city"].startswith("city")


def test_a_row_in_words_is_one_row(plan: Plan, history: History) -> None:
    twice = signals_frame(plan, WORDING, history, [NOW - DAY, NOW], ["c0003"], dated=True)
    assert twice.index.names == ["customer_id", "as_of"]
    with pytest.raises(DataError, match=r"2 rows labelled 'c0003'.*customer_id and as_of"):
        twice.in_words("c0003")
    assert len(twice.in_words(twice.index[0])) == len(plan.names)
    with pytest.raises(DataError, match="0 rows"):
        twice.in_words("nobody")


def test_a_table_without_a_signal_of_the_model_is_refused(signals: Signals, plan: Plan) -> None:
    with pytest.raises(DataError, match="without value_count_28d"):
        values_of(signals.drop(columns="value_count_28d"), plan)


def test_interactions_are_told_in_local_time_without_empty_columns(history: History) -> None:
    local = replace(history, timezone="America/New_York")
    table = interactions_frame(local, ["c0003"])
    assert table["occurred_at"].is_monotonic_increasing
    assert str(table["occurred_at"].dt.tz) == "America/New_York"
    assert {"customer_id", "kind", "amount"} <= set(table) and "topic" not in table
    instants = table["occurred_at"].dt.tz_convert("UTC").astype("int64").tolist()
    assert instants == [item.occurred_at for item in person(history, "c0003")[0]]
    assert len(interactions_frame(local)) == len(history.interactions)
