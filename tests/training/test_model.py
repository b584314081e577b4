"""The model and its baselines on made-up signals: they learn what is there and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from features import clock
from features.categories import Categories
from features.plan import compile_plan
from features.signals import attribute, days, interactions
from features.values import SignalValues
from training.baselines import BASELINES
from training.calibration import Calibrator
from training.ensemble import margin_of, merged
from training.fitting import MOST_TREES, Fitting, taken
from training.model import DEFAULT_TREES, Propensity
from training.splits import Split
from training.straight import fit_linear

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

    def fit(self, **parameters: Any) -> Propensity:
        return Propensity(**parameters).fit(
            self.matrix, self.label, names=PLAN.names, categorical=[CITY], split=self.split
        )

    def test_auc(self) -> float:
        test = self.split.test
        return float(roc_auc_score(self.label[test], chances(self.fit(), self.matrix[test])))


def chances(model: Propensity, matrix: Float64) -> Float64:
    found: Float64 = model.predict_proba(matrix)[:, 1]
    return found


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rows of a test be many."""
    monkeypatch.setattr("training.model.SMALL", 100)


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
    text = one.ensemble_.booster.model_to_string()
    assert text == two.ensemble_.booster.model_to_string()
    assert chances(one, data.matrix).tobytes() == chances(two, data.matrix).tobytes()
    assert (one.calibrator_, one.parameters_) == (two.calibrator_, two.parameters_)


def test_rows_of_the_test_are_never_learned_from() -> None:
    matrix, label = signals()
    data = rows(matrix, label)
    flipped = rows(matrix, np.where(data.split.test, 1 - label, label).astype(np.int8))
    assert chances(data.fit(), matrix).tobytes() == chances(flipped.fit(), matrix).tobytes()


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


@pytest.mark.usefixtures("many")
def test_the_number_of_trees_is_stopped_early_and_written_down() -> None:
    fitted = rows(*signals()).fit(n_seeds=1)
    assert 20 <= fitted.parameters_["trees"] < MOST_TREES
    assert fitted.ensemble_.booster.num_trees() == fitted.parameters_["trees"]


def test_few_positives_mean_the_default_trees_of_several_seeds_merged() -> None:
    fitted = rows(*signals()).fit()
    assert fitted.ensemble_.booster.num_trees() == fitted.parameters_["trees"]
    most = fitted.parameters_["n_seeds"] * DEFAULT_TREES
    assert most - 10 < fitted.parameters_["trees"] <= most  # one without a split is left out


def test_too_few_positives_give_no_calibrator() -> None:
    matrix, label = signals()
    rare = (label.astype(bool) & (np.arange(N) % 60 == 0)).astype(np.int8)
    fitted = rows(matrix, rare).fit()
    assert fitted.calibrator_ == Calibrator()
    assert fitted.parameters_["line_share"] == 0.0


def test_merged_boosters_score_and_explain_their_mean(tmp_path: Path) -> None:
    data = rows(*signals())
    boosters = [data.fit(n_seeds=1, seed=seed).ensemble_.booster for seed in (1, 2, 3)]
    whole = merged(boosters)
    whole.save_model(tmp_path / "booster.txt")
    read = lgb.Booster(model_file=tmp_path / "booster.txt")
    for how in ({"raw_score": True}, {"pred_contrib": True}):
        mean = np.mean([booster.predict(data.matrix, **how) for booster in boosters], axis=0)
        assert np.abs(read.predict(data.matrix, **how) - mean).max() < 1e-12


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("curved", "kept"), [(True, False), (False, True)])
def test_the_line_is_added_only_where_it_helps(curved: bool, kept: bool) -> None:
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(N, len(PLAN.names)))
    matrix[:, CITY] = 0.0
    steep = np.where(np.abs(matrix[:, 0]) > 0.8, 2.0, -2.0) if curved else 1.5 * matrix[:, 0]
    label = (rng.random(N) < expit(steep + (0 if curved else matrix[:, 1]))).astype(np.int8)
    fitted = rows(matrix, label).fit()
    assert (fitted.parameters_["line_share"] > 0) == kept
    assert (fitted.ensemble_.linear is not None) == kept
    assert rows(matrix, label).fit(blend=False).ensemble_.linear is None


