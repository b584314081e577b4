"""MLflow's own servers, for the tests that talk to them over HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.processes import environment
from tests.servers import free_port

PATIENCE = 180


class MlflowProcess:
    """A server started by a command of MLflow's; its workers end with it."""

    def __init__(
        self, command: Sequence[str], health: str, log: Path, port: int | None = None, **more: str
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        at = ["--host", "127.0.0.1", "--port", str(self.port)]
        with log.open("a") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *command, *at],
                stdout=file,
                stderr=file,
                env=environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **more),
                cwd=log.parent,
                start_new_session=True,
            )
        self._health, self._log = health, log

    def __enter__(self) -> "MlflowProcess":
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url + self._health, timeout=1).close()
                return self
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise AssertionError(f"MLflow did not start: {self._log.read_text()}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it at once, as a crash does; again is harmless."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def post(self, path: str, body: object) -> Any:
        """Return what a JSON body is answered with."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def tracking_server(database: str, folder: Path, port: int | None = None) -> MlflowProcess:
    """Return an MLflow server over a database that passes artifacts through, kept in a folder."""
    place = ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
    command = ["server", *place, "--serve-artifacts", "--workers", "1"]
    return MlflowProcess(command, "/health", folder / "server.log", port)
