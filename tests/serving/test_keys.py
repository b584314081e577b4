"""Keys: who is let in, who is not, and what they are told."""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from features.errors import SettingsError
from serving.api import create_api
from serving.keys import Guard, Keys, check_exposure, read_keys

SCORE, OTHER_SCORE, INGEST, ADMIN = (name * 16 for name in "sxia")
ENVIRONMENT = {
    "RAPPORT_KEYS_SCORE": f"{SCORE}, {OTHER_SCORE}",
    "RAPPORT_KEYS_INGEST": INGEST,
    "RAPPORT_KEYS_ADMIN": ADMIN,
}
ANYTHING = PlainTextResponse("in")


def ask(
    keys: Keys,
    method: str,
    path: str,
    key: str | None = None,
    url: str = "http://127.0.0.1",
    **headers: str,
) -> Any:
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return TestClient(Guard(ANYTHING, keys), base_url=url).request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/interactions", {INGEST, ADMIN}),
        ("POST", "/v1/interactions/", {INGEST, ADMIN}),
        ("POST", "/v1/churn", {SCORE, OTHER_SCORE, ADMIN}),
        ("POST", "/v1/offers", {SCORE, OTHER_SCORE, ADMIN}),
        ("GET", "/v1/customers/7", {SCORE, OTHER_SCORE, ADMIN}),
        ("GET", "/v1/models", {SCORE, OTHER_SCORE, ADMIN}),
        ("DELETE", "/v1/customers/7", {ADMIN}),
        ("GET", "/v1/customers/7/export", {ADMIN}),
        ("GET", "/v1/customers/a%2Fb/export/", {ADMIN}),
        ("PUT", "/v1/churn", {ADMIN}),
        ("POST", "/churn", {SCORE, OTHER_SCORE, ADMIN}),
        ("POST", "/offers", {SCORE, OTHER_SCORE, ADMIN}),
        ("GET", "/metrics", {SCORE, OTHER_SCORE, INGEST, ADMIN}),
        ("GET", "/v1/nothing", {SCORE, OTHER_SCORE, ADMIN}),
    ],
)
def test_a_key_opens_what_its_scope_covers_and_nothing_else(
    method: str, path: str, allowed: set[str]
) -> None:
    keys = read_keys(ENVIRONMENT)
    for key in (SCORE, OTHER_SCORE, INGEST, ADMIN):
        answer = ask(keys, method, path, key)
        assert answer.status_code == (200 if key in allowed else 403), key
    assert ask(keys, method, path).status_code == 401


@pytest.mark.parametrize(
    "key", ["", "wrong", SCORE[:-1], SCORE + "s", SCORE.upper(), f"{SCORE},{ADMIN}", "é" * 16]
)
def test_a_wrong_key_is_a_clear_401_that_does_not_repeat_it(key: str) -> None:
    keys = read_keys(ENVIRONMENT)
    told = [(b"authorization", f"Bearer {key}".encode())]
    answer = TestClient(Guard(ANYTHING, keys)).post("/v1/churn", headers=told)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    error = answer.json()["error"]
    assert error["wanted"]
    assert "RAPPORT_KEYS_SCORE" in error["remedy"]
    assert not key or key not in answer.text


def test_a_key_in_another_form_is_not_a_key() -> None:
    keys = read_keys(ENVIRONMENT)
    assert ask(keys, "POST", "/v1/churn", Authorization=f"Basic {SCORE}").status_code == 401
    assert ask(keys, "POST", "/v1/churn", Authorization=f"bearer  {SCORE}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/v1/health/live", "/v1/health/ready", "/v1/docs"]
)
def test_health_and_documentation_need_no_key(path: str) -> None:
    assert ask(read_keys(ENVIRONMENT), "GET", path).status_code == 200
    assert ask(read_keys({}), "GET", path, url="http://10.0.0.1").status_code == 200


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        ("http://127.0.0.1:3000", {}, 200),
        ("http://localhost:3000", {}, 200),
        ("http://[::1]:3000", {}, 200),
        ("http://10.0.0.1:3000", {}, 401),
        ("http://127.0.0.1:3000", {"Host": "rebound.example"}, 401),
        ("http://127.0.0.1:3000", {"X-Forwarded-For": "10.0.0.7"}, 401),
    ],
)
def test_without_any_key_only_this_machines_own_programs_are_answered(
    url: str, headers: dict[str, str], status: int
) -> None:
    assert ask(read_keys({}), "POST", "/v1/churn", url=url, **headers).status_code == status


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_listening_elsewhere_without_a_key_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="RAPPORT_KEYS_SCORE"):
        check_exposure(host, read_keys({}))
    check_exposure(host, read_keys(ENVIRONMENT))
    check_exposure("127.0.0.1", read_keys({}))


@pytest.mark.parametrize("key", ["tiny", "k" * 15, "with space in the key", "é" * 20])
def test_a_weak_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_keys({"RAPPORT_KEYS_ADMIN": f"{ADMIN},{key}"})
    assert key not in str(refused.value)
    assert ADMIN not in str(refused.value)


def test_keys_do_not_show_themselves() -> None:
    assert ADMIN not in repr(read_keys(ENVIRONMENT))


def test_a_websocket_is_not_a_way_around() -> None:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    guard = Guard(ANYTHING, read_keys(ENVIRONMENT))
    asyncio.run(guard({"type": "websocket", "path": "/v1/churn", "headers": []}, receive, send))
    assert told == [{"type": "websocket.close", "code": 1008}]


def test_the_document_tells_of_keys_scopes_and_their_errors() -> None:
    with TestClient(create_api()) as client:
        document = client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    churn = document["paths"]["/churn"]["post"]
    assert churn["security"] == [{"key": []}]
    assert {"401", "403", "413", "503"} <= set(churn["responses"])
    assert "`ingest`" in document["paths"]["/interactions"]["post"]["description"]
    assert document["paths"]["/health/ready"]["get"]["security"] == []
