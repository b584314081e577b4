"""Shapley values of trees are LightGBM's own; ``test_effects`` asks their definition."""

from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest

from features.errors import ModelError
from training import shapley
from training.ensemble import Ensemble, margin_of, merged
from training.shapley import Trees

Float64 = npt.NDArray[np.float64]
CATEGORY = 3


def rows(n: int, seed: int) -> Float64:
    """Return rows of three numbers, one of them small and whole, and a category; some missing."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            rng.normal(size=n),
            rng.integers(0, 4, n).astype(float),
            rng.lognormal(size=n),
            rng.integers(0, 12, n).astype(float),
        ]
    )
    matrix[rng.random(n) < 0.2, 0] = np.nan
    matrix[rng.random(n) < 0.1, CATEGORY] = np.nan
    return matrix


def strange(n: int) -> Float64:
    """Return rows of values that training did not see."""
    matrix = rows(n, 99)
    values = [np.nan, 0.0, -0.0, 1e-40, 1.00000001e-35, -1.0, -0.5, 12.0, 1e9, 1e300, -1e300]
    for k, value in enumerate(values):
        matrix[k, k % 4] = value
        matrix[k + len(values), CATEGORY] = value
    return matrix


def learned(seed: int = 1, trees: int = 20, **more: Any) -> lgb.Booster:
    """Return trees that learned something of every column."""
    matrix = rows(3_000, seed)
    margin = np.nan_to_num(matrix[:, 0]) + np.isin(matrix[:, CATEGORY], (1, 4, 7)) - matrix[:, 1]
    label = np.random.default_rng(seed).random(len(matrix)) < 1 / (1 + np.exp(-margin))
    chosen = {"objective": "binary", "num_leaves": 9, "min_data_in_leaf": 20, "verbosity": -1}
    chosen |= {"seed": seed, "extra_trees": True, "num_threads": 1, **more}
    data = lgb.Dataset(matrix, label.astype(np.int8), categorical_feature=[CATEGORY])
    return lgb.train(chosen, data, num_boost_round=trees)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"num_leaves": 31, "max_depth": -1, "extra_trees": False},
        {"num_leaves": 2},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"max_cat_to_onehot": 1},
        {"boost_from_average": False, "trees": 1},
        {"min_data_in_leaf": 5_000},
    ],
    ids=str,
)
def test_shapley_values_are_those_of_lightgbm(more: dict[str, Any]) -> None:
    booster = learned(**more)
    matrix = np.vstack([rows(300, 8), strange(60)])
    theirs = np.asarray(booster.predict(matrix, pred_contrib=True))
    found, base = Ensemble(booster).contributions(matrix)
    assert Trees.of(booster) is not None
    assert np.abs(found - theirs[:, :-1]).max() < 1e-9
    assert base == pytest.approx(theirs[0, -1], abs=1e-9)
    assert np.abs(found.sum(axis=1) + base - margin_of(booster, matrix)).max() < 1e-9


def test_of_merged_trees_too() -> None:
    booster = merged([learned(1), learned(2)])
    matrix = rows(100, 9)
    theirs = np.asarray(booster.predict(matrix, pred_contrib=True))
    assert np.abs(Ensemble(booster).contributions(matrix)[0] - theirs[:, :-1]).max() < 1e-9


def test_a_rows_shapley_values_do_not_hang_on_other_rows() -> None:
    booster, matrix = learned(), rows(50, 10)
    whole = Ensemble(booster).contributions(matrix)[0]
    alone = np.vstack([Ensemble(booster).contributions(row[None])[0] for row in matrix])
    assert np.array_equal(whole, alone)
    backwards = Ensemble(booster).contributions(matrix[::-1])[0]
    assert np.array_equal(whole, backwards[::-1])


@pytest.mark.parametrize("width", [3, 5])
def test_rows_of_another_width_are_refused(width: int) -> None:
    with pytest.raises(ModelError, match=r"the shape \(2, \d\); wanted \(n, 4\)"):
        Ensemble(learned()).contributions(np.zeros((2, width)))


def test_trees_that_are_too_deep_are_explained_by_lightgbm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    booster, matrix = learned(), rows(50, 11)
    ours, base = Ensemble(booster).contributions(matrix)
    monkeypatch.setattr(shapley, "MOST", 10)
    assert Trees.of(booster) is None
    theirs, other = Ensemble(booster).contributions(matrix)
    assert np.abs(ours - theirs).max() < 1e-9
    assert base == pytest.approx(other, abs=1e-9)
