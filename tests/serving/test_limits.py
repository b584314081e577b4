"""Limits: what is too much is turned away, and what was accepted is answered."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.testclient import TestClient

from serving.api import create_api
from serving.limits import Bounds, Limits
from serving.scorer import Scorer


class Slow:
    """An application whose work lasts until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Semaphore(0), threading.Event()
        self.app = FastAPI()

        @self.app.post("/work")
        async def work(request: Request) -> int:
            body = await request.body()
            await run_in_threadpool(self._work)
            return len(body)

        @self.app.get("/v1/health/live")
        async def live() -> str:
            return "alive"

    def _work(self) -> None:
        self.begun.release()
        assert self.end.wait(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.end.set()


def test_a_body_that_says_it_is_too_large_is_not_read(slow: Slow) -> None:
    slow.end.set()
    with TestClient(Limits(slow.app, lambda: Bounds(largest=100))) as client:
        assert client.post("/work", content=b"x" * 100).json() == 100
        answer = client.post("/work", content=b"x" * 101)
    assert answer.status_code == 413
    assert answer.json()["error"]["wanted"] == "at most 100 bytes"


def test_a_body_in_pieces_is_read_no_further_than_the_limit(slow: Slow) -> None:
    slow.end.set()
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 40, "more_body": asked < 1000}

    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": "/work", "headers": []}
    asyncio.run(Limits(slow.app, lambda: Bounds(largest=100))(scope, receive, send))
    assert told[0]["status"] == 413
    assert asked < 15


def test_a_body_in_pieces_arrives_whole(slow: Slow) -> None:
    slow.end.set()
    with TestClient(Limits(slow.app)) as client:
        assert client.post("/work", content=iter([b"ab", b"", b"cde"])).json() == 5


def test_a_client_that_goes_away_has_asked_for_nothing(slow: Slow) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b"half", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/work", "headers": []}
    asyncio.run(Limits(slow.app)(scope, receive, send))
    assert not slow.begun.acquire(blocking=False)


def test_what_is_too_much_at_a_time_is_turned_away_but_health_is_told(slow: Slow) -> None:
    answers: list[int] = []
    with TestClient(Limits(slow.app, lambda: Bounds(most=2))) as client:
        busy = [
            threading.Thread(target=lambda: answers.append(client.post("/work").status_code))
            for _ in range(2)
        ]
        for thread in busy:
            thread.start()
        for _ in busy:
            assert slow.begun.acquire(timeout=30)
        refused = client.post("/work")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["error"]["remedy"]
        assert client.get("/v1/health/live").status_code == 200
        slow.end.set()
        for thread in busy:
            thread.join(30)
        assert client.post("/work").status_code == 200
    assert answers == [200, 200]


def test_what_takes_too_long_is_answered_and_holds_its_place_until_it_ends(slow: Slow) -> None:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    limits = Limits(slow.app, lambda: Bounds(most=1, timeout=0.05))
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/work",
        "headers": [],
        "query_string": b"",
    }

    async def ask() -> list[int]:
        first = asyncio.ensure_future(limits(dict(scope), receive, send))
        while not told:
            await asyncio.sleep(0.01)
        await limits(dict(scope), receive, send)
        slow.end.set()
        await first
        await limits(dict(scope), receive, send)
        return [m["status"] for m in told if m["type"] == "http.response.start"]

    assert asyncio.run(ask()) == [503, 503, 200]


def test_a_body_that_does_not_end_is_given_up() -> None:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        await asyncio.sleep(30)

    scope = {"type": "http", "method": "POST", "path": "/work", "headers": []}
    asyncio.run(Limits(FastAPI(), lambda: Bounds(timeout=0.05))(scope, receive, send))
    assert told[0]["status"] == 408


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"customers":['])
@pytest.mark.parametrize("depth", [500, 990, 5_000, 1_000_000])
@pytest.mark.parametrize("path", ["/churn", "/interactions"])
def test_json_that_is_nested_too_deeply_is_a_clear_4xx(
    scorer: Scorer, opening: bytes, depth: int, path: str
) -> None:
    api = create_api()
    api.state.scorer = scorer
    closing = {b"[": b"]", b'{"a":': b"}", b'{"customers":[': b"]}"}[opening]
    body = opening * depth + b"1" + closing * depth
    if path == "/interactions":
        body = b'{"interactions":[' + body + b"]}"
    with TestClient(Limits(api), raise_server_exceptions=False) as client:
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 413, 422), answer.text[:200]
    told = answer.json()
    assert "error" in told or told["rejected"]
