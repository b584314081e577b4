"""Health: what is told of models, registry and store, without waiting for any of them."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from features.settings import Settings
from serving.api import create_api
from serving.live import LiveScorer
from serving.probe import Pulse
from serving.store import Store


@pytest.fixture
def api(own: Settings, store: Store) -> Any:
    made = create_api()
    made.state.live, made.state.pulse = LiveScorer(own, store), Pulse(store)
    made.state.pulse.ask()
    return made


@pytest.fixture
def client(api: Any) -> Iterator[TestClient]:
    with TestClient(api) as opened:
        yield opened


def test_a_service_that_has_all_it_needs_is_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "alive"}
    answer = client.get("/health/ready")
    told = answer.json()
    assert (answer.status_code, told["status"], told["reasons"]) == (200, "ready", [])
    names = {(model["name"], model["version"]) for model in told["models"]}
    assert names == {("rapport-churn", "1"), ("rapport-offers", "1")}
    assert told["store"] == "answers"


def test_before_the_models_are_loaded_it_lives_but_is_not_ready() -> None:
    with TestClient(create_api()) as client:
        assert client.get("/health/live").status_code == 200
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert answer.headers["Retry-After"]


def test_what_does_not_stop_it_makes_it_degraded(client: TestClient, api: Any) -> None:
    api.state.live._note({"registry": "the model registry does not answer"})
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["reasons"] == ["the model registry does not answer"]


def test_a_store_that_fails_makes_it_unready_until_it_answers_again(
    client: TestClient, api: Any, store: Store
) -> None:
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clock RENAME TO hidden")
    api.state.pulse.ask()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["store"]) == (503, "does not answer")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO clock")
    api.state.pulse.ask()
    assert client.get("/health/ready").json()["status"] == "ready"


def test_a_store_that_hangs_is_one_that_does_not_answer(store: Store) -> None:
    hangs, goes_on = threading.Event(), threading.Event()
    pulse = Pulse(store, every=0.01, patience=0.05)

    def hang(*_: object) -> None:
        if hangs.is_set():
            goes_on.wait(30)

    sa.event.listen(store._engine, "checkout", hang)
    pulse.start()
    wait_for(lambda: pulse.beats)
    hangs.set()
    wait_for(lambda: not pulse.beats)
    hangs.clear()
    goes_on.set()
    wait_for(lambda: pulse.beats)
    pulse.close()


def wait_for(holds: Any) -> None:
    """Wait half a minute at most until something holds."""
    tick = threading.Event()
    for _ in range(3000):
        if holds():
            return
        tick.wait(0.01)
    raise AssertionError("it never came to hold")


def test_health_tells_nothing_about_anybody(client: TestClient, store: Store) -> None:
    customers = store.customers()
    told = client.get("/health/ready").text
    assert not any(f'"{customer}"' in told for customer in customers)
    assert str(store._engine.url) not in told
