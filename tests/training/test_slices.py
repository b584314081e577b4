"""Slices: each kind of customer with its own quality and calibration."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from features.plan import compile_plan
from features.signals import attribute, days, interactions
from training.evaluation import Tested as Predictions
from training.slices import FEWEST_ROWS, Slice, slices_of, wilson

value = interactions(role="value")
PLAN = compile_plan(
    [
        *value.days_since_first(why="w"),
        *value.count(days(30, 90), why="w"),
        *attribute("city", why="w"),
        *attribute("size", why="w", number=True),
    ],
    {"value": ("purchase",)},
)
N = 1_200
CITIES = ["Ayr", "Bath", "Cork"]


def cut() -> tuple[np.ndarray, Predictions, list[Slice]]:
    rng = np.random.default_rng(5)
    matrix = np.full((N, len(PLAN.names)), np.nan)
    by_name = {name: place for place, name in enumerate(PLAN.names)}
    matrix[:, by_name["value_days_since_first"]] = np.arange(N)
    matrix[:, by_name["value_count_30d"]] = 1.0
    matrix[:, by_name["value_count_90d"]] = np.where(np.arange(N) < 900, 2.0, 7.0)
    # Nobody is of Bath but fifty, and of the last hundred nothing is known.
    city = np.where(np.arange(N) < 1050, 0.0, 1.0)
    matrix[: N - 100, by_name["attribute_city"]] = city[: N - 100]
    probability = rng.random(N)
    label = (rng.random(N) < probability).astype(np.int8)
    tested = Predictions(np.arange(N) // 2, np.zeros(N, np.int64), label, {"model": probability})
    return matrix, tested, slices_of(PLAN, matrix, {"attribute_city": CITIES}, tested)


def test_every_part_of_tenure_activity_and_attributes_is_a_slice() -> None:
    _, _, slices = cut()
    assert {s.name: s.rows for s in slices} == {
        "value_days_since_first: 0 to 399": 400,
        "value_days_since_first: 400 to 799": 400,
        "value_days_since_first: 800 to 1,199": 400,
        "value_count_90d: 2": 900,
        "value_count_90d: 7": 300,
        "attribute_city: Ayr": 1050,
        "attribute_city: missing": 100,
        "attribute_size: missing": 1200,
    }
    assert min(s.rows for s in slices) >= FEWEST_ROWS


def test_a_slice_is_measured_on_its_own_rows() -> None:
    matrix, tested, slices = cut()
    chosen = next(s for s in slices if s.name == "value_count_90d: 7")
    rows = matrix[:, PLAN.names.index("value_count_90d")] == 7.0
    label, probability = tested.label[rows], tested.predictions["model"][rows]
    assert (chosen.customers, chosen.positives) == (150, label.sum())
    assert chosen.auc == pytest.approx(roc_auc_score(label, probability))
    assert chosen.predicted == pytest.approx(probability.mean())
    assert chosen.observed == pytest.approx(label.mean())
    assert (chosen.low, chosen.high) == wilson(label.mean(), 150)


def test_a_slice_of_one_class_has_no_auc() -> None:
    matrix, tested, _ = cut()
    tested.label[:] = 0
    slices = slices_of(PLAN, matrix, {"attribute_city": CITIES}, tested)
    assert all(math.isnan(s.auc) for s in slices)
    assert all(s.off for s in slices)


@pytest.mark.parametrize(("positives", "n"), [(0, 10), (3, 10), (50, 120), (10, 10)])
def test_intervals_equal_those_of_scipy(positives: int, n: int) -> None:
    right = binomtest(positives, n).proportion_ci(method="wilson")
    assert wilson(positives / n, n) == pytest.approx((right.low, right.high), abs=1e-4)


def test_a_slice_is_off_when_its_mean_lies_outside_what_happened() -> None:
    _, tested, slices = cut()
    right = [s.off for s in slices]
    assert right.count(True) <= 1
    tested.predictions["model"][:] = tested.predictions["model"] / 3
    wrong = slices_of(PLAN, cut()[0], {"attribute_city": CITIES}, tested)
    assert all(s.off for s in wrong)
