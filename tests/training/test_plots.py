"""Plots: they render whatever the signals hold."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.figure import Figure

from training.evaluation import Tested as Predictions
from training.money import Stakes, profit_curve
from training.plots import (
    BLUE,
    MOST_SIGNALS,
    ORANGE,
    calibration_plot,
    profit_plot,
    shap_plot,
    slices_plot,
)
from training.slices import Slice

Float64 = npt.NDArray[np.float64]


def png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def is_png(figure: Figure) -> bool:
    return png(figure).startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("what", "probability"),
    [
        ("spread", np.linspace(0.01, 0.99, 200)),
        ("constant", np.full(200, 0.3)),
        ("fewer rows than bins", np.array([0.2, 0.4, 0.9])),
    ],
)
def test_calibration_renders(what: str, probability: Float64) -> None:
    n = len(probability)
    label = (np.random.default_rng(1).random(n) < probability).astype(np.int8)
    rows = Predictions(np.arange(n), np.zeros(n, dtype=np.int64), label, {"model": probability})
    figure = calibration_plot(rows, f"Calibration, {what}")
    assert figure.axes[0].get_title() == f"Calibration, {what}"
    assert is_png(figure)


@pytest.mark.parametrize("cost", [1.0, 1e6])
def test_profit_renders_where_contacting_pays_and_where_it_never_does(cost: float) -> None:
    risk = np.linspace(0.0, 1.0, 200)
    label = (np.random.default_rng(1).random(200) < risk).astype(np.int8)
    curve = profit_curve(Stakes(400.0, cost, 0.2), label, risk, np.full(200, 400.0))
    figure = profit_plot(curve, "EUR")
    assert "EUR" in figure.axes[0].get_ylabel()
    assert is_png(figure)


def test_slices_render_and_those_that_are_off_stand_out() -> None:
    right = Slice("city", "Ayr", 200, 100, 40, 0.7, 0.21, 0.20, 0.13, 0.29)
    wrong = Slice("city", "Bath", 200, 100, 40, float("nan"), 0.40, 0.20, 0.13, 0.29)
    figure = slices_plot([right, wrong], "Slices")
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["city: Bath  (200)", "city: Ayr  (200)"]
    dots = [line.get_color() for line in axes.lines if line.get_marker() == "o"]
    assert dots == [ORANGE, BLUE]
    assert is_png(figure)


def test_a_slice_is_told_in_a_sentence() -> None:
    low = Slice("value_days_since_first", "1.4 to 276", 547, 300, 111, 0.7, 0.15, 0.2, 0.16, 0.25)
    assert low.told == (
        "where value_days_since_first is 1.4 to 276: predicted 15 %, in fact 20 % (16 % to 25 %) "
        "of 547 rows: too low"
    )
    high = Slice("city", "Bath", 200, 100, 40, float("nan"), 0.4, 0.2, 0.13, 0.29)
    assert high.told.endswith(": too high")


def test_a_dollar_in_the_data_is_a_dollar_and_no_formula() -> None:
    assert is_png(
        slices_plot([Slice("pay", "$\\frac{$", 200, 9, 40, 0.7, 0.2, 0.2, 0.1, 0.3)], "T")
    )
    curve = profit_curve(Stakes(9.0, 1.0, 0.5), np.ones(9, np.int8), np.ones(9), np.ones(9))
    assert is_png(profit_plot(curve, "$\\frac{$"))


def test_effects_render_with_missing_values_and_a_constant_signal() -> None:
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(50, 4))
    matrix[::3, 0] = np.nan
    matrix[:, 1] = 5.0
    matrix[:, 2] = np.nan
    effects = rng.normal(size=(50, 4)) * [0.1, 0.0, 0.2, 0.05]
    figure = shap_plot(effects, matrix, ["some", "constant", "missing", "full"], "Effects")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["constant", "full", "some", "missing"]
    assert is_png(figure)


def test_only_the_strongest_signals_are_drawn() -> None:
    effects = np.random.default_rng(3).normal(size=(20, 40)) * np.arange(40)
    figure = shap_plot(effects, effects, [f"s{i}" for i in range(40)], "Effects")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == MOST_SIGNALS
    assert "s0" not in names and "s39" in names


def test_the_same_values_give_the_same_picture() -> None:
    effects = np.random.default_rng(4).normal(size=(20, 3))
    one, two = (shap_plot(effects, effects, list("abc"), "Effects") for _ in range(2))
    assert png(one) == png(two)
