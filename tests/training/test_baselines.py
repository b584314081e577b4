"""Baselines beside other fits: what LightGBM keeps for the whole process stays as it was."""

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from features.plan import compile_plan
from features.signals import days, interactions
from training.baselines import BASELINES

VALUE = interactions(role="value")
PLAN = compile_plan(
    (*VALUE.days_since_last(why="silence"), *VALUE.count(days(28), why="frequency")),
    {"value": ("purchase",)},
)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_never_leaves_the_number_of_threads_open(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    genuine = lgb.Booster.predict

    def seen(self: lgb.Booster, *given: Any, **named: Any) -> Any:
        threads.append(named.get("num_threads"))
        return genuine(self, *given, **named)

    monkeypatch.setattr(lgb.Booster, "predict", seen)
    matrix = np.random.default_rng(1).random((400, 2))
    label = (matrix[:, 0] > 0.5).astype(np.int8)
    BASELINES[name](PLAN, matrix, label, matrix)
    assert threads == ([1] if name == "rfm" else [])
