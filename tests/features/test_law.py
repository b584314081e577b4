"""The law: a signal has one value, whatever computes it and whatever is computed beside it.

Histories held to it in a run of the tests, with ``EXAMPLES`` at its default of 200: 2,000 thrown
by a die, each computed online, in a batch of 250 customers and in the same batch cut into
chunks, and all three held to the oracle; and drawn by hypothesis, which shrinks what it finds,
200 online, 150 in batches of 6 customers, 100 with a future and 100 shuffled: 2,550 in all.
``make fuzz`` runs fifty times as many.
"""

import math
import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import chunks, online, reading
from features.interactions import Attribute, Interaction
from features.offers import Offer, Value
from features.plan import Plan, compile_plan
from features.signals import interactions
from tests import dice, engines, oracle
from tests.engines import Asked, bits
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
EXAMPLES = int(os.environ.get("RAPPORT_EXAMPLES", "200"))
THROWN, BLOCK = 10 * EXAMPLES, 250
CUSTOMERS = ("a", "b", "c", "d", "e", "f")


def law(share: int) -> settings:
    """Examples of one test: one in ``share`` of ``EXAMPLES``."""
    return settings(
        max_examples=max(1, EXAMPLES // share),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def by_oracle(
    history: list[Interaction],
    as_of: int,
    facts: list[Attribute],
    offer: Offer | None,
    zone: str = "UTC",
) -> list[object]:
    return bits(oracle.values(SIGNALS, ROLES, history, as_of, facts, offer, zone))


def by_online(
    plan: Plan,
    history: list[Interaction],
    as_of: int,
    facts: list[Attribute],
    offer: Offer | None,
) -> list[object]:
    return bits(online.evaluate(plan, history, as_of, facts, [offer] if offer else []).row(0))


def by_batch(
    customers: engines.Customers, rows: list[Asked], plan: Plan = PLAN
) -> list[list[object]]:
    return [bits(row) for row in engines.by_batch(plan, customers, rows)]


def named(row: list[object]) -> dict[str, object]:
    """By name, so that a failure tells which signals differ."""
    return dict(zip(PLAN.names, row, strict=True))


@law(1)
@given(histories(), attributes(), instants, st.none() | offers, st.sampled_from(ZONES))
def test_online_equals_oracle(
    history: list[Interaction],
    facts: list[Attribute],
    as_of: int,
    offer: Offer | None,
    zone: str,
) -> None:
    got = by_online(PLANS[zone], history, as_of, facts, offer)
    assert named(got) == named(by_oracle(history, as_of, facts, offer, zone))


customers_of_a_batch = st.fixed_dictionaries(
    {name: st.tuples(histories(name), attributes(name)) for name in CUSTOMERS}
)


@law(8)
@given(
    customers_of_a_batch,
    st.lists(
        st.tuples(st.sampled_from([*CUSTOMERS, "nobody"]), instants, st.none() | offers),
        min_size=6,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_batch_equals_oracle_whatever_is_computed_beside_it(
    customers: dict[str, tuple[list[Interaction], list[Attribute]]],
    rows: list[Asked],
    random: Random,
) -> None:
    shuffled = {name: (random.sample(h, len(h)), facts) for name, (h, facts) in customers.items()}
    known = customers | {"nobody": ([], [])}
    expected = [by_oracle(known[c][0], as_of, known[c][1], offer) for c, as_of, offer in rows]
    for got, right in zip(by_batch(shuffled, rows), expected, strict=True):
        assert named(got) == named(right)


@law(2)
@given(histories(), histories(), instants)
def test_a_future_interaction_never_changes_a_past_row(
    history: list[Interaction], more: list[Interaction], as_of: int
) -> None:
    future = [i for i in more if i.occurred_at >= as_of or i.recorded_at >= as_of]
    future = [i for i in future if i.recorded_at >= as_of or i.interaction_id is None]
    with_future = by_online(PLAN, [*future, *history], as_of, [], None)
    assert with_future == by_online(PLAN, history, as_of, [], None)


@law(2)
@given(histories(), st.randoms(use_true_random=False), instants)
def test_the_order_of_rows_never_changes_a_value(
    history: list[Interaction], random: Random, as_of: int
) -> None:
    shuffled = random.sample(history, len(history))
    again = by_online(PLAN, shuffled, as_of, [], None)
    assert again == by_online(PLAN, history, as_of, [], None)


def test_thousands_of_histories_have_one_value_in_every_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for block in range(-(-THROWN // BLOCK)):
        rng = Random(block)
        zone = ZONES[block % len(ZONES)]
        customers = {
            name: (dice.history(rng, name), dice.facts(rng, name))
            for name in (f"{rng.randrange(10**6):06d}-{n}" for n in range(min(BLOCK, THROWN)))
        }
        rows: list[Asked] = [(name, dice.instant(rng), dice.offer(rng)) for name in customers]
        rng.shuffle(rows)
        expected = [
            by_oracle(customers[c][0], as_of, customers[c][1], offer, zone)
            for c, as_of, offer in rows
        ]
        for (customer, as_of, offer), right in zip(rows, expected, strict=True):
            _held_online(*customers[customer], as_of, offer, zone, right)
        for size in (chunks.CHUNK, rng.choice((100, 300, 1000))):
            with monkeypatch.context() as patch:
                patch.setattr(chunks, "CHUNK", size)
                patch.setattr(reading, "HELD", rng.choice((reading.HELD, 2 * size)))
                patch.setattr(reading, "MOST_TEXTS", rng.choice((reading.MOST_TEXTS, 2)))
                got = by_batch(customers, rows, PLANS[zone])
            for row, one, right in zip(rows, got, expected, strict=True):
                assert named(one) == named(right), (block, size, row, customers[row[0]])


def _held_online(
    history: list[Interaction],
    facts: list[Attribute],
    as_of: int,
    offer: Offer | None,
    zone: str,
    right: list[object],
) -> None:
    if by_online(PLANS[zone], history, as_of, facts, offer) == right:
        return

    def differs(fewer: list[Interaction]) -> bool:
        got = by_online(PLANS[zone], fewer, as_of, facts, offer)
        return got != by_oracle(fewer, as_of, facts, offer, zone)

    least = dice.smallest(history, differs)
    got = by_online(PLANS[zone], least, as_of, facts, offer)
    assert named(got) == named(by_oracle(least, as_of, facts, offer, zone)), (least, as_of, offer)


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
    return engines.row_of(SIGNALS, history, as_of)[at]


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


_nan_or_not = st.sampled_from([None, math.nan, -math.nan, 1.0, -math.inf])
_tied = st.lists(
    st.builds(
        lambda amount, wait, rating, points: Interaction(
            "c",
            AS_OF - 1,
            AS_OF - 1,
            "purchase",
            amount=amount,
            wait_minutes=wait,
            rating=rating,
            numbers={} if points is None else {"points": points},
        ),
        _nan_or_not,
        _nan_or_not,
        _nan_or_not,
        _nan_or_not,
    ),
    min_size=2,
    max_size=4,
)
_OF_TIED = tuple(
    signal
    for column in ("amount", "wait_minutes", "rating", "points")
    for signal in (
        *interactions().last(column, why="w"),
        *interactions().sum(column, why="w"),
        *interactions(where=(column, "!=", 1.0)).count(why="w"),
    )
)


@law(1)
@given(_tied, st.randoms(use_true_random=False))
def test_what_is_no_number_is_missing_and_orders_nothing(
    tied: list[Interaction], random: Random
) -> None:
    expected = bits(oracle.values(_OF_TIED, ROLES, tied, AS_OF))
    for history in (tied, tied[::-1], random.sample(tied, len(tied))):
        assert bits(engines.row_of(_OF_TIED, history)) == expected


def test_rhythm_by_hand() -> None:
    history = [purchase(AS_OF - d * DAY) for d in (10, 8, 4)]
    assert value_of("value_gap_mean", history) == 3.0
    assert value_of("value_gap_ratio", history) == 4.0 / 3.0
    assert value_of("value_days_since_last", history) == 4.0


def test_an_empty_history_counts_nothing_and_knows_no_rhythm() -> None:
    assert value_of("any_count", []) == 0.0
    assert str(value_of("value_gap_mean", [])) == "nan"
    assert str(value_of("value_days_since_last", [])) == "nan"
