"""A small bundle for tests: three numbers and a category, fitted on made-up rows."""

import numpy as np
import numpy.typing as npt

from features.plan import Plan, compile_plan
from features.signals import attribute, days, interactions
from training.bundle import Bundle, Card
from training.calibration import Calibrator
from training.ensemble import Ensemble
from training.model import Propensity
from training.splits import Split
from training.straight import fit_linear

Float64 = npt.NDArray[np.float64]
VALUE = interactions(role="value")
CARD = Card(
    task="churn",
    settings={"horizon": "28d"},
    base_rate=0.25,
    trained_from="2017-01-01T00:00:00Z",
    trained_until="2018-01-01T00:00:00Z",
    rows=600,
    metrics={"auc": 0.8},
    costs={"at_risk": 425.0},
    currency="USD",
    bands=(0.1, 0.3),
    cohort_signal="value_count_28d",
)


def plan_of(last: str) -> Plan:
    """Return a plan whose last signal is this attribute."""
    numbers = (
        *VALUE.count(days(28), why="frequency"),
        *VALUE.days_since_last(why="silence"),
        *VALUE.sum("amount", days(28), why="spend"),
    )
    return compile_plan((*numbers, *attribute(last, why="where")), {"value": ("purchase",)})


def bundle_of(plan: Plan, seed: int = 1, share: float = 0.0) -> tuple[Bundle, Float64]:
    """Return a bundle, the line with a share of its margin, and the rows that it learned from."""
    rng = np.random.default_rng(seed)
    n = 600
    matrix = np.column_stack([rng.poisson(5, n), rng.exponential(9, n), rng.normal(size=n)])
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    city = rng.choice([0.0, 1.0, 2.0, np.nan], n)
    label = (np.nan_to_num(matrix[:, 1]) + 5 * (city == 2) + rng.normal(size=n) > 12).astype(
        np.int8
    )
    place = np.arange(n)
    split = Split(place < 300, (place >= 300) & (place < 400), place >= 400, place < n, place < 0)
    matrix = np.column_stack([matrix, city])
    model = Propensity(blend=False).fit(
        matrix, label, names=plan.names, categorical=[3], split=split
    )
    ensemble = model.ensemble_
    if share:
        line = fit_linear(matrix, label, np.ones(n), [3], 0.1)
        ensemble = Ensemble(ensemble.booster, line, share)
    vocabularies = {plan.names[3]: ["Ayr", "Bath", "Cork"]}
    return Bundle(plan, ensemble, Calibrator(0.8, 0.7, -0.3), vocabularies, CARD), matrix
