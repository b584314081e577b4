"""Limits: how large a body, how many requests at a time, and how long."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.refusals import refuse

LARGEST_BODY = 10_000_000
PATIENT = 3  # times as much is thrown away before the connection is closed
UNLIMITED = frozenset({"/livez", "/readyz", "/healthz", "/v1/health/live", "/v1/health/ready"})
SHED = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken on: requests at a time, seconds to begin an answer, bytes of a body."""

    most: int = 64
    timeout: float = 10.0
    largest: int = LARGEST_BODY


class Limits:
    """Turns away what is too much, so that what was accepted is still answered.

    A request that took too long is answered 503, but holds its place until its work has ended:
    a thread cannot be stopped, and must not be started twice.

    Args:
        app: what is protected.
        bounds: gives the bounds; they are not known before the settings are read.
    """

    def __init__(self, app: ASGIApp, bounds: Callable[[], Bounds] = Bounds) -> None:
        self._app, self._bounds = app, bounds
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body read, or refuse it with 404, 408, 413 or 503."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self._app(scope, receive, send)
            return
        if "\n" in scope["path"]:  # no mount matches it, and what answers then is no JSON
            got, wanted = "a path with a line break", "a path of this API"
            remedy = "An id that has one is for `python -m serving export` and `erase`."
            await refuse(send, 404, "request", got, wanted, remedy)
            return
        bounds = self._bounds()
        if _declared(scope) > bounds.largest:
            await _too_large(receive, send, bounds)
            return
        if self._now >= bounds.most:
            got, wanted = "too many requests at a time", f"at most {bounds.most}"
            await refuse(send, 503, "service", got, wanted, "Try again in a second.", SHED)
            return
        self._now += 1
        try:
            await self._within_time(scope, receive, send, bounds)
        finally:
            self._now -= 1

    async def _within_time(
        self, scope: Scope, receive: Receive, send: Send, bounds: Bounds
    ) -> None:
        try:
            async with asyncio.timeout(bounds.timeout):
                body = await _read(receive, bounds.largest)
        except TimeoutError:
            got, wanted = "a body that does not end", f"all of it within {bounds.timeout:g} seconds"
            headers = {"Connection": "close"}
            await refuse(send, 408, "body", got, wanted, "Send it again, faster.", headers)
            return
        except _TooLarge:
            await _too_large(receive, send, bounds)
            return
        if body is None:
            return
        answer = _Answer(send)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(bounds.timeout, answer.expire, bounds.timeout)
        try:
            await self._app(scope, _once(body, receive), answer.send)
        finally:
            timer.cancel()
            await answer.finish()


class _TooLarge(Exception):
    """More bytes came than are read."""


class _Answer:
    """What a request answers: the application's, or that it took too long, never both."""

    def __init__(self, send: Send) -> None:
        self._send, self._began = send, False
        self._apology: asyncio.Task[None] | None = None

    async def send(self, message: Message) -> None:
        if self._apology is None:
            self._began = True
            await self._send(message)

    def expire(self, seconds: float) -> None:
        if not self._began:
            got, wanted = "no answer in time", f"one within {seconds:g} seconds"
            remedy = "Try again, with less at a time; an interaction_id makes that harmless."
            self._apology = asyncio.ensure_future(
                refuse(self._send, 503, "service", got, wanted, remedy, SHED)
            )

    async def finish(self) -> None:
        if self._apology is not None:
            await self._apology


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _read(receive: Receive, largest: int) -> bytes | None:
    """Return the body, ``None`` when the client went away before its end."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > largest:
            raise _TooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts) if len(parts) > 1 else part


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


async def _too_large(receive: Receive, send: Send, bounds: Bounds) -> None:
    """Refuse a body at once, and let the client send on for a while, or it may miss the answer."""
    held: list[Message] = []

    async def all_but_the_end(message: Message) -> None:
        if message["type"] == "http.response.body":
            held.append({"type": "http.response.body", "body": b""})
            message = {**message, "more_body": True}
        await send(message)

    wanted, remedy = f"at most {bounds.largest:,} bytes", "Send it in several parts."
    await refuse(all_but_the_end, 413, "body", "more than is read at once", wanted, remedy)
    left = PATIENT * bounds.largest
    with suppress(TimeoutError):
        async with asyncio.timeout(bounds.timeout):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    break
                left -= len(message.get("body", b""))
    await send(held[0])
