"""The HTTP API under ``/v1``: routes and their documents, no logic."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from features.errors import RapportError
from serving import answers, view_answers
from serving.answer_schemas import (
    ChurnResponse,
    ErrorResponse,
    InteractionsResponse,
    OffersResponse,
)
from serving.bodies import BodyRoute
from serving.health import health_routes
from serving.keys import OPEN_FOLDER
from serving.lanes import FEW, SHORT, Lane, Lanes
from serving.live import LiveScorer
from serving.metrics import counted
from serving.openapi import complete
from serving.schemas import (
    LONGEST_ID,
    NO_NULL,
    ChurnRequest,
    InteractionIn,
    InteractionsRequest,
    OffersRequest,
)
from serving.scorer import Scorer
from serving.view_schemas import (
    CustomerResponse,
    ErasedResponse,
    ExportResponse,
    ModelsResponse,
)

ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorResponse, "description": "No such thing here."},
    422: {"model": ErrorResponse, "description": "The request is not of the documented form."},
    503: {"model": ErrorResponse, "description": "The service is not ready."},
}
TIMELINE = "How many of the latest interactions."
OFFERS = "How many offers at most."
REASONS = "How many reasons for the risk and for each offer."
CustomerId = Annotated[str, Path(max_length=LONGEST_ID, pattern=NO_NULL)]
GETS = {"models|customers/[^/]+/export": "GET", "customers/[^/]+": "DELETE, GET"}
Q = TypeVar("Q")
LOGGER = logging.getLogger(__name__)
REQUESTS: dict[str, type[BaseModel]] = {
    "interactions": InteractionsRequest,
    "churn": ChurnRequest,
    "offers": OffersRequest,
}


def create_api() -> FastAPI:
    """Return the application; its scorer is put into ``state`` when the service starts."""
    api = FastAPI(
        title="Rapport",
        version="1",
        description="Churn risk and offer relevance from interaction history, with reasons.",
        responses=ERRORS,
        docs_url=None,
        redoc_url=None,
    )
    api.add_route("/docs", _document, include_in_schema=False)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(RecursionError, _too_deep)
    tell_errors(api)
    api.include_router(health_routes())

    posts = APIRouter(route_class=BodyRoute)

    @posts.post("/interactions", response_model=InteractionsResponse, summary="Record interactions")
    async def interactions(request: Request, body: InteractionsRequest) -> Response:
        """Record what happened; the next score sees it. Wrong items are rejected by index."""
        return await run_in_threadpool(_written, answers.record, scorer_of(request), body)

    @posts.post("/churn", response_model=ChurnResponse, summary="Score the risk of leaving")
    async def churn(request: Request, body: ChurnRequest) -> Response:
        """Return how likely each customer is to leave, and why."""
        return await _lanes(request).run(
            _lane(body), _written, answers.churn, scorer_of(request), body
        )

    @posts.post("/offers", response_model=OffersResponse, summary="Rank offers")
    async def offers(request: Request, body: OffersRequest) -> Response:
        """Rank the offers worth making to a customer now, and say what is held back."""
        given = (_written, answers.offers, scorer_of(request), body)
        return await _lanes(request).run("offers", *given)

    api.include_router(posts)

    @api.get("/customers/{customer_id}", summary="See a customer")
    async def customer(
        request: Request,
        customer_id: CustomerId,
        timeline: Annotated[int, Query(ge=0, le=10_000, description=TIMELINE)] = 50,
        offers: Annotated[int, Query(ge=1, le=100, description=OFFERS)] = 3,
        reasons: Annotated[int, Query(ge=0, le=20, description=REASONS)] = 3,
    ) -> CustomerResponse:
        """Return all that is known of a customer: timeline, signals in words, risk, offers."""
        how = (timeline, offers, reasons)
        return await run_in_threadpool(view_answers.customer, scorer_of(request), customer_id, *how)

    @api.delete("/customers/{customer_id}", summary="Erase a customer")
    async def erase(request: Request, customer_id: CustomerId) -> ErasedResponse:
        """Erase all that is held of a customer, for good: nothing of them is recorded again."""
        return await run_in_threadpool(view_answers.erase, scorer_of(request), customer_id)

    @api.get("/customers/{customer_id}/export", summary="Export a customer")
    async def export(request: Request, customer_id: CustomerId) -> ExportResponse:
        """Return all that is held of a customer, under every name."""
        return await run_in_threadpool(view_answers.export, scorer_of(request), customer_id)

    @api.get("/models", summary="See the models")
    async def models(request: Request) -> ModelsResponse:
        """Return the models that answer now."""
        return answers.models(scorer_of(request))

    @api.api_route(
        "/{path:path}", methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False
    )
    async def nothing(request: Request, path: str) -> None:
        if path in REQUESTS:
            raise HTTPException(405, "Method Not Allowed", {"Allow": "POST"})
        for pattern, allowed in GETS.items():
            if re.fullmatch(pattern, path):
                raise HTTPException(405, "Method Not Allowed", {"Allow": allowed})
        raise HTTPException(404, "Not Found")

    def openapi() -> dict[str, Any]:
        if not api.openapi_schema:
            document = FastAPI.openapi(api)
            schema = InteractionIn.model_json_schema(ref_template="#/components/schemas/{model}")
            document["components"]["schemas"]["InteractionIn"] = schema
            complete(document)
            api.openapi_schema = document
        return api.openapi_schema or {}

    api.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend it
    return api


def tell_errors(app: Starlette) -> None:
    """Have an application answer errors in the API's form."""
    app.add_exception_handler(RapportError, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(SQLAlchemyError, _store_error)
    app.add_exception_handler(Exception, _broken)


def _written(answer: Callable[[Scorer, Q], BaseModel], scorer: Scorer, body: Q) -> Response:
    """Answer, and write the answer down at once: it was checked when it was made."""
    told = counted(answer, scorer, body).model_dump_json()
    return Response(told, media_type="application/json")


def _lane(body: ChurnRequest) -> Lane:
    given = body.histories or []
    few = sum(len(each.interactions) for each in given) <= FEW
    return "short" if few and len(body.customers or given) <= SHORT else "long"


def _lanes(request: Request) -> Lanes:
    state = request.app.state
    if not hasattr(state, "lanes"):
        state.lanes = Lanes(scorer_of(request).store.embedded)
    lanes: Lanes = state.lanes
    return lanes


def scorer_of(request: Request) -> Scorer:
    """Return the scorer that serves now.

    Raises:
        HTTPException: 503, there is none yet.
    """
    live: LiveScorer | None = getattr(request.app.state, "live", None)
    scorer: Scorer | None = live.scorer if live else getattr(request.app.state, "scorer", None)
    if scorer is None:
        raise HTTPException(503, "the models are not loaded yet")
    return scorer


def _problem(
    status: int,
    subject: str,
    got: str,
    wanted: str,
    remedy: str,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    error = {"subject": subject, "got": got, "wanted": wanted, "remedy": remedy}
    return JSONResponse({"error": error}, status, headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # what it is registered for
    model = REQUESTS.get(request.url.path.rsplit("/", 1)[-1], ChurnRequest)
    return _problem(422, *answers.told(error.errors(), model))


async def _document(request: Request) -> Response:
    # What FastAPI's own page loads from a public host BentoML serves from its package.
    return get_swagger_ui_html(
        openapi_url=f"{request.scope['root_path']}/openapi.json",
        title="Rapport: the API",
        swagger_js_url=f"{OPEN_FOLDER}swagger-ui-bundle.js",
        swagger_css_url=f"{OPEN_FOLDER}swagger-ui.css",
        swagger_favicon_url="/icon.svg",
    )


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RapportError)  # what it is registered for
    return _problem(422, error.subject, str(error.got), error.wanted, error.remedy)


async def _too_deep(request: Request, error: Exception) -> JSONResponse:
    return _problem(400, "body", "JSON that is nested too deeply", "a flat body", answers.FORMS)


async def _broken(request: Request, error: Exception) -> JSONResponse:
    # What is raised here is logged with its traceback by the server, beside the request's id.
    remedy = "Tell who runs the service: its log says more, by the X-Request-Id of this answer."
    return _problem(500, "service", "an error of its own", "an answer", remedy)


async def _store_error(request: Request, error: Exception) -> JSONResponse:
    LOGGER.error("the store failed: %s", type(error.__cause__ or error).__name__)
    return _problem(
        503,
        "store",
        "no answer",
        "a database that answers",
        "Try again shortly.",
        {"Retry-After": "1"},
    )


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # what it is registered for
    if error.status_code == 503:
        return _problem(503, "service", str(error.detail), "loaded models", "Try again shortly.")
    if error.status_code == 400:
        return _problem(400, "body", "bytes that cannot be read", "JSON in UTF-8", "Mend the body.")
    got = f"{request.method} {request.url.path}: {error.detail}"
    wanted, remedy = "a request of this API", "It is described at /v1/docs."
    return _problem(error.status_code, "request", got, wanted, remedy, error.headers)
