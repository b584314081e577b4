"""The view of a customer: what is known of them, in one answer."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from starlette.testclient import TestClient

from features import clock, online
from features.interactions import Interaction, canonical_order, first_recorded
from features.plan import compile_plan
from features.signals import interactions
from serving.api import create_api
from serving.course import RELATIONSHIP, YEAR, course_of
from serving.scorer import Scorer
from serving.view import open_cases
from tests.strategies import AS_OF, DAY, histories

(OPEN,) = interactions().of_cases("cases_open", why="open")


@pytest.fixture
def client(scorer: Scorer) -> Iterator[TestClient]:
    api = create_api()
    api.state.scorer = scorer
    with TestClient(api) as opened:
        yield opened


def test_it_says_what_the_scores_say(client: TestClient, scorer: Scorer) -> None:
    view = client.get("/customers/0001?reasons=2&offers=1&timeline=3").json()
    asked = client.post(
        "/churn", json={"customers": ["0001"], "as_of": view["as_of"], "reasons": 2}
    )
    assert view["churn"] == asked.json()["scores"][0]
    offers = client.post(
        "/offers", json={"customer_id": "0001", "limit": 1, "reasons": 2, "reserve": False}
    ).json()
    assert view["offers"] == {name: offers[name] for name in ("ranked", "held_back", "silent")}


def test_the_timeline_is_newest_first_and_as_long_as_asked(
    client: TestClient, scorer: Scorer
) -> None:
    now = scorer.store.as_of()
    item = Interaction("0001", now - 5, now, "purchase", "new", "api", amount=7.5)
    scorer.store.record([item])
    view = client.get("/customers/0001?timeline=2").json()
    assert [each["amount"] for each in view["timeline"]][:1] == [7.5]
    assert view["timeline"][0]["occurred_at"] == clock.isoformat(now - 5)
    assert view["timeline"][0]["recorded_at"] > view["timeline"][0]["occurred_at"]
    assert len(view["timeline"]) == 2 < view["interactions"]


def test_signals_are_grouped_by_meaning_and_in_words(client: TestClient) -> None:
    view = client.get("/customers/0001").json()
    assert {"silence", "frequency", "spend"} <= set(view["signals"])
    values = {each["name"]: each for group in view["signals"].values() for each in group}
    assert values["value_days_since_last"]["text"].startswith("last purchase")
    assert all(each["value"] is not None for each in values.values())
    assert set(view["relationship"]) >= {"knowledge", "stage"}
    assert view["attributes"]["age"].isdigit() or float(view["attributes"]["age"]) > 0


def test_what_is_not_known_is_named(client: TestClient, scorer: Scorer) -> None:
    now = scorer.store.as_of()
    scorer.store.record([Interaction("new", now - 5, now, "purchase", amount=7.5)])
    view = client.get("/customers/new").json()
    assert view["unknown"] == ["age", "town"]
    assert (view["interactions"], view["attributes"]) == (1, {})


def test_a_customer_of_whom_nothing_is_recorded_is_a_404(client: TestClient) -> None:
    answer = client.get("/customers/nobody")
    assert answer.status_code == 404
    assert "nothing is recorded" in answer.json()["error"]["got"]
    assert "nobody" not in answer.json()["error"]["wanted"]


def test_a_customer_is_asked_for_with_get(client: TestClient) -> None:
    assert client.post("/customers/0001").headers["allow"] == "DELETE, GET"
    assert client.delete("/models").headers["allow"] == "GET"


def test_an_erased_customer_is_gone_and_is_not_recorded_again(client: TestClient) -> None:
    held = client.get("/customers/0001/export").json()
    assert len(held["interactions"]) == client.get("/customers/0001").json()["interactions"]
    client.post("/offers", json={"customer_id": "0001"})
    erased = client.delete("/customers/0001").json()
    assert (erased["interactions"], erased["decisions"]) == (len(held["interactions"]), 1)
    assert erased["scrubbed"] is True
    assert client.get("/customers/0001").status_code == 404
    after = client.get("/customers/0001/export").json()
    assert after["interactions"] == after["decisions"] == after["attributes"] == []
    again = {"customer_id": "0001", "kind": "purchase", "occurred_at": "2024-12-30T12:00:00Z"}
    answer = client.post("/interactions", json={"interactions": [again]}).json()
    assert answer["accepted"] == 0
    assert "erased" in answer["rejected"][0]["got"]
    assert client.post("/offers", json={"customer_id": "0001"}).status_code == 422


def test_the_models_that_answer_are_told(client: TestClient, scorer: Scorer) -> None:
    churn, offers = client.get("/models").json()["models"]
    assert (churn["name"], churn["task"], churn["version"]) == ("rapport-churn", "churn", "1")
    assert churn["fingerprint"] == scorer.churn_model.bundle.fingerprint
    assert offers["task"] == "offers"
    assert churn["loaded_at"] == clock.isoformat(scorer.loaded_at)


def test_the_course_is_what_the_signals_said_then(scorer: Scorer) -> None:
    as_of, found = scorer.store.known(["0001"])
    history, plan = found["0001"], scorer.churn_model.bundle.plan
    course = course_of(plan, history, as_of, 12)
    assert course.instants[-1] == as_of
    assert {b - a for a, b in pairwise(course.instants)} <= {YEAR // 12, YEAR // 12 + 1}
    assert min(i.occurred_at for i in history[0]) < course.instants[0]
    for place, instant in enumerate(course.instants):
        then = online.evaluate(plan, history[0], instant, history[1])
        for signal in plan.signals:
            if signal.measure in RELATIONSHIP:
                (value,) = then.column(signal.name)
                assert course.values[RELATIONSHIP[signal.measure]][place] == value
    assert course_of(plan, ([], []), as_of, 12).instants == ()
    assert course_of(plan, history, as_of, 0).instants == ()


@settings(max_examples=100)
@given(items=histories())
def test_the_open_cases_are_as_many_as_the_signal_counts(items: list[Interaction]) -> None:
    plan = compile_plan([OPEN], {})
    for as_of in (AS_OF, AS_OF + 100 * DAY, *(item.recorded_at for item in items[:3])):
        seen = [
            item
            for item in first_recorded(canonical_order(items))
            if item.occurred_at < as_of and item.recorded_at < as_of
        ]
        (counted,) = online.evaluate(plan, items, as_of).row(0)
        assert len(open_cases(seen)) == counted
