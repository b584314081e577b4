"""Metrics and logs: what is counted, what is written, and that neither names anybody."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.testclient import TestClient

from serving.api import create_api
from serving.keys import Guard, read_keys
from serving.logs import JsonFormatter, Lines, RequestLog
from serving.metrics import Exposition, meters, observe_models
from serving.scorer import Scorer

KEY = "s" * 20


class Written:
    """A request log, and what it wrote."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.lines = Lines(self.out)

    def read(self) -> list[dict[str, Any]]:
        self.lines.flush()
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def client(scorer: Scorer, written: Written) -> Iterator[TestClient]:
    api, outer = create_api(), FastAPI()
    api.state.scorer = scorer

    @api.get("/people/{person}")
    async def people(person: str) -> str:
        return person

    api.router.routes.insert(0, api.router.routes.pop())
    outer.mount("/v1", api)
    guarded = Guard(Exposition(outer), read_keys({"RAPPORT_KEYS_SCORE": KEY}))
    opened = TestClient(RequestLog(guarded, written.lines))
    opened.headers["Authorization"] = f"Bearer {KEY}"
    yield opened


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_scores_are_counted_by_status_and_their_risks_as_a_distribution(
    client: TestClient,
) -> None:
    before = (
        value("rapport_scores_total", status="unknown"),
        value("rapport_churn_probability_count"),
    )
    client.post("/v1/churn", json={"customers": ["0001", "nobody"]})
    assert value("rapport_scores_total", status="unknown") == before[0] + 1
    assert value("rapport_churn_probability_count") == before[1] + 1


def test_decisions_are_counted_with_the_rules_that_held_offers_back(client: TestClient) -> None:
    before = value("rapport_offers_held_back_total", rule="validity")
    body = {"customer_id": "0001", "offers": ["o0", "o1"]}
    answer = client.post("/v1/offers", json=body).json()
    assert [held["rules"][0]["rule"] for held in answer["held_back"]] == ["validity", "validity"]
    assert value("rapport_offers_held_back_total", rule="validity") == before + 2


def test_requests_are_counted_by_route_and_status_and_never_by_path(client: TestClient) -> None:
    client.get("/v1/people/secret-person")
    client.get("/v1/secret/path")
    client.post("/v1/churn", json={})
    client.post("/v1/churn", json={}, headers={"Authorization": "Bearer no"})
    client.request("SECRETS", "/v1/churn")
    told = client.get("/metrics").text
    route = 'rapport_request_seconds_count{endpoint="/v1/people/{person}",method="GET",status="200"'
    assert route in told
    assert 'endpoint="other",method="GET",status="404"' in told
    assert 'endpoint="/v1/churn",method="POST",status="422"' in told
    assert 'endpoint="/v1/churn",method="POST",status="401"' in told
    assert "secret" not in told.lower()


def test_metrics_need_a_key(client: TestClient) -> None:
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401


def test_the_version_that_serves_is_one_and_the_one_before_is_zero() -> None:
    observe_models({"m": "1"})
    observe_models({"m": "2"}, {"m": "1"})
    assert value("rapport_model", model="m", version="1") == 0
    assert value("rapport_model", model="m", version="2") == 1
    assert meters() is meters()


def test_a_request_is_one_line_that_names_nobody(client: TestClient, written: Written) -> None:
    client.get("/v1/people/secret-person?name=secret-name")
    client.post("/v1/churn", json={"customers": ["secret-customer"]})
    first, second = written.read()
    assert {k: first[k] for k in ("level", "method", "route", "status")} == {
        "level": "INFO",
        "method": "GET",
        "route": "/v1/people/{person}",
        "status": 200,
    }
    assert second["route"] == "/v1/churn"
    assert second["milliseconds"] > 0
    assert first["time"] <= second["time"]
    assert "secret" not in written.out.getvalue()
    assert KEY not in written.out.getvalue()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-1.2_Z", True), ("two words", False), ('"},{"', False), ("x" * 65, False), ("", False)],
)
def test_a_request_keeps_the_id_it_came_with_when_it_is_a_plain_one(
    client: TestClient, written: Written, sent: str, kept: bool
) -> None:
    answer = client.get("/v1/health/live", headers={"X-Request-ID": sent})
    (line,) = written.read()
    assert answer.headers["X-Request-ID"] == line["request_id"]
    assert (line["request_id"] == sent) is kept


def test_a_log_that_nobody_reads_holds_nobody_up() -> None:
    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            blocked.set()
            assert goes_on.wait(30)
            return super().write(text)

    blocked, goes_on = threading.Event(), threading.Event()
    out = Stuck()
    lines = Lines(out)
    lines.write("first")
    assert blocked.wait(30)
    for n in range(20_000):
        lines.write(str(n))
    goes_on.set()
    lines.flush()
    kept = out.getvalue().splitlines()
    assert kept[0] == "first"
    assert kept[-1] == "19999"
    assert len(kept) <= 10_001


def test_what_else_is_told_is_a_json_line_without_a_traceback() -> None:
    try:
        raise ValueError("customer 7")
    except ValueError:
        record = logging.LogRecord("serving.x", 40, "f", 1, 'a "%s"', ("b",), sys.exc_info())
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["message"]) == ("ERROR", 'a "b"')
    assert "customer 7" not in str(line)
