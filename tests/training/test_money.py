"""Whom contacting pays for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from features.errors import SettingsError
from features.plan import compile_plan
from features.signals import attribute, interactions
from training.money import ProfitCurve, Stakes, profit_curve, tercile_band

PLAN = compile_plan(
    [
        *interactions().count(why="w"),
        *attribute("spent", why="w", number=True),
        *attribute("city", why="w"),
    ],
    {},
)
STAKES = Stakes(400.0, 5.0, 0.25)


def test_stakes_need_an_amount_a_cost_and_a_rate() -> None:
    assert Stakes.of({"at_risk": 400.0, "contact_cost": 5.0, "save_rate": 0.25}) == STAKES
    for missing in ("at_risk", "contact_cost", "save_rate"):
        costs = {"at_risk": 400.0, "contact_cost": 5.0, "save_rate": 0.25, missing: 0.0}
        assert Stakes.of(costs) is None
    assert Stakes.of({}) is None


def test_the_amount_may_be_a_signal_or_an_attribute() -> None:
    matrix = np.array([[3.0, 100.0, 0.0], [1.0, np.nan, 1.0]])
    assert STAKES.amounts(PLAN, matrix).tolist() == [400.0, 400.0]
    assert Stakes("any_count", 5.0, 0.25).amounts(PLAN, matrix).tolist() == [3.0, 1.0]
    assert_allclose(Stakes("spent", 5.0, 0.25).amounts(PLAN, matrix), [100.0, np.nan])


@pytest.mark.parametrize("name", ["city", "nothing", "attribute_city"])
def test_an_amount_that_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"\[value\] at_risk.*count"):
        Stakes(name, 5.0, 0.25).column(PLAN)


def test_bands_follow_from_what_contacting_brings() -> None:
    # 0.05 * 0.25 * 400 = 5, what contacting costs: it must bring more.
    assert [STAKES.band(p, 400.0) for p in (0.0, 0.025, 0.026, 0.05, 0.051, 1.0)] == [
        "low",
        "low",
        "medium",
        "medium",
        "high",
        "high",
    ]
    assert STAKES.band(0.051, 100.0) == "low"
    # Nobody leaves with more than certainty.
    assert Stakes(100.0, 10.0, 0.1).band(0.9, 100.0) == "low"


def test_the_profit_of_contacting_the_most_promising() -> None:
    label = np.array([0, 1, 1, 0], dtype=np.int8)
    curve = profit_curve(
        STAKES, label, np.array([0.02, 0.50, 0.10, 0.01]), np.array([400.0, 400.0, 400.0, np.nan])
    )
    # Each contact costs 5; who leaves is worth 100 by a quarter of 400. Nobody knows what the last
    # one is worth, so they are not contacted: between what pays and what costs.
    assert curve.share.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert_allclose(curve.expected * 4, [0.0, 45.0, 50.0, 50.0, 47.0])
    assert_allclose(curve.realised * 4, [0.0, 95.0, 190.0, 190.0, 185.0])
    assert curve.best == 0.5
    assert_allclose(curve.at_best, (12.5, 47.5))


def test_where_contacting_never_pays_nobody_is_contacted() -> None:
    label, risk = np.array([0, 1], dtype=np.int8), np.array([0.01, 0.02])
    curve = profit_curve(STAKES, label, risk, np.full(2, 400.0))
    assert isinstance(curve, ProfitCurve)
    assert (curve.best, curve.at_best) == (0.0, (0.0, 0.0))


def test_without_money_bands_are_thirds() -> None:
    assert [tercile_band(p, (0.1, 0.3)) for p in (0.09, 0.1, 0.3)] == ["low", "medium", "high"]
