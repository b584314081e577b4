"""A study shows what the deployment computes and answers, and changes nothing in it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from features.errors import DataError, InteractionError, ModelError, SettingsError
from features.settings import Settings
from features.signals import days, interactions
from serving.preview import preview
from serving.scorer import Scorer
from training import looks, pictures, registry
from training.evaluation import evaluate
from training.models import Model
from training.predictions import by_instant
from training.study import Study, open_study

# shap sets colours in a way that matplotlib will drop
SHAP = pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")


@pytest.fixture(scope="module")
def study(shop: Settings) -> Study:
    return open_study(shop.path)


@pytest.fixture(scope="module")
def churn(study: Study) -> Model:
    return study.model("churn")


def test_settings_are_found_from_a_folder_below(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = shop.path.parent / "notebooks"
    below.mkdir(exist_ok=True)
    monkeypatch.chdir(below)
    monkeypatch.delenv("RAPPORT_SETTINGS", raising=False)
    assert open_study().settings.path == shop.path
    monkeypatch.setenv("RAPPORT_SETTINGS", "elsewhere.toml")
    with pytest.raises(SettingsError, match=r"no 'elsewhere\.toml'"):
        open_study()


def test_its_scores_are_those_that_are_answered(study: Study, churn: Model, scorer: Scorer) -> None:
    as_of, answered = scorer.churn(["0001", "0002", "0003"], 2, at=study.instant())
    signals = study.signals(churn, customers=["0001", "0002", "0003"])
    found = study.probabilities(churn, signals)
    assert as_of == study.instant()
    assert found.tolist() == [score.probability for score in answered]
    told = study.predictions(churn, reasons=1).loc[["0001", "0002", "0003"]]
    assert told["probability"].tolist() == found.tolist()
    assert told["status"].tolist() == [score.status for score in answered]


@SHAP
def test_effects_of_chosen_rows_add_up(study: Study, churn: Model) -> None:
    some = study.signals(churn).iloc[[3, 1]]
    effects = study.explanation(churn, some)
    whole = effects.base_values + effects.values.sum(axis=1)
    assert whole == pytest.approx(study.probabilities(churn, some).to_numpy(), abs=1e-12)


def test_the_tests_of_a_model_are_kept_with_it(study: Study, churn: Model) -> None:
    tested = study.tested(churn)
    evaluation, metrics = evaluate(tested), churn.bundle.card.metrics
    for name in ("auc", "average_precision", "ece", "rows"):
        assert evaluation.metrics[name] == pytest.approx(metrics[name], abs=1e-12)
    table = by_instant(tested, "Europe/London")
    assert table["AUC", "model"].mean() == pytest.approx(metrics["auc"])
    assert table["rows", ""].sum() == metrics["rows"]
    assert set(table["ECE"]) == set(tested.predictions)


def test_a_model_whose_tests_were_not_kept_says_so(
    study: Study, churn: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = registry.open_registry(study.settings)
    monkeypatch.setattr(mlflow.MlflowClient, "list_artifacts", lambda *given: [])
    with pytest.raises(ModelError, match=r"no tested\.parquet.*train again"):
        study.tested(churn)


def test_what_if_changes_one_history_through_the_same_engine(study: Study, churn: Model) -> None:
    buyer = str(study.predictions(churn, reasons=0)["probability"].idxmax())
    basket = study.interaction(buyer, "purchase", study.now - pd.Timedelta(hours=3), amount=9.0)
    before = study.signals(churn, customers=[buyer]).iloc[0]
    after = study.what_if(buyer, more=[basket]).signals(churn, customers=[buyer]).iloc[0]
    assert after["value_count_7d"] == before["value_count_7d"] + 1
    assert after["value_days_since_last"] == 0.125
    undone = study.what_if(buyer, more=[basket]).what_if(buyer, less=[basket])
    back = undone.signals(churn, customers=[buyer])
    pd.testing.assert_series_equal(back.iloc[0], before, check_exact=True)
    assert len(study.interactions([buyer])) == len(study.person(buyer)[0])


def test_what_cannot_happen_is_refused(study: Study) -> None:
    with pytest.raises(InteractionError, match="purchse"):
        study.interaction("0001", "purchse", study.now)
    with pytest.raises(InteractionError, match=r"numbers\.itms"):
        study.interaction("0001", "purchase", "2024-05-01", itms=3)


def test_signals_of_ones_own_are_computed(study: Study) -> None:
    own = interactions(role="value", where=("amount", ">", 10.0)).count(days(90), why="big ones")
    table = study.signals(own, at=["2024-06-01", "2024-09-01"], customers=["0001"])
    rows = study.interactions(["0001"]).query("kind == 'purchase' and amount > 10")
    for moment in ("2024-06-01", "2024-09-01"):
        end = pd.Timestamp(moment, tz="Europe/London")
        age = end - rows["occurred_at"]
        n = int(((age > pd.Timedelta(0)) & (age <= pd.Timedelta(days=90))).sum())
        assert table.loc[("0001", end), own[0].name] == n


def test_a_preview_is_what_the_service_would_answer(study: Study, scorer: Scorer) -> None:
    model = study.model("offers")
    seen = 0
    for customer in ("0001", "0002", "0003", "0004"):
        as_of, histories = scorer.store.known([customer])
        look = scorer.look(customer, histories[customer], as_of, "post", 2, 0)
        table = preview(study.settings, study.history, model, customer, "post", 2)
        assert list(table.index[table["proposed"]]) == [each.offer_id for each in look.ranked]
        assert {o: r for o, r in table["rules"].items() if r} == {
            each.offer_id: ", ".join(rule.rule for rule in each.rules) for each in look.held_back
        }
        seen += len(table)
    assert seen


def test_after_a_complaint_nothing_is_proposed(study: Study) -> None:
    model = study.model("offers")
    upset = study.interaction("0001", "complaint", study.now - pd.Timedelta(hours=1))
    history = study.what_if("0001", more=[upset]).history
    table = preview(study.settings, history, model, "0001")
    assert len(table)
    assert table["rules"].str.contains("complaint").all()
    assert not table["proposed"].any()


@pytest.fixture
def looking() -> Iterator[None]:
    with pyplot.rc_context(), pd.option_context("display.max_colwidth", 50):
        looks.set_up()
        yield


@SHAP
@pytest.mark.usefixtures("looking")
def test_every_picture_renders(study: Study, churn: Model, tmp_path: Path) -> None:
    theirs = study.interactions(["0001"])
    course = study.signals(customers=["0001"], at=["2024-03-01", "2024-05-01", "2024-08-01"])
    signals = study.signals(churn)
    effects = study.explanation(churn, signals.iloc[:40])
    left = pd.Series(np.arange(len(signals)) % 3 == 0, index=signals.index)
    groups = pd.cut(signals["value_count_90d"], [-1, 0, 5, 999], labels=["0", "1-5", "more"])
    due = theirs["occurred_at"].head(4) + pd.Timedelta(days=2)
    told = {"case_id": list("aabb"), "channel": ["web", "app", None, "web"], "topic": [None] * 4}
    told |= {"resolved": [None, True, None, False], "due_at": due.tolist()}
    cases = pd.concat(
        [theirs[["kind", "occurred_at"]].head(4), pd.DataFrame(told, due.index)], axis=1
    )
    drawn = [
        pictures.months_plot(study.interactions(), "t"),
        pictures.timeline_plot(theirs, "t", "GBP"),
        pictures.course_plot(course, ["value_count_28d", "value_gap_ratio"], "t", theirs.head(2)),
        pictures.course_plot(course, ["value_count_28d"], "t"),
        pictures.cases_plot(cases, "t"),
        pictures.shares_plot(groups, left, "t", "x", "y"),
        pictures.probabilities_plot(pd.DataFrame({"a": [0.1, 0.2], "b": [0.1, 0.1]}), "t", "x"),
        pictures.effect_plot(effects, signals.explain("value_gap_ratio"), "t"),
        pictures.beeswarm_plot(effects, "t"),
        pictures.waterfall_plot(effects[0], "t"),
    ]
    for place, figure in enumerate(drawn):
        assert isinstance(figure, Figure)
        figure.savefig(tmp_path / f"{place}.png")
    assert not pyplot.get_fignums()


def test_a_table_of_the_catalogue_is_no_table_of_the_model(study: Study, churn: Model) -> None:
    with pytest.raises(DataError, match="Ask for the signals of the model"):
        study.probabilities(churn, study.signals().iloc[:, :5])
