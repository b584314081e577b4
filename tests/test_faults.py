"""Faults: workers and whole servers that are killed while they record."""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from http.client import HTTPException

import psutil
import pytest

from features.settings import Settings
from serving.loading import open_store
from tests.servers import Server, running

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("RAPPORT_KILLS", "4"))
"""Each takes as long as a start of the service: twenty are for running by hand."""
BATCH, ENOUGH, PATIENCE = 20, 5, 120
CUSTOMER = "killed"


class Writer(threading.Thread):
    """Records batch after batch, each again until it is acknowledged, as a client would."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.port, self.batches, self.refused = 0, 0, list[str]()
        self.end = threading.Event()

    def run(self) -> None:
        while not self.end.is_set():
            if self._recorded(self.batches):
                self.batches += 1
            else:
                time.sleep(0.05)

    def more(self) -> None:
        """Wait until some more are acknowledged."""
        wanted, deadline = self.batches + ENOUGH, time.monotonic() + PATIENCE
        while self.batches < wanted:
            assert time.monotonic() < deadline, "nothing is acknowledged any more"
            time.sleep(0.01)

    def _recorded(self, batch: int) -> bool:
        items = [
            {
                "customer_id": CUSTOMER,
                "kind": "purchase",
                "occurred_at": "2024-12-30T12:00:00Z",
                "interaction_id": f"{batch}-{n}",
            }
            for n in range(BATCH)
        ]
        url = f"http://127.0.0.1:{self.port}/v1/interactions"
        body = json.dumps({"interactions": items}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                self.refused.append(f"{error.code}: {error.read().decode()}")
            return False
        except (OSError, HTTPException):
            return False  # nobody is there, or died in the middle of it
        assert told["accepted"] + told["duplicates"] == BATCH
        return True


def family(server: Server) -> list[psutil.Process]:
    """Return a server's processes."""
    top = psutil.Process(server.process.pid)
    return [top, *top.children(recursive=True)]


def workers(server: Server) -> list[psutil.Process]:
    """Return those that answer."""
    return [each for each in family(server) if "_bentoml_impl.worker.service" in each.cmdline()]


def lost_and_doubled(settings: Settings, writer: Writer) -> tuple[set[str], set[str]]:
    """Return which acknowledged interactions the store lacks, and which it has twice."""
    with open_store(settings) as store:
        kept = Counter(i.interaction_id for i in store.histories([CUSTOMER])[CUSTOMER][0])
    sent = {f"{batch}-{n}" for batch in range(writer.batches) for n in range(BATCH)}
    return sent - set(kept), {str(key) for key, n in kept.items() if n > 1}


def under_ingest(kill_all: Callable[[Writer], None], settings: Settings) -> None:
    """Record while processes are killed; nothing may be lost, doubled or refused."""
    writer = Writer()
    kill_all(writer)
    assert writer.batches > KILLS * ENOUGH
    assert lost_and_doubled(settings, writer) == (set(), set())
    assert writer.refused == []


def test_what_was_acknowledged_survives_kills_of_a_worker(deployment: Settings) -> None:
    def kill_all(writer: Writer) -> None:
        with running(deployment.path) as server:
            writer.port = server.port
            writer.start()
            for _ in range(KILLS):
                writer.more()
                (worker,) = workers(server)
                worker.kill()
                psutil.wait_procs([worker], timeout=PATIENCE)
            writer.more()
            writer.end.set()
            writer.join()

    under_ingest(kill_all, deployment)


def test_what_was_acknowledged_survives_kills_of_the_server(deployment: Settings) -> None:
    def kill_all(writer: Writer) -> None:
        for turn in range(KILLS):
            with running(deployment.path) as server:
                writer.port = server.port
                if not turn:
                    writer.start()
                writer.more()
                for process in family(server):
                    process.kill()
                server.process.wait()
        writer.end.set()
        writer.join()

    under_ingest(kill_all, deployment)
