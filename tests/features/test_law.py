"""The law: a signal has one value, whatever computes it and whatever is computed beside it."""

import os
import struct
from random import Random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import batch, online
from features.history import History, attributes_table, interactions_table
from features.interactions import Attribute, Interaction
from features.offers import Offer, Value
from features.plan import compile_plan
from tests import oracle
from tests.strategies import (
    AS_OF,
    DAY,
    ROLES,
    SIGNALS,
    ZONES,
    attributes,
    histories,
    instants,
    offers,
)

PLAN = compile_plan(SIGNALS, ROLES)
PLANS = {zone: compile_plan(SIGNALS, ROLES, zone) for zone in ZONES}
EXAMPLES = int(os.environ.get("RAPPORT_EXAMPLES", "400"))
law = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def bits(row: list[Value]) -> list[object]:
    """Floats as their bits: NaN equals NaN, and the last bit counts."""
    return [struct.pack("<d", v) if isinstance(v, float) and v == v else str(v) for v in row]


def by_oracle(
    history: list[Interaction],
    as_of: int,
    facts: list[Attribute],
    offer: Offer | None,
    zone: str = "UTC",
) -> list[object]:
    return bits(oracle.values(SIGNALS, ROLES, history, as_of, facts, offer, zone))


def by_batch(
    customers: dict[str, tuple[list[Interaction], list[Attribute]]],
    rows: list[tuple[str, int, Offer | None]],
) -> list[list[object]]:
    history = History(
        interactions_table([i for h, _ in customers.values() for i in h], ["points", "stars"]),
        attributes_table([a for _, facts in customers.values() for a in facts]),
        {str(n): offer for n, (_, _, offer) in enumerate(rows) if offer},
        known_until=2**62,
    )
    spine = batch.Spine(
        pa.array([customer for customer, _, _ in rows], pa.string()),
        pa.array([as_of for _, as_of, _ in rows], pa.int64()).to_numpy(),
        pa.array([str(n) if offer else None for n, (_, _, offer) in enumerate(rows)], pa.string()),
    )
    values = batch.compute(PLAN, history, spine)
    return [bits(values.row(i)) for i in range(len(rows))]


@law
@given(histories(), attributes(), instants, st.none() | offers, st.sampled_from(ZONES))
def test_online_equals_oracle(
    history: list[Interaction],
    facts: list[Attribute],
    as_of: int,
    offer: Offer | None,
    zone: str,
) -> None:
    got = online.evaluate(PLANS[zone], history, as_of, facts, [offer] if offer else [])
    expected = by_oracle(history, as_of, facts, offer, zone)
    assert dict(zip(PLAN.names, bits(got.row(0)), strict=True)) == dict(
        zip(PLAN.names, expected, strict=True)
    )


