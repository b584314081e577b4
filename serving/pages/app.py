"""The pages' application: routes, the way in and the way out; what they say is in ``facts``."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from features.errors import RequestError
from serving.api import scorer_of, tell_errors
from serving.keys import Keys, read_keys
from serving.pages.face import ICON, LOGIN, LOGOUT, STYLE
from serving.pages.facts import MOST, SHOWN, facts_of
from serving.pages.templates import asset, written
from serving.pages.words import moment_of
from serving.pages.worklist import Worklist
from serving.schemas import LONGEST_ID
from serving.scorer import Scorer
from serving.sessions import COOKIE, SECONDS, Sessions

PAUSE, GUESSES = 1.0, 4
"""Seconds that a wrong key waits for its answer, and how many wait; more are sent away."""
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
CUSTOMER = "/customer?"


def create_pages(keys: Keys | None = None, pause: float = PAUSE) -> Starlette:
    """Return the application; what it shows is put into ``state`` when the service starts.

    Args:
        keys: the keys that lead in; the environment's when there are none given.
        pause: seconds that a wrong key waits for its answer.
    """
    door = _Door((read_keys() if keys is None else keys).sessions(), pause)
    pages = Starlette(
        routes=[
            Route("/", start),
            Route("/customer", customer),
            Route(LOGIN, door.show),
            Route(LOGIN, door.enter, methods=["POST"]),
            Route(LOGOUT, door.leave, methods=["POST"]),
            Route(STYLE, style),
            Route(ICON, icon),
        ]
    )
    tell_errors(pages)
    return pages


async def start(request: Request) -> Response:
    """Answer ``GET /``: a search, and whom to talk to."""
    scorer, worklist = scorer_of(request), getattr(request.app.state, "worklist", None)
    page = await run_in_threadpool(_start, scorer, worklist, _common(request))
    return HTMLResponse(page)


async def customer(request: Request) -> Response:
    """Answer ``GET /customer?id=``: all that is known of one customer.

    Raises:
        RequestError: the id or the number of interactions is none.
    """
    customer_id = request.query_params.get("id", "")
    if not customer_id:
        return RedirectResponse("/", 303)
    if len(customer_id) > LONGEST_ID or "\x00" in customer_id:
        wanted = f"at most {LONGEST_ID} characters, none of them null"
        raise RequestError("id", "text that is no id", wanted, "Search for another id.")
    shown = _number(request.query_params.get("timeline", str(SHOWN)))
    scorer, common = scorer_of(request), _common(request)
    page = await run_in_threadpool(_customer, scorer, customer_id, shown, common)
    if page is None:
        told = {"typed": customer_id, "spaced": customer_id != customer_id.strip()}
        return HTMLResponse(written("nobody.html", **common, **told), 404)
    return HTMLResponse(page)


async def style(request: Request) -> Response:
    """Answer with the style sheet, which a browser keeps: its address changes when it does."""
    return Response(asset("page.css"), media_type="text/css", headers=KEPT)


async def icon(request: Request) -> Response:
    """Answer with the picture in the browser's tab."""
    return Response(asset("icon.svg"), media_type="image/svg+xml", headers=KEPT)


class _Door:
    """The way in and the way out: a key is shown once, a session is kept."""

    def __init__(self, sessions: Sessions, pause: float) -> None:
        self._sessions, self._pause = sessions, pause
        self._guesses = 0

    async def show(self, request: Request) -> Response:
        """Ask for a key, or lead in where none is needed."""
        to = _place(request.query_params.get("to", ""))
        if not self._sessions:
            return RedirectResponse(to, 303)
        return _asking(request, to)

    async def enter(self, request: Request) -> Response:
        """Open a session for who shows a key; who does not, waits."""
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
        to = _place(form.get("to", [""])[0])
        if _is_foreign(request):
            return _asking(request, to, "Another site sent this form: show the key here.", 403)
        cookie = self._sessions.open(form.get("key", [""])[0].strip().encode())
        if cookie is None:
            return await self._refuse(request, to)
        answer = RedirectResponse(to, 303)
        _set_cookie(request, answer, cookie, SECONDS)
        return answer

    async def _refuse(self, request: Request, to: str) -> Response:
        """Say that a key opens nothing, late; who has the right one never waits for it."""
        if self._guesses >= GUESSES:
            return _asking(request, to, "Too many wrong keys at a time: try again shortly.", 429)
        self._guesses += 1
        try:
            await asyncio.sleep(self._pause)
        finally:
            self._guesses -= 1
        return _asking(request, to, "That is not a key of this service that opens pages.", 401)

    async def leave(self, request: Request) -> Response:
        """End the session of this browser."""
        answer = RedirectResponse(LOGIN if self._sessions else "/", 303)
        if not _is_foreign(request):
            _set_cookie(request, answer, "", 0)
        return answer


def _set_cookie(request: Request, answer: Response, cookie: str, seconds: int) -> None:
    told = request.headers.get("x-forwarded-proto", request.url.scheme)
    secure = told.partition(",")[0].strip().lower() == "https"
    answer.set_cookie(COOKIE, cookie, seconds, secure=secure, httponly=True, samesite="strict")


def _asking(request: Request, to: str, wrong: str = "", status: int = 200) -> Response:
    return HTMLResponse(written("login.html", to=to, wrong=wrong, **_common(request)), status)


def _is_foreign(request: Request) -> bool:
    """Whether another site's page sent a form."""
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _place(to: str) -> str:
    """Return where to go on to: a customer's page of this service, or its first."""
    return to if to.startswith(CUSTOMER) else "/"


def _number(text: str) -> int:
    """Return how many interactions to show.

    Raises:
        RequestError: the text is no such number.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > MOST:
        remedy = f"Leave it out for the latest {SHOWN}."
        raise RequestError("timeline", f"'{text[:20]}'", f"a number up to {MOST:,}", remedy)
    return int(text)


def _common(request: Request) -> dict[str, Any]:
    """Return what every page says."""
    project = getattr(request.app.state, "project", "Rapport")
    return {"project": project, "signed_in": COOKIE in request.cookies}


def _start(scorer: Scorer, worklist: Worklist | None, common: dict[str, Any]) -> str:
    listed = worklist.look() if worklist else None
    rows = []
    if listed is not None:
        erased = scorer.store.erased([score.customer_id for score in listed.scores])
        rows = [score for score, gone in zip(listed.scores, erased, strict=True) if not gone]
    return written(
        "start.html",
        listed=listed,
        rows=rows,
        as_of="" if listed is None else moment_of(listed.as_of, scorer.zone),
        counting=worklist is not None and worklist.counting,
        failed=worklist is not None and worklist.failed,
        states_money=scorer.states_money,
        money=scorer.wording.money,
        **common,
    )


def _customer(scorer: Scorer, customer_id: str, shown: int, common: dict[str, Any]) -> str | None:
    facts = facts_of(scorer, customer_id, shown)
    return None if facts is None else written("customer.html", asked=customer_id, **facts, **common)