def test_what_is_old_counts_less_by_its_half_life() -> None:
    matrix, label = signals()
    turned = np.where(np.arange(N) < 0.6 * N, 1 - label, label).astype(np.int8)
    as_of = np.arange(N) * clock.DAY
    data = rows(matrix, turned)
    test = data.split.test
    aucs = [
        roc_auc_score(turned[test], chances(model, matrix[test]))
        for half_life in (0.0, 200.0)
        for model in [Propensity(half_life=half_life).fit(matrix, turned, as_of=as_of)]
    ]
    assert aucs[0] < 0.6 < 0.7 < aucs[1]


def test_rows_that_are_not_learned_from_change_no_bit_whatever_counts_less() -> None:
    matrix, label = signals()
    data = rows(matrix, label)
    refit = data.split.refit
    as_of = np.arange(N) * clock.DAY
    found = []
    for later in (as_of, np.where(refit, as_of, as_of + 5_000 * clock.DAY)):
        model = Propensity(half_life=90.0).fit(matrix, label, as_of=later, split=data.split)
        found.append(chances(model, matrix[refit]).tobytes())
    assert found[0] == found[1]


def test_labels_other_than_0_and_1_are_refused() -> None:
    matrix, label = signals()
    for odd in (label.astype(np.int64) * 256, label * 2 - 1, label + 1):
        with pytest.raises(ValueError, match="wanted 0 and 1"):
            Propensity().fit(matrix, odd)


def test_a_category_of_many_values_and_an_infinite_number_do_no_harm() -> None:
    matrix, label = signals()
    matrix[:, CITY] = np.arange(N) % 400
    matrix[5, 0] = np.inf
    line = fit_linear(matrix, label, np.ones(N), [CITY], 0.01)
    assert line.levels.shape == (len(PLAN.names), 0)
    assert np.isfinite(line.contributions(matrix)).all()


def test_it_is_a_classifier_of_scikit_learn() -> None:
    matrix, label = signals()
    model = clone(Propensity(num_leaves=5, blend=False))
    assert model.get_params()["num_leaves"] == 5
    p = cross_val_predict(model, matrix, label, method="predict_proba", cv=2)
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert roc_auc_score(label, p[:, 1]) > 0.7
    fitted = model.fit(matrix, label)
    assert (fitted.predict(matrix) == (chances(fitted, matrix) >= 0.5)).all()
    assert fitted.parameters_["num_leaves"] == 5


def test_unseen_and_missing_categories_score_alike_and_without_error() -> None:
    matrix, label = signals()
    fitted = rows(matrix, label).fit()
    categories = Categories()
    raw = matrix[:3].copy()
    raw[:, :CITY] = matrix[0, :CITY]
    raw[:, CITY] = [categories.encode(city, False) for city in ("Bath", "Derry", None)]
    encoded = SignalValues(PLAN, raw, categories).encode({"attribute_city": CITIES})
    assert str(encoded[:, CITY].tolist()) == "[1.0, nan, nan]"
    known, unseen, missing = chances(fitted, encoded).tolist()
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


def test_rows_are_the_same_whether_they_come_in_runs_or_scattered() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((1_000, 4))
    for share in (0.0, 0.5, 1.0):
        rows = rng.random(1_000) < share
        np.testing.assert_array_equal(taken(matrix, rows), matrix[rows])
    runs = np.zeros(1_000, dtype=np.bool_)
    runs[10:200] = runs[500:900] = True
    np.testing.assert_array_equal(taken(matrix, runs), matrix[runs])
    assert np.shares_memory(taken(matrix, np.arange(1_000) < 300), matrix)


def test_a_fit_of_rows_in_runs_is_that_of_the_same_rows_copied() -> None:
    rng = np.random.default_rng(4)
    matrix, rows = rng.standard_normal((3_000, 5)), np.arange(3_000) // 500 % 2 == 0
    label = (matrix[:, 0] + rng.standard_normal(3_000) > 1).astype(np.int8)
    again, whole = np.ascontiguousarray(matrix[rows]), np.ones(int(rows.sum()), dtype=np.bool_)
    margins = []
    for data, chosen in ((matrix, rows), (again, whole)):
        outcome, weight = label[rows] if data is again else label, np.ones(len(data))
        given = Propensity()._chosen(100)
        fitting = Fitting(data, outcome, weight, np.arange(len(data)), None, [], given, 7)
        margins.append(margin_of(fitting.trees(chosen, 20), matrix))
    np.testing.assert_array_equal(margins[0], margins[1])
