"""Logs: one JSON line for each request, that names nobody."""

import atexit
import json
import logging
import re
import sys
import threading
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.metrics import PLACE, observe_request

EVERY = 0.2
MOST = 10_000
OTHER = "other"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
# What may be named where a request was refused before its route was found.
KNOWN = frozenset(
    {
        "/",
        "/churn",
        "/customer",
        "/icon.svg",
        "/login",
        "/logout",
        "/offers",
        "/page.css",
        "/livez",
        "/readyz",
        PLACE,
        "/v1/churn",
        "/v1/health/live",
        "/v1/health/ready",
        "/v1/interactions",
        "/v1/models",
        "/v1/offers",
    }
)


class Lines:
    """Writes lines from a thread of its own, a few times a second.

    A request never waits for whoever reads the log. When nobody does, the oldest lines that wait
    are dropped.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out
        self._waiting: deque[str] = deque(maxlen=MOST)
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, line: str) -> None:
        """Take a line, to be written soon."""
        self._waiting.append(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_on, daemon=True, name="log")
            self._thread.start()
            atexit.register(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        with self._writing:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if lines:
                out = sys.stderr if self._out is None else self._out
                out.write("".join(f"{line}\n" for line in lines))
                out.flush()

    def _write_on(self) -> None:
        while True:
            time.sleep(EVERY)
            self.flush()


class RequestLog:
    """Gives each request an id, and writes and counts how it was answered.

    Neither path nor query nor body is written: they may name a customer. The route's template is.

    Args:
        app: what is logged.
        lines: where to; stderr when none is given.
    """

    def __init__(self, app: ASGIApp, lines: Lines | None = None) -> None:
        self._app, self._lines = app, Lines() if lines is None else lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = (b"x-request-id", request_id.encode())
                message["headers"] = [*message.get("headers", ()), given]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            self._tell(scope, request_id, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = template_of(scope)
        observe_request(method, route, status, seconds)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": "INFO",
            "method": method,
            "route": route,
            "status": status,  # 0: the client went away before an answer
            "milliseconds": round(1000 * seconds, 3),
            "request_id": request_id,
        }
        self._lines.write(json.dumps(line))


def template_of(scope: Scope) -> str:
    """Return the template of the route that answered, never a path with somebody's id in it."""
    template = getattr(scope.get("route"), "path", None)
    if template is None:
        return scope["path"] if scope["path"] in KNOWN else OTHER
    return OTHER if ":path}" in template else f"{scope.get('root_path', '')}{template}"


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return bytes(value).decode()
    return uuid.uuid4().hex


class JsonFormatter(logging.Formatter):
    """What else the service says, as JSON lines too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(line)


def configure() -> None:
    """Write what ``serving`` logs to stderr, one JSON line each."""
    logger = logging.getLogger("serving")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
