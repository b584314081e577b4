"""Each measure on a case worked by hand: what oracle and engine could both get wrong."""

import math

import pytest

from features.interactions import Interaction
from features.online import evaluate
from features.plan import compile_plan
from features.signals import days, interactions
from tests.strategies import AS_OF, DAY, ROLES

VALUE = interactions(role="value")
# Bought 20, 14, 12 and 4 days ago: gaps of 6, 2 and 8 days, silent for 4.
BOUGHT = {20: 10.0, 14: None, 12: 30.0, 4: 20.0}
HISTORY = [
    Interaction("c", AS_OF - ago * DAY, AS_OF - ago * DAY, "purchase", amount=amount)
    for ago, amount in BOUGHT.items()
]
MEAN_GAP = 16 / 3


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (VALUE.mean("amount", why="w"), 20.0),
        (VALUE.mean("amount", days(13), why="w"), 25.0),
        (VALUE.minimum("amount", why="w"), 10.0),
        (VALUE.maximum("amount", days(5), why="w"), 20.0),
        (VALUE.last("amount", why="w"), 20.0),
        (VALUE.mean("amount", days(3), why="w"), math.nan),
        (VALUE.gap_mean(why="w"), MEAN_GAP),
        (VALUE.gap_longest(why="w"), 8.0),
        (VALUE.gap_percentile(why="w"), 1 / 3),
        (
            VALUE.gap_std(why="w"),
            math.sqrt(((6 - MEAN_GAP) ** 2 + (2 - MEAN_GAP) ** 2 + (8 - MEAN_GAP) ** 2) / 3),
        ),
        (VALUE.decayed_count(days(4), why="w"), 2**-5 + 2**-3.5 + 2**-3 + 2**-1),
        (VALUE.decayed_sum("amount", days(4), why="w"), 10 / 32 + 30 / 8 + 20 / 2),
        (VALUE.trend(days(7), why="w"), (1 - 2) / 3),
        (VALUE.trend(days(2), why="w"), -1.0),
        (VALUE.trend(days(1), why="w"), math.nan),
        (VALUE.trend_long_run(days(5), why="w"), (1 / 5 - 4 / 20) / (1 / 5 + 4 / 20)),
        (VALUE.trend_long_run(days(21), why="w"), math.nan),
    ],
    ids=lambda value: value[0].name if isinstance(value, tuple) else None,
)
def test_by_hand(signals: tuple[object, ...], expected: float) -> None:
    plan = compile_plan(signals, ROLES)  # type: ignore[arg-type]
    (got,) = evaluate(plan, HISTORY, AS_OF).row(0)
    assert got == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_one_purchase_has_no_gap_and_two_have_no_spread() -> None:
    signals = (*VALUE.gap_longest(why="w"), *VALUE.gap_std(why="w"))
    plan = compile_plan(signals, ROLES)
    assert all(math.isnan(float(v or 0)) for v in evaluate(plan, HISTORY[:1], AS_OF).row(0))
    longest, spread = evaluate(plan, HISTORY[:2], AS_OF).row(0)
    assert longest == 6.0
    assert math.isnan(float(spread or 0))


def test_the_latest_value_that_is_there_is_the_last_one() -> None:
    plan = compile_plan(VALUE.last("amount", why="w"), ROLES)
    assert evaluate(plan, HISTORY[:2], AS_OF).row(0) == [10.0]


def test_a_window_of_a_trend_ends_where_the_next_begins() -> None:
    plan = compile_plan(VALUE.trend(days(7), why="w"), ROLES)
    on_the_edge = [Interaction("c", AS_OF - d * DAY, AS_OF - d * DAY, "purchase") for d in (7, 14)]
    assert evaluate(plan, on_the_edge, AS_OF).row(0) == [0.0]
