"""Explanations for notebooks are what the service tells, in the form that ``shap`` draws."""

import builtins
from typing import Any

import pytest

from features.errors import ModelError
from features.online import evaluate
from features.values import SignalValues
from serving.scorer import Scorer
from training.explanation import Scale, explanation

# shap sets colours in a way that matplotlib will drop
pytestmark = pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")


@pytest.fixture
def asked(scorer: Scorer) -> tuple[SignalValues, float]:
    """The signals of a customer, and the risk that is answered of them."""
    as_of, (score,) = scorer.churn(["0001"], 3)
    items, facts = scorer.store.histories(["0001"])["0001"]
    plan = scorer.churn_model.bundle.plan
    return evaluate(plan, items, as_of, facts), score.probability


def test_an_explanation_adds_up_to_the_risk_that_is_answered(
    scorer: Scorer, asked: tuple[SignalValues, float]
) -> None:
    values, probability = asked
    bundle = scorer.churn_model.bundle
    told = explanation(bundle, values)
    assert told.base_values[0] + told.values[0].sum() == pytest.approx(probability, abs=1e-12)
    assert told.feature_names == bundle.plan.names
    assert told.display_data[0].tolist() == pytest.approx(values.row(0), nan_ok=True)


@pytest.mark.parametrize("scale", ["probability", "log-odds"])
def test_shap_draws_it(scorer: Scorer, asked: tuple[SignalValues, float], scale: Scale) -> None:
    import shap
    from matplotlib import pyplot

    told = explanation(scorer.churn_model.bundle, asked[0], scale)
    margin = scorer.churn_model.bundle.explain(told.data)
    whole = margin.contributions[0].sum() + margin.base_margin
    if scale == "log-odds":
        assert told.values[0].sum() + told.base_values[0] == pytest.approx(whole, abs=1e-12)
    shap.plots.waterfall(told[0], show=False)
    assert pyplot.gcf().axes
    pyplot.close("all")


def test_without_shap_the_error_says_what_to_install(
    scorer: Scorer, asked: tuple[SignalValues, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "shap":
            raise ImportError(name)
        return genuine(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelError, match=r"no package 'shap'.*notebooks"):
        explanation(scorer.churn_model.bundle, asked[0])
