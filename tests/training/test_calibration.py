"""Calibration: strictly increasing, invertible, and kept only where it helps."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import log_loss

from training.calibration import Calibrator
from training.slopes import fit_calibrator

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]

slopes = st.floats(0.1, 5)
calibrators = st.builds(Calibrator, slopes, slopes, st.floats(-3, 3))
margins = st.floats(-4, 4)


def drawn(
    n: int, seed: int, slope: float = 1.0, intercept: float = 0.0
) -> tuple[Float64, Int8, npt.NDArray[np.int64]]:
    """Margins whose true log-odds are ``slope * margin + intercept``, labels and customers."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1, 1.5, n)
    label = rng.random(n) < expit(slope * margin + intercept)
    return margin, label.astype(np.int8), np.arange(n)


@given(calibrators, margins, st.floats(1e-6, 2))
def test_a_higher_margin_is_a_higher_probability(
    calibrator: Calibrator, margin: float, more: float
) -> None:
    assert float(calibrator(margin)) < float(calibrator(margin + more))


@given(calibrators, margins)
def test_the_derivative_is_the_limit_of_differences(calibrator: Calibrator, margin: float) -> None:
    step = 1e-5
    difference = float(calibrator(margin + step) - calibrator(margin - step)) / (2 * step)
    assert float(calibrator.derivative(margin)) == pytest.approx(difference, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize(("slope", "intercept"), [(0.4, 0.0), (2.5, 0.5), (1.0, -1.0)])
def test_miscalibrated_margins_are_mended_on_fresh_data(slope: float, intercept: float) -> None:
    calibrator = fit_calibrator(*drawn(3_000, 1, slope, intercept))
    margin, label, _ = drawn(3_000, 2, slope, intercept)
    assert log_loss(label, calibrator(margin)) < log_loss(label, Calibrator()(margin)) - 0.01
    middle = expit(slope * -1.0 + intercept)
    assert float(calibrator(-1.0)) == pytest.approx(float(middle), abs=0.03)


def test_few_positives_give_one_slope_and_many_two_where_they_differ() -> None:
    bent = Calibrator(above=0.5, below=1.5, shift=-0.2)
    for n, slopes in ((1_500, 1), (20_000, 2)):
        rng = np.random.default_rng(8)
        margin = rng.normal(0, 2.0, n)
        label = (rng.random(n) < bent(margin)).astype(np.int8)
        found = fit_calibrator(margin, label, np.arange(n))
        assert len({found.above, found.below}) == slopes
    assert (found.above, found.below) == pytest.approx((bent.above, bent.below), abs=0.1)


def test_calibrated_margins_are_mostly_left_alone_and_never_harmed() -> None:
    kept = 0
    for seed in range(12):
        calibrator = fit_calibrator(*drawn(1_000, seed))
        kept += calibrator == Calibrator()
        margin, label, _ = drawn(4_000, 100 + seed)
        assert log_loss(label, calibrator(margin)) < log_loss(label, Calibrator()(margin)) + 0.005
    assert kept >= 8


def test_too_few_customers_give_the_identity() -> None:
    margin, label, _ = drawn(500, 3, slope=0.3)
    assert fit_calibrator(margin, label, np.arange(500) % 4) == Calibrator()
    assert fit_calibrator(margin, label, np.arange(500) % 50) != Calibrator()


def test_margins_that_order_customers_the_wrong_way_give_the_identity() -> None:
    margin, label, group = drawn(2_000, 4)
    assert fit_calibrator(-margin, label, group) == Calibrator()


@pytest.mark.parametrize("constant", [0, 1])
def test_labels_of_one_kind_give_the_identity(constant: int) -> None:
    margin, label, group = drawn(100, 5)
    assert fit_calibrator(margin, np.full_like(label, constant), group) == Calibrator()


def test_of_rare_events_a_second_slope_is_not_guessed() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        margin = rng.normal(-6.0, 1.2, 150_000)
        label = (rng.random(len(margin)) < expit(1.15 * margin + 1.5)).astype(np.int8)
        assert label.sum() > 1_000
        found = fit_calibrator(margin, label, np.arange(len(margin)))
        assert found.above == found.below
