"""The API: documented answers, and errors that say what to do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from features import clock
from serving.api import create_api
from serving.scorer import Scorer


@pytest.fixture
def client(scorer: Scorer) -> Iterator[TestClient]:
    api = create_api()
    api.state.scorer = scorer
    with TestClient(api) as opened:
        yield opened


PURCHASE = {
    "interaction_id": "a1",
    "customer_id": "0001",
    "kind": "purchase",
    "occurred_at": "2024-12-30T12:00:00Z",
    "amount": 31.5,
}


def test_churn_answers_in_the_order_asked(client: TestClient) -> None:
    answer = client.post("/churn", json={"customers": ["0002", "x", "0001"], "reasons": 2}).json()
    assert answer["model"] == {"name": "rapport-churn", "version": "1", "alias": "champion"}
    assert answer["as_of"].startswith("2024-12-31T00:0")
    assert [s["customer_id"] for s in answer["scores"]] == ["0002", "x", "0001"]
    first = answer["scores"][0]
    assert len(first["reasons"]) == 2
    told = sum(r["effect"] for r in first["reasons"]) + first["other_effect"]
    assert told == pytest.approx(first["probability"] - first["baseline"], abs=1e-12)
    assert first["reasons"][0]["text"][0].isupper()


def test_offers_answers_with_a_decision_that_is_logged(client: TestClient, scorer: Scorer) -> None:
    body = {"customer_id": "0001", "channel": "post", "limit": 1, "reasons": 1}
    answer = client.post("/offers", json=body).json()
    assert len(answer["ranked"]) == 1
    assert answer["reserved"] is True
    logged = scorer.store.decision(answer["decision_id"])
    assert logged is not None
    assert logged["decision"]["proposed"][0]["offer_id"] == answer["ranked"][0]["offer_id"]


def test_an_interaction_changes_the_next_score(client: TestClient, scorer: Scorer) -> None:
    customer = scorer.at_risk(scorer.store.customers(), 1, 0)[1][0].customer_id
    ask = {"customers": [customer], "reasons": 0}
    before = client.post("/churn", json=ask).json()["scores"][0]["probability"]
    body = {"interactions": [{**PURCHASE, "customer_id": customer}]}
    answer = client.post("/interactions", json=body)
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert client.post("/churn", json=ask).json()["scores"][0]["probability"] < before
    again = client.post("/interactions", json=body)
    assert again.json() == {"accepted": 0, "duplicates": 1, "rejected": []}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "purchse"}, "kind"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": 5}, "occurred_at"),
        ({"occurred_at": "2030-01-01"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"amount": "12"}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"amount": float("inf")}, "amount"),
        ({"rating": 7}, "rating"),
        ({"wait_minutes": -1}, "wait_minutes"),
        ({"customer_id": ""}, "customer_id"),
        ({"customer_id": 3}, "customer_id"),
        ({"customer_id": "x" * 501}, "customer_id"),
        ({"customer_id": "a\x00b"}, "customer_id"),
        ({"amout": 3}, "amout"),
        ({"numbers": {"itms": 3}}, "numbers.itms"),
        ({"numbers": {"\ud800": 3}}, "numbers.\ufffd\ufffd\ufffd.[key]"),
        ({"occurred_at": "5"}, "occurred_at"),
        ({"interaction_id": "a1", "amount": 99.0}, "interaction_id"),
    ],
)
def test_a_wrong_interaction_is_rejected_by_index_and_the_rest_is_kept(
    client: TestClient, wrong: dict[str, Any], field: str
) -> None:
    batch = [
        PURCHASE,
        {**PURCHASE, "interaction_id": "a2", **wrong},
        {**PURCHASE, "interaction_id": "a3"},
    ]
    answer = client.post(
        "/interactions",
        content=json.dumps({"interactions": batch}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 2
    (rejected,) = answer.json()["rejected"]
    assert (rejected["index"], rejected["field"]) == (1, field)
    assert rejected["wanted"]
    assert rejected["remedy"]


def test_something_that_is_no_interaction_is_rejected_by_index(client: TestClient) -> None:
    answer = client.post("/interactions", json={"interactions": [3, None, PURCHASE]}).json()
    assert answer["accepted"] == 1
    assert [r["index"] for r in answer["rejected"]] == [0, 1]


@pytest.mark.parametrize(
    ("path", "body", "subject"),
    [
        ("/churn", {"customers": [1]}, "customers.0"),
        ("/churn", {"customers": []}, "customers"),
        ("/churn", {"customers": ["c"] * 1001}, "customers"),
        ("/churn", {"customer": ["1"]}, "customer"),
        ("/churn", {"customers": ["1"], "reasons": 1.5}, "reasons"),
        ("/churn", {"customers": ["1"], "reasons": "3"}, "reasons"),
        ("/churn", ["1"], "body"),
        ("/offers", {"customer_id": "1", "limit": 0}, "limit"),
        ("/offers", {"customer_id": "1", "chanel": "post"}, "chanel"),
        ("/interactions", {"interactions": []}, "interactions"),
        ("/interactions", {}, "interactions"),
    ],
)
def test_a_wrong_request_is_a_clear_error(
    client: TestClient, path: str, body: object, subject: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["subject"] == subject
    assert error["got"]
    assert error["wanted"]
    assert error["remedy"]


def test_an_unknown_key_is_told_with_the_one_that_was_meant(client: TestClient) -> None:
    error = client.post("/offers", json={"customer_id": "1", "chanel": "post"}).json()["error"]
    assert "Did you mean 'channel'?" in error["remedy"]


def test_text_that_is_not_json_is_a_clear_error(client: TestClient) -> None:
    answer = client.post("/churn", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"]["subject"] == "body"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/churn", 405), ("GET", "/x", 404)])
def test_a_wrong_path_or_method_is_a_clear_error(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["remedy"]


def test_a_store_that_does_not_answer_is_a_503_that_names_nobody(
    client: TestClient, scorer: Scorer, caplog: pytest.LogCaptureFixture
) -> None:
    with scorer.store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE decisions")
    answer = client.post("/offers", json={"customer_id": "0001", "channel": "post"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"]["subject"] == "store"
    assert "0001" not in caplog.text


def test_an_overlong_key_is_not_sent_back_whole(client: TestClient) -> None:
    answer = client.post("/churn", json={"customers": ["1"], "k" * 100_000: 1})
    assert answer.status_code == 422
    assert len(answer.text) < 1000


def test_before_the_models_are_loaded_the_answer_is_503() -> None:
    with TestClient(create_api()) as unready:
        assert unready.post("/churn", json={"customers": ["1"]}).status_code == 503


def test_an_error_of_our_own_tells_nothing_of_the_inside(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(scorer, "churn", broken)
    api = create_api()
    api.state.scorer = scorer
    with TestClient(api, raise_server_exceptions=False) as client:
        answer = client.post("/churn", json={"customers": ["0001"]})
    assert answer.status_code == 500
    assert "X-Request-Id" in answer.json()["error"]["remedy"]
    assert "secret" not in answer.text


def test_the_document_describes_every_route_and_error(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    of_models = {"/interactions", "/churn", "/offers", "/models"}
    of_models |= {"/customers/{customer_id}", "/customers/{customer_id}/export"}
    assert set(document["paths"]) == {*of_models, "/health/live", "/health/ready"}
    for path in of_models:
        for route in document["paths"][path].values():
            assert {"200", "422", "404", "503"} <= set(route["responses"])
    assert "customer_id" in document["components"]["schemas"]["InteractionIn"]["properties"]


def test_a_given_history_is_scored_like_a_stored_one(client: TestClient, scorer: Scorer) -> None:
    items, facts = scorer.store.histories(["0001"])["0001"]
    events = [
        {
            "kind": item.kind,
            "occurred_at": clock.isoformat(item.occurred_at),
            "channel": item.channel,
            "topic": item.topic,
            "offer_id": item.offer_id,
            "amount": item.amount,
            "numbers": {k: v for k, v in item.numbers.items() if v is not None},
        }
        for item in items
    ]
    given = {
        "customer_id": "somebody",
        "interactions": events,
        "attributes": {fact.name: fact.value for fact in facts},
    }
    stored = client.post("/churn", json={"customers": ["0001"]}).json()
    at = stored["as_of"]
    answer = client.post("/churn", json={"histories": [given], "as_of": at}).json()
    assert answer["as_of"] == at
    assert {**answer["scores"][0], "customer_id": "0001"} == stored["scores"][0]
    assert "somebody" not in scorer.store.customers()


def test_a_wrong_item_of_a_given_history_is_named_by_its_place(client: TestClient) -> None:
    event = {"kind": "purchase", "occurred_at": "2024-12-01"}
    histories = [{"customer_id": "a", "interactions": [event, {**event, "kind": "dance"}]}]
    answer = client.post("/churn", json={"histories": histories})
    assert answer.status_code == 422
    assert answer.json()["error"]["subject"] == "histories.0.interactions.1.kind"


def test_customers_or_histories_but_not_both(client: TestClient) -> None:
    for body in ({}, {"customers": ["1"], "histories": [{"customer_id": "1", "interactions": []}]}):
        answer = client.post("/churn", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["wanted"] == "either `customers` or `histories`"


def test_an_earlier_score_can_be_asked_for_again(client: TestClient) -> None:
    ask = {"customers": ["0001", "0002"]}
    before = client.post("/churn", json=ask).json()
    body = {"interactions": [{**PURCHASE, "customer_id": c} for c in ("0001", "0002")]}
    client.post("/interactions", json=body)
    assert client.post("/churn", json={**ask, "as_of": before["as_of"]}).json() == before
    assert client.post("/churn", json=ask).json()["scores"] != before["scores"]


def test_an_instant_to_come_is_refused(client: TestClient) -> None:
    answer = client.post("/churn", json={"customers": ["0001"], "as_of": "2031-01-01T00:00:00Z"})
    assert answer.status_code == 422
    assert answer.json()["error"]["subject"] == "as_of"
    assert "up to 2024-12-31" in answer.json()["error"]["wanted"]


def test_offers_that_are_named_are_considered_alone(client: TestClient) -> None:
    ask = {"customer_id": "0001", "channel": "post", "reserve": False}
    answer = client.post("/offers", json={**ask, "offers": ["o0"]}).json()
    assert answer["ranked"] == []
    assert [held["offer_id"] for held in answer["held_back"]] == ["o0"]
    assert "validity" in {rule["rule"] for rule in answer["held_back"][0]["rules"]}
    answer = client.post("/offers", json={**ask, "offers": ["o0", "o99"]})
    assert (answer.status_code, answer.json()["error"]["got"]) == (422, "'o99'")
