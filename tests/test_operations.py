"""Operations: the service as it runs, with keys, swaps, stops and as a bento."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from features.settings import Settings
from serving.loading import open_store
from tests.processes import environment
from tests.registries import crown, register, source_of
from tests.servers import Server, free_port, running, started

pytestmark = pytest.mark.slow
SCORE, INGEST = "score-key-of-the-tests", "ingest-key-of-the-tests"
KEYS = {"RAPPORT_KEYS_SCORE": SCORE, "RAPPORT_KEYS_INGEST": INGEST}
CLIENT = """
import sys, bentoml
with bentoml.SyncHTTPClient(sys.argv[1], token=sys.argv[2]) as client:
    print(client.churn(customers=["0001"])["scores"][0]["customer_id"])
"""


def call(
    port: int, path: str, body: object = None, key: str | None = None, data: bytes | None = None
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    sent = data if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", sent, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def guarded(deployment: Settings) -> Iterator[Server]:
    with running(deployment.path, **KEYS) as server:
        yield server


def test_no_way_leads_around_the_keys(guarded: Server) -> None:
    port, churn, offers = guarded.port, {"customers": ["0001"]}, {"customer_id": "0001"}
    for path, body in (("/v1/churn", churn), ("/churn", churn), ("/offers", offers)):
        assert call(port, path, body)[0] == 401
        assert call(port, path, body, "not-a-key-of-the-tests")[0] == 401
        assert call(port, path, body, INGEST)[0] == 403
        assert call(port, path, body, SCORE)[0] == 200
    assert call(port, "/v1/interactions", {"interactions": [{}]}, SCORE)[0] == 403
    assert call(port, "/v1/interactions", {"interactions": [{}]}, INGEST)[0] == 200
    assert call(port, "/v1/health/ready")[1]["status"] == "ready"
    url = f"http://127.0.0.1:{port}"
    client = subprocess.run(
        [sys.executable, "-c", CLIENT, url, SCORE], capture_output=True, text=True, check=True
    )
    assert client.stdout == "0001\n"
    told = guarded.stop()
    assert "Traceback" not in told
    assert not any(word in told for word in (SCORE, INGEST, "0001"))
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert {line["status"] for line in lines if line.get("route") == "/churn"} == {200, 401, 403}


def test_what_is_too_large_or_nested_too_deeply_is_a_clear_4xx(guarded: Server) -> None:
    large, deep = b" " * 10_000_001, b"[" * 200_000
    for path in ("/v1/churn", "/churn"):
        status, answer = call(guarded.port, path, key=SCORE, data=large)
        assert (status, answer["error"]["subject"]) == (413, "body")
        assert 400 <= call(guarded.port, path, key=SCORE, data=deep)[0] < 500
    assert call(guarded.port, "/v1/churn", {"customers": ["0001"]}, SCORE)[0] == 200
    told = guarded.stop()
    assert "Internal Server Error" not in told


def test_listening_elsewhere_without_keys_is_refused(deployment: Settings) -> None:
    command = [sys.executable, "-m", "serving", "serve", "--settings", str(deployment.path)]
    refused = subprocess.run(
        [*command, "--host", "0.0.0.0"], capture_output=True, text=True, env=environment()
    )
    assert refused.returncode == 2
    assert "RAPPORT_KEYS_SCORE" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_models_swap_under_load_and_no_request_is_dropped(
    deployment: Settings, tmp_path: Path
) -> None:
    with running(deployment.path) as server:
        seen: list[tuple[int, str]] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                status, answer = call(server.port, "/v1/churn", {"customers": ["0001", "0002"]})
                seen.append((status, answer["model"]["version"] if status == 200 else str(answer)))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        register(deployment, "churn", str(source_of(deployment, "churn", tmp_path / "again")))
        _wait(lambda: seen[-1:] and seen[-1][1] == "2")
        crown(deployment, "churn", 1)
        _wait(lambda: seen[-1][1] == "1")
        stop.set()
        for thread in threads:
            thread.join()
        told = server.stop()
    assert {status for status, _ in seen} == {200}
    assert {version for _, version in seen} == {"1", "2"}
    assert "serves rapport-churn version 2 now" in told
    assert "Traceback" not in told


def test_a_stop_under_load_finishes_what_was_accepted(deployment: Settings) -> None:
    acknowledged: list[str] = []
    broken: list[BaseException | int] = []
    with running(deployment.path) as server:

        def record(worker: int) -> None:
            for n in range(1_000_000):
                key = f"stop-{worker}-{n}"
                bought = {
                    "customer_id": "0001",
                    "kind": "purchase",
                    "occurred_at": "2024-12-30T12:00:00Z",
                    "interaction_id": key,
                }
                try:
                    status, _ = call(server.port, "/v1/interactions", {"interactions": [bought]})
                except OSError as error:
                    broken.append(error)  # it was never accepted: the store must not have it
                    return
                if status != 200:
                    broken.append(status)
                    return
                acknowledged.append(key)

        long: list[int] = []
        many = {"customers": [f"{n:04d}" for n in range(260)] * 3, "reasons": 3}

        def score() -> None:
            long.append(call(server.port, "/v1/churn", many)[0])

        threads = [threading.Thread(target=record, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        _wait(lambda: len(acknowledged) > 20)
        slow = threading.Thread(target=score)
        slow.start()
        _wait(lambda: len(acknowledged) > 30)
        told = server.stop(signal.SIGTERM)
        for thread in (*threads, slow):
            thread.join()
    assert server.process.returncode == 0
    assert long == [200]
    assert 503 not in broken
    assert "Traceback" not in told
    with open_store(deployment) as store:
        kept = {i.interaction_id or "" for i in store.histories(["0001"])["0001"][0]}
    assert {key for key in kept if key.startswith("stop-")} == set(acknowledged)


def test_a_bento_serves_the_same_score(deployment: Settings, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    home = str(tmp_path / "bentos")
    build = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--output", "tag", str(root)],
        capture_output=True,
        text=True,
        env=environment(BENTOML_HOME=home),
    )
    assert build.returncode == 0, build.stderr
    tag = build.stdout.strip().splitlines()[-1].removeprefix("__tag__:")
    packed = {p.name for p in (tmp_path / "bentos").glob("bentos/rapport/*/src/*")}
    assert {"features", "training", "serving"} <= packed
    assert not packed & {"tests", "docs", "notebooks", "data", "var", ".git"}
    with running(deployment.path) as plain:
        expected = call(plain.port, "/v1/churn", {"customers": ["0001"]})[1]["scores"]
    scratch = tmp_path / "elsewhere"
    scratch.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", tag, "--port", str(port)]
    variables = {"BENTOML_HOME": home, "RAPPORT_SETTINGS": str(deployment.path), **KEYS}
    with started(
        [*command, "--host", "127.0.0.1"], port, scratch, PYTHONPATH="", **variables
    ) as it:
        assert call(it.port, "/v1/churn", {"customers": ["0001"]})[0] == 401
        status, answer = call(it.port, "/v1/churn", {"customers": ["0001"]}, SCORE)
        headers = {"Authorization": f"Bearer {SCORE}"}
        for path in ("/", "/customer?id=0001", "/page.css", "/icon.svg"):
            request = urllib.request.Request(f"http://127.0.0.1:{it.port}{path}", headers=headers)
            with urllib.request.urlopen(request, timeout=60) as page:
                assert page.status == 200
    assert status == 200
    assert answer["scores"][0]["probability"] == pytest.approx(expected[0]["probability"], abs=1e-3)


def _wait(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)
