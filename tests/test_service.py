"""The service as it runs: a real server, real HTTP, on the small shop."""

import json
import select
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest

from features.settings import Settings
from tests.processes import environment
from tests.servers import PATIENCE, served

pytestmark = pytest.mark.slow


def post(url: str, body: object) -> tuple[int, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def server(shop: Settings) -> Iterator[str]:
    subprocess.run(
        [sys.executable, "-m", "serving", "import", "--settings", str(shop.path)],
        check=True,
        capture_output=True,
        env=environment(),
    )
    with served(shop.path) as port:
        yield f"http://127.0.0.1:{port}"


def test_it_scores_offers_and_records(server: str) -> None:
    status, scores = post(f"{server}/v1/churn", {"customers": ["0001", "x"], "reasons": 3})
    assert status == 200
    assert [s["status"] for s in scores["scores"]][1] == "unknown"
    status, offers = post(f"{server}/v1/offers", {"customer_id": "0001", "channel": "post"})
    assert status == 200
    assert offers["decision_id"]
    bought = {"customer_id": "x", "kind": "purchase", "occurred_at": "2024-12-30T12:00:00Z"}
    status, recorded = post(f"{server}/v1/interactions", {"interactions": [bought]})
    assert (status, recorded["accepted"]) == (200, 1)
    _, scores = post(f"{server}/v1/churn", {"customers": ["x"]})
    assert scores["scores"][0]["status"] == "in_cohort"


def test_errors_are_clear(server: str) -> None:
    status, answer = post(f"{server}/v1/churn", {"customer": ["0001"]})
    assert (status, answer["error"]["subject"]) == (422, "customer")
    status, answer = post(f"{server}/v1/nothing", {})
    assert (status, bool(answer["error"]["remedy"])) == (404, True)


def test_bentomls_own_api_answers_the_same(server: str) -> None:
    _, strict = post(f"{server}/v1/churn", {"customers": ["0002"], "reasons": 1})
    _, own = post(f"{server}/churn", {"customers": ["0002"], "reasons": 1})
    assert own["scores"][0].keys() == strict["scores"][0].keys()
    _, own = post(f"{server}/offers", {"customer_id": "0002", "channel": "post"})
    assert own["customer_id"] == "0002"


def test_it_listens_on_this_machine_alone(server: str) -> None:
    port = int(server.rsplit(":", 1)[1])
    listening = [c for c in psutil.net_connections("inet") if c.laddr and c.laddr.port == port]
    assert {c.laddr.ip for c in listening if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_headers_without_end_are_refused(server: str) -> None:
    with socket.create_connection(("127.0.0.1", int(server.rsplit(":", 1)[1])), 30) as line:
        line.sendall(b"POST /v1/churn HTTP/1.1\r\nHost: here\r\n")
        sent = 0
        with suppress(ConnectionError):  # it hangs up
            while sent < 10_000_000 and not select.select([line], [], [], 0)[0]:
                sent += line.send(b"x: " + b"y" * 1000 + b"\r\n")
        assert sent < 5_000_000  # what the sockets buffer
        with suppress(ConnectionError):
            assert b" 400 " in line.recv(1000)


def test_metrics_and_health_are_there(server: str) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/v1/openapi.json"):
        with urllib.request.urlopen(server + path, timeout=10) as answer:
            assert answer.status == 200


def test_without_models_it_says_what_to_do(shop: Settings, tmp_path: Any) -> None:
    settings = tmp_path / "rapport.toml"
    settings.write_text(shop.path.read_text())
    for table in shop.path.parent.glob("*.csv"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    result = subprocess.run(
        [sys.executable, "-m", "serving", "serve", "--settings", str(settings)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(),
    )
    assert result.returncode == 2
    assert "python -m training main" in result.stderr
    assert "Traceback" not in result.stderr


def test_bentomls_own_api_refuses_wrong_requests_clearly(server: str) -> None:
    status, answer = post(f"{server}/churn", {"customers": []})
    assert (status, answer["error"]["subject"]) == (422, "customers")
