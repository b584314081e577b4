"""Intervals: the weighted metrics are scikit-learn's, and the intervals are of customers."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from training.evaluation import Tested as Predictions
from training.evaluation import calibration_error, evaluate
from training.intervals import MEASURES, error_by_chance, estimates, top_lift


def predictions(n: int = 600, rows_each: int = 1, seed: int = 1) -> Predictions:
    """Rows of customers, every row of one customer alike."""
    rng = np.random.default_rng(seed)
    probability = np.round(rng.random(n), 2)
    label = (rng.random(n) < probability).astype(np.int8)
    return Predictions(
        customer=np.tile(np.arange(n), rows_each),
        instant=np.repeat(np.arange(2 * rows_each), n // 2),
        label=np.tile(label, rows_each),
        predictions={
            "model": np.tile(probability, rows_each),
            "recency": np.tile(rng.random(n), rows_each),
        },
    )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=30
    )
)
def test_weighted_metrics_are_those_of_scikit_learn_also_with_ties(
    rows: list[tuple[bool, int, int]],
) -> None:
    rows = [(True, 3, 1), (False, 2, 1), *rows]
    label, level, weight = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    probability = (level + 1) / 8
    order = np.argsort(-probability, kind="stable")
    label, probability, weight = label[order], probability[order], weight[order]
    expected = {
        "average_precision": metrics.average_precision_score(
            label, probability, sample_weight=weight
        ),
        "log_loss": metrics.log_loss(label, probability, sample_weight=weight),
        "brier": metrics.brier_score_loss(label, probability, sample_weight=weight),
    }
    got = {name: MEASURES[name](label, probability, weight) for name in expected}
    assert got == pytest.approx(expected)


def test_weights_count_as_rows_do_in_the_lift() -> None:
    label = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    weight = np.array([1.0, 2.0, 7.0, 6.0, 4.0])
    falling = np.linspace(0.9, 0.1, 5)
    repeated = np.repeat(label, weight.astype(int))
    assert top_lift(label, falling, weight) == pytest.approx((1 / 2) / repeated.mean())
    assert top_lift(label, falling, np.ones(5)) == pytest.approx(1 / label.mean())


def test_the_metrics_are_those_of_the_evaluation_and_lie_in_their_intervals() -> None:
    rows = predictions()
    expected, got = evaluate(rows), estimates(rows)
    for name, each in got["model"].items():
        assert each.value == pytest.approx(expected.metrics[name]), name
        if name == "ece":
            assert each.low is None
        else:
            assert each.low is not None and each.high is not None
            assert each.low < each.value < each.high
    assert got["recency"]["auc"].value == pytest.approx(expected.auc["recency"])
    assert got["recency"]["auc"].low is None


def test_repeating_every_row_of_a_customer_makes_nothing_surer() -> None:
    once, often = (astuple(estimates(predictions(rows_each=n))["model"]["brier"]) for n in (1, 4))
    assert often == pytest.approx(once)


def test_perfect_probabilities_have_the_error_of_chance_and_wrong_ones_more() -> None:
    rows = predictions(6_000)
    chance = error_by_chance(rows)
    assert 0 < calibration_error(rows.label, rows.predictions["model"]) < 2 * chance
    assert calibration_error(rows.label, rows.predictions["model"] / 2) > 5 * chance
