"""Load: as many connections as are asked for, each asking again once it is answered.

The asking is done by a process of its own, so that measuring takes no time from who is measured
in the same interpreter; ``python -m tests.benchmarks.load`` is that process.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

import numpy as np

from tests.benchmarks.environments import ROOT

LARGEST = 1 << 20
PATIENCE = 60.0
SHARES = (0.5, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask: bodies in turn, over connections that are kept, for a time or each once.

    ``seconds`` and ``warm`` (what comes before the first answer that counts) are by the wall
    clock; without ``seconds`` every body is sent once. No more than ``rate`` requests a second are
    sent, where there is one. With ``get`` nothing is posted: a body is what the path ends with.
    """

    port: int
    path: str
    bodies: Sequence[str]
    connections: int = 1
    seconds: float | None = None
    warm: float = 0.0
    rate: float = float("inf")
    get: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """How long each answer took (milliseconds), and how long all of them (seconds)."""

    milliseconds: list[float]
    seconds: float
    last: str = ""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentiles(self) -> tuple[float, float, float]:
        """Return the median, the 99th and the 99.9th percentile, milliseconds."""
        middle, high, highest = np.quantile(self.milliseconds, SHARES)
        return float(middle), float(high), float(highest)


@dataclass(slots=True)
class _Connection:
    """A connection, when it asked, and what has come of the answer."""

    socket: socket.socket
    asked: float = 0.0
    counts: bool = False
    come: bytearray = field(default_factory=bytearray)


def ask(load: Load) -> Answers:
    """Ask from a process of its own, and return how the answers came.

    Raises:
        RuntimeError: an answer was none of success.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Answers(**json.loads(done.stdout))


def run(load: Load) -> Answers:
    """Ask from this process, and return how the answers came.

    Raises:
        RuntimeError: an answer was none of success, or none came.
    """
    requests = [_request(load, body) for body in load.bodies]
    counted, end, limit = _course(load, len(requests))
    with selectors.DefaultSelector() as ready:
        connections = [_connect(load.port) for _ in range(min(load.connections, limit))]
        times: list[float] = []
        began, body, sent, first = 0.0, b"", 0, time.perf_counter()
        free, busy = deque(connections), len(connections)
        for connection in connections:
            ready.register(connection.socket, selectors.EVENT_READ, connection)
        while busy:
            now = time.perf_counter()
            while free and (over := now >= end or sent >= limit) | (
                now >= first + sent / load.rate
            ):
                connection = free.popleft()
                if over:
                    busy -= 1
                else:
                    _send(connection, requests[sent % len(requests)], counted)
                    sent += 1
            if not busy:
                break
            events = ready.select(first + sent / load.rate - now if free else PATIENCE)
            if not events and not free:
                raise RuntimeError(f"{load.path}: no answer in {PATIENCE:g} seconds")
            for key, _ in events:
                connection = key.data
                answer = _receive(connection)
                if answer is None:
                    continue
                body = answer
                if connection.counts:
                    began = began or connection.asked
                    times.append(1e3 * (time.perf_counter() - connection.asked))
                free.append(connection)
        seconds = time.perf_counter() - began
        for connection in connections:
            connection.socket.close()
    return Answers(times, seconds, body.decode())


def _course(load: Load, n: int) -> tuple[Callable[[], bool], float, int]:
    """Return what says whether an answer counts, when to end, and after how many at most."""
    if load.seconds is None:
        return (lambda: True), float("inf"), n
    first = time.perf_counter() + load.warm
    return (lambda: time.perf_counter() >= first), first + load.seconds, sys.maxsize


def _request(load: Load, body: str) -> bytes:
    if load.get:
        asked = f"GET {load.path}{quote(body, safe='')} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}"
        return f"{asked}\r\nAccept: text/html\r\n\r\n".encode()
    sent = body.encode()
    head = (
        f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def _connect(port: int) -> _Connection:
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Connection(connection)


def _send(connection: _Connection, request: bytes, counted: Callable[[], bool]) -> None:
    connection.counts, connection.asked = counted(), time.perf_counter()
    connection.socket.sendall(request)


def _receive(connection: _Connection) -> bytes | None:
    """Return the body of an answer, ``None`` before it has come as a whole."""
    part = connection.socket.recv(LARGEST)
    if not part:
        raise RuntimeError("the service closed the connection")
    connection.come += part
    head, end, body = bytes(connection.come).partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.split(b"\r\n")
    named = dict(line.lower().split(b": ", 1) for line in lines[1:])
    if len(body) < int(named[b"content-length"]):
        return None
    if not lines[0].startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{lines[0].decode()}: {body[:500].decode()}")
    connection.come.clear()
    return body


if __name__ == "__main__":
    json.dump(asdict(run(Load(**json.load(sys.stdin)))), sys.stdout)
