"""A served deployment, for the tests that talk to it over HTTP."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import environment

PATIENCE = 180


@dataclass(frozen=True, slots=True)
class Server:
    """A service that runs: its process, where it listens, and the file that it logs to."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def stop(self, how: int = signal.SIGINT) -> str:
        """Stop it unless it has ended, and return what it said."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)
        return self.log.read_text(encoding="utf-8")


@contextmanager
def served(settings: Path) -> Iterator[int]:
    """Serve a deployment whose models are trained, give the port, and stop it without a trace."""
    with running(settings) as server:
        yield server.port
        output = server.stop()
    assert "Traceback" not in output, output


@contextmanager
def running(settings: Path, **more: str) -> Iterator[Server]:
    """Serve a deployment with more variables in the environment, and stop it in the end."""
    port = free_port()
    told = ["--settings", str(settings), "--port", str(port)]
    command = [sys.executable, "-m", "serving", "serve", *told]
    with started(command, port, Path.cwd(), **more) as server:
        yield server


@contextmanager
def started(
    command: list[str], port: int, folder: Path, ready: str = "/readyz", **more: str
) -> Iterator[Server]:
    """Start a server that will listen on a port, wait until it is ready, stop it in the end."""
    with tempfile.TemporaryDirectory() as scratch:
        # A pipe that nobody empties would hold up whoever logs.
        log = Path(scratch) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment(PYTHONUNBUFFERED="1", **more),
            )
        server = Server(process, port, log)
        try:
            _wait(server, ready)
            yield server
        finally:
            server.stop()


def _wait(server: Server, ready: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}{ready}", timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the service did not start: {server.log.read_text(encoding='utf-8')}")


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
