"""Effects: exact contributions, turned into probability points that add up."""

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest

from tests.training.bundles import CARD, Float64, bundle_of, plan_of
from training.bundle import Bundle


def test_effects_add_up_to_probability_less_baseline(trained: tuple[Bundle, Float64]) -> None:
    bundle, matrix = trained
    got = bundle.explain(matrix)
    assert np.abs(got.effects.sum(axis=1) - (got.probability - got.baseline)).max() < 1e-12
    assert (np.sign(got.effects) == np.sign(got.contributions)).all()


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_trees_and_line_add_up_in_log_odds(share: float) -> None:
    bundle, matrix = bundle_of(plan_of("city"), share=share)
    line = bundle.ensemble.linear
    assert line is not None
    got = bundle.explain(matrix)
    trees = bundle_of(plan_of("city"))[0].explain(matrix).contributions
    own = (got.contributions - (1 - share) * trees) / share
    assert own == pytest.approx(line.contributions(matrix), abs=1e-9)
    assert np.abs(line.contributions(matrix).mean(axis=0)).max() < 1e-9
    margin = bundle.ensemble.margin(matrix)
    assert got.contributions.sum(axis=1) + got.base_margin == pytest.approx(margin, abs=1e-9)
    assert np.abs(got.effects.sum(axis=1) - (got.probability - got.baseline)).max() < 1e-12


def test_a_row_is_scored_alike_alone_and_among_others() -> None:
    bundle, matrix = bundle_of(plan_of("city"), share=0.5)
    alone = [float(bundle.score(matrix[[i]])[0]) for i in range(50)]
    assert alone == bundle.score(matrix)[:50].tolist()


# shap sets colours in a way that matplotlib will drop, and tells of an older version
@pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore:LightGBM binary classifier:UserWarning")
def test_contributions_are_those_of_shap(trained: tuple[Bundle, Float64]) -> None:
    import shap

    bundle, matrix = trained
    explainer = shap.TreeExplainer(bundle.ensemble.booster)
    got = bundle.explain(matrix)
    assert np.abs(got.contributions - explainer.shap_values(matrix)).max() < 1e-9
    assert got.base_margin == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-9)


def expected_value(node: dict[str, Any], row: list[float], known: frozenset[int]) -> float:
    """A tree's value where only some signals are known: the others by the share of rows."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    sides = [node["left_child"], node["right_child"]]
    left, right = (expected_value(side, row, known) for side in sides)
    if node["split_feature"] not in known:
        n_left, n_right = (side.get("internal_count", side.get("leaf_count")) for side in sides)
        return float((n_left * left + n_right * right) / (n_left + n_right))
    value = row[node["split_feature"]]
    if node["decision_type"] == "==":
        goes_left = not np.isnan(value) and str(int(value)) in node["threshold"].split("||")
    elif np.isnan(value) and node["missing_type"] == "NaN":
        goes_left = node["default_left"]
    else:
        goes_left = np.nan_to_num(value) <= node["threshold"]
    return left if goes_left else right


def test_contributions_are_shapley_values_by_their_definition(
    trained: tuple[Bundle, Float64],
) -> None:
    # shap asks LightGBM for the values of its models, so it alone would prove nothing.
    bundle, matrix = trained
    trees = [t["tree_structure"] for t in bundle.ensemble.booster.dump_model()["tree_info"]]
    rows = matrix[[0, 1, 2, *np.flatnonzero(matrix[:, 3] == 0)[:2]]]
    signals = range(matrix.shape[1])
    subsets = [frozenset(s) for k in range(5) for s in combinations(signals, k)]
    for row, got in zip(rows.tolist(), bundle.explain(rows).contributions, strict=True):
        worth = {s: sum(expected_value(tree, row, s) for tree in trees) for s in subsets}
        expected = [
            sum((worth[s | {j}] - worth[s]) / (4 * comb(3, len(s))) for s in subsets if j not in s)
            for j in signals
        ]
        assert got == pytest.approx(expected, abs=1e-9)


class Fixed:
    """An ensemble whose contributions are given."""

    def __init__(self, contributions: Float64, base: float) -> None:
        self._contributions, self._base = contributions, base

    def contributions(self, matrix: Float64) -> tuple[Float64, float]:
        return self._contributions, self._base

    def margin(self, matrix: Float64) -> Float64:
        return np.asarray(self._contributions.sum(axis=1) + self._base)


@pytest.mark.parametrize("distance", [0.0, 1e-15, 1e-10, -1e-10, 2e-9, 1e-6, 3.0])
def test_where_margin_and_base_meet_effects_keep_their_size_and_their_sum(
    trained: tuple[Bundle, Float64], distance: float
) -> None:
    contributions = np.array([[0.0, 0.0, 0.0, 0.0], [0.5, -0.5 + distance, 0.0, 0.0]])
    one = trained[0]
    ensemble: Any = Fixed(contributions, -1.0)
    bundle = Bundle(one.plan, ensemble, one.calibrator, one.vocabularies, CARD)
    got = bundle.explain(np.zeros((2, 4)))
    assert got.effects[0].tolist() == [0.0] * 4
    assert np.abs(got.effects.sum(axis=1) - (got.probability - got.baseline)).max() < 1e-12
    slope = float(one.calibrator.derivative(-1.0))
    if abs(distance) <= 1e-6:
        assert got.effects[1, 0] == pytest.approx(0.5 * slope, rel=1e-4)
