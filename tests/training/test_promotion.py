"""The gate: what a challenger must show on rows that neither model has learned from."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from training.evaluation import Tested as Predictions
from training.promotion import ECE_LIMIT, FEWEST, LARGE, judge

Float64 = npt.NDArray[np.float64]
N_CUSTOMERS, N_INSTANTS = 1_000, 4


def trial(seed: int = 1, n_customers: int = N_CUSTOMERS) -> tuple[Predictions, Float64]:
    """True probabilities as both models' predictions, of customers who come back, and the odds."""
    rng = np.random.default_rng(seed)
    customer = np.tile(np.arange(n_customers), N_INSTANTS)
    odds = np.tile(rng.normal(-1, 1.2, n_customers), N_INSTANTS) + rng.normal(0, 0.5, len(customer))
    label = (rng.random(len(customer)) < expit(odds)).astype(np.int8)
    instant = np.repeat(np.arange(N_INSTANTS), n_customers)
    predictions = {"model": expit(odds), "champion": expit(odds)}
    return Predictions(customer, instant, label, predictions), odds


def changed(tested: Predictions, **predictions: Float64) -> Predictions:
    return Predictions(
        tested.customer,
        tested.instant,
        tested.label,
        {**tested.predictions, **predictions},
    )


def slices(tested: Predictions) -> Mapping[str, npt.NDArray[np.bool_]]:
    half = tested.customer < N_CUSTOMERS // 2
    return {"town: Ayr": half, "town: Bath": ~half}


def test_the_same_predictions_are_not_worse() -> None:
    tested, _ = trial()
    verdict = judge(tested, slices(tested))
    assert verdict.promoted
    assert verdict.metrics["gain"] == verdict.metrics["gain.low"] == 0.0
    assert [each.auc for each in verdict.slices] == [(0.0, 0.0, 0.0)] * 2


def test_a_better_challenger_is_promoted_with_its_gain() -> None:
    tested, odds = trial()
    noise = np.random.default_rng(2).normal(0, 1, len(odds))
    verdict = judge(changed(tested, champion=expit(odds + noise)), slices(tested))
    assert verdict.promoted
    assert verdict.reasons == ()
    assert verdict.metrics["gain.low"] > 0


def test_a_worse_order_is_refused_with_the_numbers() -> None:
    tested, odds = trial()
    noise = np.random.default_rng(2).normal(0, 1, len(odds))
    verdict = judge(changed(tested, model=expit(odds + noise)), {})
    assert not verdict.promoted
    told = f"gain {verdict.metrics['gain']:+.3f} [{verdict.metrics['gain.low']:+.3f}"
    assert told in verdict.reasons[0]
    assert "wanted above -0.005" in verdict.reasons[0]


def test_a_challenger_of_whom_one_cannot_say_is_refused() -> None:
    tested, odds = trial(n_customers=150)
    rng = np.random.default_rng(3)
    alike = {name: expit(odds + rng.normal(0, 0.7, len(odds))) for name in ("model", "champion")}
    metrics = judge(changed(tested, **alike), {}).metrics
    assert metrics["gain.low"] < -0.005 < metrics["gain.high"]
    assert not judge(changed(tested, **alike), {}).promoted


@pytest.mark.parametrize(("shift", "promoted"), [(0.0, True), (0.5, False)])
def test_calibration_must_hold_and_the_order_alone_is_not_enough(
    shift: float, promoted: bool
) -> None:
    tested, odds = trial()
    verdict = judge(changed(tested, model=expit(odds + shift)), {})
    assert verdict.metrics["gain"] == pytest.approx(0.0)
    assert verdict.promoted is promoted
    assert promoted or "calibration error" in verdict.reasons[0]


def test_a_challenger_as_badly_calibrated_as_the_champion_may_replace_it() -> None:
    tested, odds = trial()
    off = expit(odds + 0.5)
    assert judge(changed(tested, model=off, champion=off), {}).promoted