@law
@given(
    histories("c"),
    histories("d"),
    attributes("c"),
    attributes("d"),
    st.lists(
        st.tuples(st.sampled_from(["c", "d", "nobody"]), instants, st.none() | offers),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_batch_equals_oracle_whatever_is_computed_beside_it(
    one: list[Interaction],
    two: list[Interaction],
    facts_one: list[Attribute],
    facts_two: list[Attribute],
    rows: list[tuple[str, int, Offer | None]],
    random: Random,
) -> None:
    shuffled = random.sample(one, len(one))
    customers = {"c": (shuffled, facts_one), "d": (two, facts_two), "nobody": ([], [])}
    expected = [by_oracle(*_split(customers[c], as_of), offer) for c, as_of, offer in rows]
    assert by_batch(customers, rows) == expected


def _split(
    customer: tuple[list[Interaction], list[Attribute]], as_of: int
) -> tuple[list[Interaction], int, list[Attribute]]:
    return customer[0], as_of, customer[1]


@law
@given(histories(), histories(), instants)
def test_a_future_interaction_never_changes_a_past_row(
    history: list[Interaction], more: list[Interaction], as_of: int
) -> None:
    future = [i for i in more if i.occurred_at >= as_of or i.recorded_at >= as_of]
    future = [i for i in future if i.recorded_at >= as_of or i.interaction_id is None]
    with_future = online.evaluate(PLAN, [*future, *history], as_of)
    without = online.evaluate(PLAN, history, as_of)
    assert bits(with_future.row(0)) == bits(without.row(0))


@law
@given(histories(), st.randoms(use_true_random=False), instants)
def test_the_order_of_rows_never_changes_a_value(
    history: list[Interaction],
    random: Random,
    as_of: int,
) -> None:
    shuffled = random.sample(history, len(history))
    again = online.evaluate(PLAN, shuffled, as_of)
    assert bits(again.row(0)) == bits(online.evaluate(PLAN, history, as_of).row(0))


def purchase(
    occurred_at: int,
    amount: float | None = 1.0,
    recorded_at: int | None = None,
    interaction_id: str | None = None,
    source: str | None = None,
) -> Interaction:
    recorded = occurred_at if recorded_at is None else recorded_at
    return Interaction(
        "c", occurred_at, recorded, "purchase", interaction_id, source, amount=amount
    )


def value_of(name: str, history: list[Interaction], as_of: int = AS_OF) -> Value:
    """One signal by both engines, which must agree."""
    at = PLAN.names.index(name)
    got = online.evaluate(PLAN, history, as_of).row(0)
    assert [bits(got)] == by_batch({"c": (history, [])}, [("c", as_of, None)])
    return got[at]


@pytest.mark.parametrize(
    ("what", "occurred_at", "counted"),
    [
        ("exactly at as_of is not yet known", AS_OF, 0.0),
        ("a microsecond before as_of counts", AS_OF - 1, 1.0),
        ("exactly on the far edge counts", AS_OF - 7 * DAY, 1.0),
        ("a microsecond beyond the far edge does not", AS_OF - 7 * DAY - 1, 0.0),
    ],
)
def test_window_edges(what: str, occurred_at: int, counted: float) -> None:
    assert value_of("value_count_7d", [purchase(occurred_at)]) == counted, what


def test_late_recorded_interactions_do_not_leak() -> None:
    late = purchase(AS_OF - 2 * DAY, recorded_at=AS_OF)
    on_time = purchase(AS_OF - 3 * DAY)
    assert value_of("value_days_since_last", [late, on_time]) == 3.0
    assert value_of("value_days_since_last", [late, on_time], AS_OF + 1) == 2.0 + 1 / DAY


def test_sums_fold_left_to_right_in_canonical_order() -> None:
    history = [purchase(AS_OF - 3, 0.1), purchase(AS_OF - 2, 1e16), purchase(AS_OF - 1, -1e16)]
    assert value_of("value_sum_amount_28d", history) == (0.1 + 1e16) - 1e16
    assert value_of("value_sum_amount_28d", history[::-1]) == 0.0


def test_a_huge_amount_outside_the_window_leaves_no_trace() -> None:
    history = [purchase(AS_OF - 9 * DAY, 1e16), purchase(AS_OF - 1, 0.1)]
    assert value_of("value_sum_amount_7d", history) == 0.1


def test_missing_amounts_are_left_out_of_sums_but_counted() -> None:
    history = [purchase(AS_OF - 2, None), purchase(AS_OF - 1, 2.5)]
    assert value_of("value_sum_amount_7d", history) == 2.5
    assert value_of("value_count_7d", history) == 2.0


def test_the_same_id_of_one_source_counts_once_and_the_first_recorded_wins() -> None:
    first = purchase(AS_OF - 5 * DAY, 10.0, interaction_id="a", source="till")
    second = purchase(AS_OF - 4 * DAY, 99.0, interaction_id="a", source="till")
    elsewhere = purchase(AS_OF - 3 * DAY, 1.0, interaction_id="a", source="web")
    assert value_of("value_sum_amount_7d", [second, first, elsewhere]) == 11.0


def test_rhythm_by_hand() -> None:
    history = [purchase(AS_OF - d * DAY) for d in (10, 8, 4)]
    assert value_of("value_gap_mean", history) == 3.0
    assert value_of("value_gap_ratio", history) == 4.0 / 3.0
    assert value_of("value_days_since_last", history) == 4.0


def test_an_empty_history_counts_nothing_and_knows_no_rhythm() -> None:
    assert value_of("any_count", []) == 0.0
    assert str(value_of("value_gap_mean", [])) == "nan"
    assert str(value_of("value_days_since_last", [])) == "nan"
