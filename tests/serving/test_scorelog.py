"""The log of scores: what was answered is kept, and holds no answer up."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from serving.api import create_api
from serving.scorelog import ScoreLog
from serving.scorer import Scorer
from serving.store import Store
from serving.tables import SCORES

ROW = {
    "customer_id": "c",
    "as_of": 5,
    "model": "rapport-churn",
    "version": "1",
    "status": "in_cohort",
    "probability": 0.25,
}


def logged(url: str) -> list[dict[str, Any]]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(sa.select(SCORES))]
    engine.dispose()
    return rows


def test_what_is_logged_is_there_when_the_store_is_closed(store_url: str) -> None:
    with Store(store_url, 1) as store:
        store.log_scores([ROW, {**ROW, "as_of": 6}])
        store.log_scores([{**ROW, "as_of": 7}])
    assert [row["as_of"] for row in logged(store_url)] == [5, 6, 7]
    assert logged(store_url)[0] == ROW


def test_a_score_of_somebody_erased_meanwhile_is_not_logged(store_url: str) -> None:
    with Store(store_url, 1) as store:
        store.erase("c")
        store.log_scores([ROW, {**ROW, "customer_id": "d"}])
    assert [row["customer_id"] for row in logged(store_url)] == ["d"]


def test_logged_scores_are_exported_and_erased_with_the_customer(store_url: str) -> None:
    with Store(store_url, 1) as store:
        store.log_scores([ROW])
    with Store(store_url, 1) as store:
        assert [row["probability"] for row in store.export("c")["scores"]] == [0.25]
        assert store.erase("c").others == 1
    assert logged(store_url) == []


def test_a_store_that_does_not_answer_is_tried_again_in_order(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written: list[dict[str, Any]] = []
    fails, tried = threading.Event(), threading.Event()
    fails.set()

    def write(rows: Any) -> None:
        tried.set()
        if fails.is_set():
            raise sa.exc.OperationalError("INSERT", None, OSError("full"))
        written.extend(rows)

    log = ScoreLog(write)
    log.add([{"n": 1}])
    assert tried.wait(10)
    log.add([{"n": 2}])
    fails.clear()
    log.close()
    assert [row["n"] for row in written] == [1, 2]
    assert len([r for r in caplog.records if "cannot be logged" in r.message]) == 1


def test_scores_that_are_answered_are_logged_and_those_of_given_histories_are_not(
    scorer: Scorer,
) -> None:
    api = create_api()
    api.state.scorer = scorer
    with TestClient(api) as client:
        answer = client.post("/churn", json={"customers": ["0001", "nobody"], "reasons": 0}).json()
        given = {"customer_id": "g", "interactions": []}
        client.post("/churn", json={"histories": [given]})
    url = str(scorer.store._engine.url)
    scorer.store.close()
    (row,) = logged(url)
    assert (row["customer_id"], row["version"]) == ("0001", answer["model"]["version"])
    assert row["probability"] == answer["scores"][0]["probability"]
