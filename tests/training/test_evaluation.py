"""Evaluation: metrics against scikit-learn and by hand, and honest intervals."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn import metrics

from training.evaluation import (
    Evaluation,
    calibration_bins,
    calibration_error,
    evaluate,
    lift,
    weighted_aucs,
)
from training.evaluation import Tested as Predictions

Float64 = npt.NDArray[np.float64]
N, N_INSTANTS = 600, 3


def predicted(
    extra: Mapping[str, Float64] | None = None, noise: float = 1.0, seed: int = 3
) -> Predictions:
    """Predictions that know something, of customers who come back at each instant."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=N)
    label = (truth + rng.normal(size=N) > 0.8).astype(np.int8)
    model = expit(truth + noise * rng.normal(size=N))
    return Predictions(
        customer=np.arange(N) % (N // N_INSTANTS),
        instant=np.arange(N) // (N // N_INSTANTS),
        label=label,
        predictions={"model": model, **(extra or {})},
    )


def test_metrics_equal_those_of_scikit_learn() -> None:
    rows = predicted()
    label, p = rows.label, rows.predictions["model"]
    got = evaluate(rows).metrics
    parts = [rows.instant == t for t in range(N_INSTANTS)]
    expected = {
        "auc": np.mean([metrics.roc_auc_score(label[part], p[part]) for part in parts]),
        "auc_pooled": metrics.roc_auc_score(label, p),
        "average_precision": metrics.average_precision_score(label, p),
        "log_loss": metrics.log_loss(label, p),
        "brier": metrics.brier_score_loss(label, p),
        "base_rate": label.mean(),
        "rows": N,
        "positives": label.sum(),
    }
    assert {name: got[name] for name in expected} == pytest.approx(expected)
    assert evaluate(rows).by_instant[1]["log_loss"] == pytest.approx(
        metrics.log_loss(label[parts[1]], p[parts[1]])
    )


def test_an_instant_with_labels_of_one_class_counts_for_no_auc() -> None:
    rows = predicted()
    rows.label[rows.instant == 0] = 0
    got = evaluate(rows)
    assert set(got.by_instant) == {1, 2}
    assert got.metrics["rows"] == N
    assert got.metrics["auc"] == pytest.approx(np.mean([got.by_instant[t]["auc"] for t in (1, 2)]))


def test_calibration_error_by_hand() -> None:
    probability = np.repeat([0.1, 0.5, 0.9], [40, 40, 20])
    label = np.zeros(100, dtype=np.int8)
    label[[0, 10, 20, 30]] = 1  # 10 % of each bin at 0.1: right
    label[40:80:10] = 1  # 10 % of each bin at 0.5: 0.4 too high
    label[80:100] = 1  # all of each bin at 0.9: 0.1 too low
    assert calibration_error(label, probability) == pytest.approx(0.4 * 0.4 + 0.2 * 0.1)
    mean, observed, size = calibration_bins(label, probability)
    assert size.tolist() == [10.0] * 10
    assert mean == pytest.approx([0.1] * 4 + [0.5] * 4 + [0.9] * 2)
    assert observed == pytest.approx([0.1] * 8 + [1.0] * 2)


def test_few_rows_have_fewer_bins() -> None:
    label, probability = np.array([0, 1, 1], dtype=np.int8), np.array([0.2, 0.7, 0.6])
    assert calibration_bins(label, probability)[2].tolist() == [1.0, 1.0, 1.0]
    assert calibration_error(label, probability) == pytest.approx((0.2 + 0.3 + 0.4) / 3)


def test_lift_by_hand() -> None:
    label = np.array([1, 0, 0, 1, 0, 0, 0, 0, 0, 0] * 2, dtype=np.int8)
    probability = np.linspace(0.9, 0.1, 20)
    assert lift(label, probability) == pytest.approx(0.5 / 0.2)
    assert lift(label, probability, share=0.2) == pytest.approx(0.5 / 0.2)
    assert lift(label, probability, share=0.05) == pytest.approx(1 / 0.2)
    assert lift(label, -probability) == 0.0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 7)), min_size=2, max_size=40
    ),
    st.lists(st.integers(0, 4), min_size=8, max_size=8),
)
def test_weighted_auc_is_that_of_scikit_learn_also_with_ties(
    rows: list[tuple[bool, int, int]], weights: list[int]
) -> None:
    label = np.array([row[0] for row in rows], dtype=np.int8)
    probability = np.array([row[1] / 5 for row in rows])
    customer = np.array([row[2] for row in rows], dtype=np.int64)
    weight = np.array(weights, dtype=np.int64)
    (got,) = weighted_aucs(label, probability, customer, [weight])
    sample = weight[customer]
    if len(set(label[sample > 0])) < 2:
        assert np.isnan(got)
    else:
        expected = metrics.roc_auc_score(label, probability, sample_weight=sample)
        assert got == pytest.approx(expected)


def test_an_identical_baseline_gains_exactly_nothing() -> None:
    model = predicted().predictions["model"]
    assert evaluate(predicted({"same": model.copy()})).gain["same"] == (0.0, 0.0, 0.0)


def test_a_far_better_model_gains_clearly() -> None:
    chance = np.random.default_rng(5).random(N)
    result = evaluate(predicted({"chance": chance}, noise=0.1))
    mean, low, high = result.gain["chance"]
    assert 0.1 < low < mean < high
    assert mean == pytest.approx(result.auc["model"] - result.auc["chance"], abs=0.02)


def test_a_baseline_as_good_is_not_beaten() -> None:
    rng = np.random.default_rng(6)
    truth = rng.normal(size=N)
    label = (truth + rng.normal(size=N) > 0).astype(np.int8)
    rivals = {name: expit(truth + rng.normal(size=N)) for name in ("model", "rival")}
    rows = Predictions(np.arange(N), np.zeros(N, dtype=np.int64), label, rivals)
    _, low, high = evaluate(rows).gain["rival"]
    assert low < 0 < high


def repeated(times: int, as_one: bool) -> Evaluation:
    """Every row several times: as one customer's, or as if each were a new customer."""
    rng = np.random.default_rng(8)
    truth = rng.normal(size=200)
    label = (truth + rng.normal(size=200) > 0.5).astype(np.int8)
    rivals = {"model": truth, "chance": rng.normal(size=200)}
    customer = np.tile(np.arange(200), times) if as_one else np.arange(200 * times)
    return evaluate(
        Predictions(
            customer=customer,
            instant=np.zeros(200 * times, dtype=np.int64),
            label=np.tile(label, times),
            predictions={name: np.tile(expit(p), times) for name, p in rivals.items()},
        )
    )


def width(result: Evaluation) -> float:
    _, low, high = result.gain["chance"]
    return high - low


def test_repeating_customers_does_not_narrow_the_interval() -> None:
    assert width(repeated(9, as_one=True)) == pytest.approx(width(repeated(1, as_one=True)))
    assert width(repeated(9, as_one=False)) < 0.5 * width(repeated(9, as_one=True))


def test_an_evaluation_is_repeatable() -> None:
    chance = np.random.default_rng(5).random(N)
    assert evaluate(predicted({"chance": chance})) == evaluate(predicted({"chance": chance}))
