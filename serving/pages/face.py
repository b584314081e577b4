"""The face: how the service looks to a browser. What is refused is told as a page, or leads to the
way in; every page says what a browser may do with it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.keys import PAGES, Keys, read_keys
from serving.pages.templates import written

LOGIN, LOGOUT, STYLE, ICON = "/login", "/logout", "/page.css", "/icon.svg"
SHOWN = PAGES | {LOGIN, LOGOUT, STYLE, ICON}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PROTECTING = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # an id stands in the address
    "Cache-Control": "no-store",
}
TITLES = {401: "No entry", 403: "No entry", 404: "No such page", 503: "Not now"}


class Pages:
    """Answers the addresses of pages by an application of their own, in front of another one.

    Args:
        app: what answers everything else.
        pages: what answers them.
    """

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to whom it is for."""
        page = scope["type"] == "http" and scope["path"] in SHOWN
        await (self._pages if page else self._app)(scope, receive, send)


class Face:
    """Tells a browser what the guard, the limits and the pages have to say.

    Args:
        app: what answers.
        keys: the keys that lead in; the environment's when there are none given.
    """

    def __init__(self, app: ASGIApp, keys: Keys | None = None) -> None:
        self._app = app
        self._locked = bool((read_keys() if keys is None else keys).sessions())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and put its answer as a browser wants it."""
        if scope["type"] != "http" or scope["path"] not in SHOWN:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, send, self._locked).send)


class _Answer:
    """The answer to one request for a page, held back where it is an error that is to be told."""

    def __init__(self, scope: Scope, send: Send, locked: bool) -> None:
        self._scope, self._send, self._locked = scope, send, locked
        self._held: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in PROTECTING.items():
                headers.setdefault(name, value)
            message["headers"] = headers.raw
            if self._is_read() and headers.get("content-type") == "application/json":
                self._held = message
                return
        elif self._held is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._tell(self._held)
            return
        await self._send(message)

    def _is_read(self) -> bool:
        """Whether somebody reads the answer in a browser, who wants a page."""
        return "text/html" in Headers(scope=self._scope).get("accept", "")

    async def _tell(self, start: Message) -> None:
        """Send the error as a page, or lead who has no key to where they can show one."""
        headers, page = MutableHeaders(raw=start["headers"]), b""
        if start["status"] == 401 and self._locked and self._scope["path"] in PAGES:
            start["status"] = 303
            headers["Location"] = f"{LOGIN}?to={quote(_address(self._scope), safe='')}"
            del headers["www-authenticate"], headers["content-type"]
        else:
            page = _page(start["status"], json.loads(self._body)["error"])
            headers["Content-Type"] = "text/html; charset=utf-8"
        headers["Content-Length"] = str(len(page))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": page})


def _address(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _page(status: int, error: Mapping[str, Any]) -> bytes:
    title = TITLES.get(status, "That did not work")
    return written("told.html", title=title, error=error).encode()
