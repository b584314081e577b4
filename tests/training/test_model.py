"""The model and its baselines on made-up signals: they learn what is there and nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from features.categories import Categories
from features.plan import compile_plan
from features.signals import attribute, days, interactions
from features.values import SignalValues
from training.baselines import BASELINES
from training.calibration import Calibrator
from training.model import DEFAULT_TREES, MOST_TREES, Fitted, fit
from training.splits import Split

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
VALUE = interactions(role="value")
PLAN = compile_plan(
    (
        *VALUE.days_since_last(why="silence"),
        *VALUE.gap_ratio(why="rhythm"),
        *VALUE.count(days(28, 90), why="frequency"),
        *VALUE.sum("amount", days(90), why="spend"),
        *attribute("city", why="where"),
    ),
    {"value": ("purchase",)},
)
CITY = PLAN.names.index("attribute_city")
CITIES = ["Ayr", "Bath", "Cork"]
N = 2_400


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded signals and labels, the parts one after another."""

    matrix: Float64
    label: Int8
    split: Split

    def fit(self) -> Fitted:
        return fit(PLAN, self.matrix, self.label, np.arange(N), self.split)

    def test_auc(self) -> float:
        test = self.split.test
        return float(roc_auc_score(self.label[test], self.fit().predict(self.matrix[test])))


def signals(seed: int = 1) -> tuple[Float64, Int8]:
    rng = np.random.default_rng(seed)
    silence = rng.exponential(20, N)
    count = rng.poisson(6, N).astype(np.float64)
    city = rng.integers(0, len(CITIES), N).astype(np.float64)
    city[rng.random(N) < 0.1] = np.nan
    ratio = silence / rng.uniform(5, 20, N)
    ratio[count < 2] = np.nan
    matrix = np.column_stack(
        [silence, ratio, count, 2 * count, count * rng.lognormal(3, 1, N), city]
    )
    lost = rng.random(N) < expit(0.08 * silence - 0.3 * count + (city == 1) - 0.5)
    return matrix, lost.astype(np.int8)


def rows(matrix: Float64, label: Int8) -> Rows:
    place = np.arange(N) / N
    test = place >= 0.75
    split = Split(
        train=place < 0.4,
        stop=(place >= 0.4) & (place < 0.6),
        calibrate=(place >= 0.6) & ~test,
        refit=~test,
        test=test,
    )
    return Rows(matrix, label, split)


def test_the_same_rows_give_the_same_bits_twice() -> None:
    data = rows(*signals())
    one, two = data.fit(), data.fit()
    assert one.booster.model_to_string() == two.booster.model_to_string()
    assert one.predict(data.matrix).tobytes() == two.predict(data.matrix).tobytes()
    assert (one.calibrator, one.parameters) == (two.calibrator, two.parameters)


def test_rows_of_the_test_are_never_learned_from() -> None:
    matrix, label = signals()
    data = rows(matrix, label)
    flipped = rows(matrix, np.where(data.split.test, 1 - label, label).astype(np.int8))
    assert data.fit().predict(matrix).tobytes() == flipped.fit().predict(matrix).tobytes()


def test_what_is_there_is_learned() -> None:
    assert 0.75 < rows(*signals()).test_auc() < 0.95


def test_shuffled_labels_teach_nothing() -> None:
    matrix, label = signals()
    aucs = [
        rows(matrix, np.random.default_rng(seed).permutation(label)).test_auc() for seed in range(3)
    ]
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.05)


def test_a_leaked_label_shows_as_an_auc_too_good_to_be_true() -> None:
    matrix, label = signals()
    matrix[:, PLAN.names.index("value_count_28d")] = label
    assert rows(matrix, label).test_auc() > 0.98


def test_the_number_of_trees_is_stopped_early_and_written_down() -> None:
    fitted = rows(*signals()).fit()
    assert 20 <= fitted.parameters["trees"] < MOST_TREES
    assert fitted.booster.num_trees() == fitted.parameters["trees"]


def test_too_few_positives_mean_the_default_trees_and_no_calibrator() -> None:
    matrix, label = signals()
    rare = (label.astype(bool) & (np.arange(N) % 20 == 0)).astype(np.int8)
    fitted = rows(matrix, rare).fit()
    assert 0 < fitted.parameters["trees"] <= DEFAULT_TREES
    assert fitted.calibrator == Calibrator()


def test_unseen_and_missing_categories_score_alike_and_without_error() -> None:
    matrix, label = signals()
    fitted = rows(matrix, label).fit()
    categories = Categories()
    raw = matrix[:3].copy()
    raw[:, :CITY] = matrix[0, :CITY]
    raw[:, CITY] = [categories.encode(city, False) for city in ("Bath", "Derry", None)]
    encoded = SignalValues(PLAN, raw, categories).encode({"attribute_city": CITIES})
    assert str(encoded[:, CITY].tolist()) == "[1.0, nan, nan]"
    known, unseen, missing = fitted.predict(encoded).tolist()
    assert unseen == missing
    assert 0 < missing < known < 1


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_return_probabilities_that_know_something(name: str) -> None:
    data = rows(*signals())
    known, test = data.split.refit, data.split.test
    p = BASELINES[name](PLAN, data.matrix[known], data.label[known], data.matrix[test])
    assert p.shape == (test.sum(),)
    assert (p > 0).all() and (p < 1).all()
    assert roc_auc_score(data.label[test], p) > 0.65


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_take_missing_and_unseen_values(name: str) -> None:
    matrix, label = signals()
    odd = np.full((2, len(PLAN.names)), np.nan)
    odd[1, CITY] = 99.0
    p = BASELINES[name](PLAN, matrix, label, odd)
    assert (p > 0).all() and (p < 1).all()
