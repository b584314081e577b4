"""API keys: who may do what, and who may do it without a key."""

import hmac
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import SettingsError
from serving.refusals import refuse
from serving.sessions import Sessions

ScopeName = Literal["score", "ingest", "admin"]
SCOPES: tuple[ScopeName, ...] = get_args(ScopeName)
SHORTEST = 16
PAGES = frozenset({"/", "/customer"})
"""What a person reads in a browser; a session opens it as a key does."""
# What tells nothing about anybody: health, the pages that describe the API, the way in and out.
OPEN = frozenset(
    {
        "/docs.json",
        "/healthz",
        "/icon.svg",
        "/livez",
        "/login",
        "/logout",
        "/page.css",
        "/readyz",
        "/schema.json",
        "/v1/docs",
        "/v1/health/live",
        "/v1/health/ready",
        "/v1/openapi.json",
    }
)
OPEN_FOLDER = "/static_content/"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})
HOW = "Send `Authorization: Bearer <key>`; keys are set by RAPPORT_KEYS_SCORE, _INGEST and _ADMIN."


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of each scope; ``admin`` may do what the others may."""

    by_scope: Mapping[ScopeName, tuple[bytes, ...]]

    def __bool__(self) -> bool:
        return any(self.by_scope.values())

    def scopes(self, key: bytes) -> frozenset[ScopeName]:
        """Return what a key may do; every key is compared, for as long whichever matches."""
        found: set[ScopeName] = set()
        for scope, keys in self.by_scope.items():
            for known in keys:
                if hmac.compare_digest(known, key):
                    found.add(scope)
        return frozenset(SCOPES) if "admin" in found else frozenset(found)

    def sessions(self) -> Sessions:
        """Return the sessions that the keys of the scope ``score`` open."""
        return Sessions((*self.by_scope.get("score", ()), *self.by_scope.get("admin", ())))


def read_keys(environment: Mapping[str, str] = os.environ) -> Keys:
    """Return the keys that ``RAPPORT_KEYS_SCORE``, ``_INGEST`` and ``_ADMIN`` list.

    Raises:
        SettingsError: a key is too short to be one.
    """
    by_scope: dict[ScopeName, tuple[bytes, ...]] = {}
    for scope in SCOPES:
        name = f"RAPPORT_KEYS_{scope.upper()}"
        listed = [key.strip() for key in environment.get(name, "").split(",")]
        keys = [key for key in listed if key]
        for key in keys:
            if len(key) < SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
                raise SettingsError(
                    name,
                    "a key that is too short or has characters that a header cannot carry",
                    f"keys of at least {SHORTEST} letters, digits and signs, commas between them",
                    'Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"',
                )
        by_scope[scope] = tuple(key.encode() for key in keys)
    return Keys(by_scope)


def check_exposure(host: str, keys: Keys) -> None:
    """Refuse to listen without keys where other machines can reach.

    Raises:
        SettingsError: the address is not this machine's own, and there is no key.
    """
    if not keys and not is_local(host):
        raise SettingsError(
            f"--host {host}",
            "an address that others can reach, and no API key",
            "keys, or the address 127.0.0.1",
            "Set RAPPORT_KEYS_SCORE, RAPPORT_KEYS_INGEST or RAPPORT_KEYS_ADMIN.",
        )


def is_local(host: str) -> bool:
    """Return whether an address or name can only be this machine.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("localhost"), is_local("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() in LOCAL:  # nearly every request asks this twice
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def scope_of(method: str, path: str) -> ScopeName | None:
    """Return the scope that a request needs, ``None`` for what everybody may ask.

    >>> scope_of("POST", "/v1/churn"), scope_of("DELETE", "/v1/customers/7")
    ('score', 'admin')
    """
    if path in OPEN or path.startswith(OPEN_FOLDER):
        return None
    if method not in ("GET", "HEAD", "POST", "OPTIONS") or path.rstrip("/").endswith("/export"):
        return "admin"
    return "ingest" if path.rstrip("/") == "/v1/interactions" else "score"


class Guard:
    """Lets in who has a key of the scope; without any keys, this machine's own programs alone.

    A session opens pages for reading, and nothing of the API.

    Args:
        app: what is guarded.
        keys: the keys; the environment's when there are none given.
    """

    def __init__(self, app: ASGIApp, keys: Keys | None = None) -> None:
        self._app, self._keys = app, read_keys() if keys is None else keys
        self._sessions = self._keys.sessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 401 or 403."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks anything else
            await send({"type": "websocket.close", "code": 1008})
            return
        needed = scope_of(scope["method"], scope["path"])
        if needed is None or (_reads_page(scope) and self._sessions.holds(scope)):
            await self._app(scope, receive, send)
        elif not self._keys:
            if _comes_from_here(scope):
                await self._app(scope, receive, send)
            else:
                await _unknown(send, "a request from elsewhere, where no key is set")
        else:
            given = _bearer(scope)
            scopes = self._keys.scopes(given)
            if needed in scopes or (scopes and scope["path"] == "/metrics"):
                await self._app(scope, receive, send)
            elif scopes:
                await _forbid(send, needed)
            else:
                await _unknown(send, "a key that is not known" if given else "no key")


def _reads_page(scope: Scope) -> bool:
    return scope["path"] in PAGES and scope["method"] in ("GET", "HEAD")


def _bearer(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, key = bytes(value).partition(b" ")
            return key.strip() if kind.lower() == b"bearer" else b""
    return b""


def _comes_from_here(scope: Scope) -> bool:
    """Return whether a program of this machine asks this machine, by its own name.

    A page in a browser may make a name of its own mean this machine: its ``Host`` says so. A
    proxy on this machine speaks for others: it says that it forwards.
    """
    server = scope.get("server")
    host = next((bytes(v) for k, v in scope["headers"] if k == b"host"), b"").decode("latin-1")
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    forwarded = any(name in FORWARDED for name, _ in scope["headers"])
    return server is not None and is_local(server[0]) and is_local(name) and not forwarded


async def _unknown(send: Send, got: str) -> None:
    headers = {"WWW-Authenticate": "Bearer"}
    await refuse(send, 401, "key", got, "an API key of this service", HOW, headers)


async def _forbid(send: Send, needed: ScopeName) -> None:
    headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'}
    wanted, remedy = f"a key of the scope '{needed}'", "Ask who runs the service for such a key."
    await refuse(send, 403, "key", "a key of another scope", wanted, remedy, headers)