def test_chance_alone_does_not_refuse_true_probabilities() -> None:
    refused = 0
    for seed in range(20):
        tested, _ = trial(seed, n_customers=100)
        # a champion whose probabilities look perfect: each row's is that of its own bin
        lucky = np.empty(len(tested.label))
        for part in np.array_split(np.argsort(tested.predictions["model"]), 10):
            lucky[part] = tested.label[part].mean() + 1e-6 * tested.predictions["model"][part]
        metrics = judge(changed(tested, champion=lucky), {}).metrics
        assert metrics["ece.champion"] < 1e-5
        assert metrics["ece.challenger"] > ECE_LIMIT
        refused += metrics["ece.challenger"] > metrics["ece.limit"]
    assert refused <= 3


def test_a_slice_that_loses_its_order_stops_the_promotion() -> None:
    tested, odds = trial()
    noise = np.random.default_rng(4).normal(0, 1, len(odds))
    ayr = slices(tested)["town: Ayr"]
    # elsewhere the challenger is much better, so that it is not worse over all
    model, champion = expit(odds + noise * ayr), expit(odds + 2 * noise * ~ayr)
    verdict = judge(changed(tested, model=model, champion=champion), slices(tested))
    assert verdict.metrics["gain.low"] > 0
    assert not verdict.promoted
    assert "town: Ayr: AUC -0." in verdict.reasons[-1]
    assert "Bath" not in verdict.reasons[-1]


def test_a_slice_that_loses_its_calibration_stops_the_promotion() -> None:
    tested, odds = trial()
    ayr = slices(tested)["town: Ayr"]
    model, champion = expit(odds + np.where(ayr, 0.4, 0.0)), expit(odds + np.where(ayr, 0.0, -0.9))
    verdict = judge(changed(tested, model=model, champion=champion), slices(tested))
    harmed = {each.name: each.harms for each in verdict.slices}
    assert "calibration -0." in harmed["town: Ayr"][0]
    assert harmed["town: Bath"] == ()


def test_a_small_slice_stops_nothing() -> None:
    tested, odds = trial()
    few = tested.customer < LARGE - 1
    verdict = judge(changed(tested, model=np.where(few, 0.2, expit(odds))), {"few": few})
    assert verdict.slices == ()
    assert "none was compared" in verdict.findings[-1].text


@pytest.mark.slow
def test_many_slices_of_equal_models_raise_few_alarms() -> None:
    """20 slices in 2 measures at 5 % each would raise an alarm in most trials."""
    alarms = 0
    for seed in range(15):
        rng = np.random.default_rng(100 + seed)
        tested, odds = trial(seed, n_customers=600)
        alike = {n: expit(odds + rng.normal(0, 0.4, len(odds))) for n in ("model", "champion")}
        towns = rng.integers(0, 2, (20, 600))[:, tested.customer] == 1
        found = judge(changed(tested, **alike), {f"s{i}": rows for i, rows in enumerate(towns)})
        alarms += any(each.auc[2] < 0 or each.calibration[2] < 0 for each in found.slices)
    assert alarms <= 3


@pytest.mark.slow
def test_intervals_of_slices_cover_the_gain_that_is_there() -> None:
    """What is there is known from a very large trial."""
    tested, odds = trial(seed=9, n_customers=40_000)
    rng = np.random.default_rng(9)
    noisy = expit(odds + rng.normal(0, 0.8, len(odds)))
    true = judge(changed(tested, champion=noisy), {}).metrics["gain"]
    covered = 0
    for seed in range(15):
        tested, odds = trial(seed, n_customers=500)
        noisy = expit(odds + np.random.default_rng(50 + seed).normal(0, 0.8, len(odds)))
        everyone = np.ones(len(odds), dtype=bool)
        (found,) = judge(changed(tested, champion=noisy), {"all": everyone}).slices
        covered += found.auc[1] < true < found.auc[2]
    assert covered >= 12


def test_too_few_customers_of_a_class_are_no_evidence() -> None:
    tested, _ = trial()
    few = tested.customer < FEWEST - 1
    label = np.where(few, tested.label, 0).astype(np.int8)
    rare = Predictions(tested.customer, tested.instant, label, tested.predictions)
    verdict = judge(rare, {})
    assert not verdict.promoted
    assert "too few unseen rows" in verdict.reasons[0]


def test_instants_of_one_class_each_are_no_evidence() -> None:
    tested, _ = trial()
    label = (tested.instant == 0).astype(np.int8)
    apart = Predictions(tested.customer, tested.instant, label, tested.predictions)
    assert "both at one instant" in judge(apart, {}).reasons[0]
