"""The BentoML service: ``bentoml serve serving.service:Rapport``."""

# ruff: noqa: E402 -- what is left out must be so before anything else asks for it
from serving import lean

lean.load()

import gc
import os
from collections.abc import Callable
from typing import Any

import bentoml
from bentoml._internal.server.http.traffic import TimeoutMiddleware
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from features.errors import RapportError
from features.settings import read_settings
from serving import answers, logs
from serving.api import create_api
from serving.keys import Guard
from serving.limits import Bounds, Limits
from serving.live import LiveScorer, Served
from serving.loading import open_store
from serving.metrics import Exposition, counted, observe_models
from serving.pages.app import create_pages
from serving.pages.face import Face, Pages
from serving.pages.templates import warm_up
from serving.pages.worklist import Worklist
from serving.probe import Pulse
from serving.schemas import ChurnRequest, OffersRequest
from serving.scorer import Scorer
from serving.settings import serving_of

GARBAGE = 10_000
"""Objects after which garbage is looked for: one history is more than Python's own 700."""
# A span is made of every request, which costs a sixth of it, and thrown away unless BentoML's own
# configuration says where to send it.
CONFIGURED = {"BENTOML_CONFIG", "BENTOML_CONFIG_OPTIONS"} & os.environ.keys()
api, pages = create_api(), create_pages()


@bentoml.service(
    name="rapport",
    workers=int(os.environ.get("RAPPORT_WORKERS", "1")),
    logging={"access": {"enabled": False}},
    tracing={} if CONFIGURED else {"excluded_urls": "/"},
    metrics={"enabled": False},  # BentoML's have the path in a label, and a path may name somebody
)
@bentoml.asgi_app(api, path="/v1")
class Rapport:
    """Churn risk and offers worth making, from stored interaction histories, with reasons."""

    def __init__(self) -> None:
        logs.configure()
        settings = read_settings(os.environ.get("RAPPORT_SETTINGS", "rapport.toml"))
        serving = serving_of(settings)
        api.state.bounds = Bounds(serving.most_requests, serving.timeout)
        self.store = open_store(settings)
        self.versions: dict[str, str] = {}
        self.worklist = Worklist(lambda: self.live.scorer)
        self.live = LiveScorer(settings, self.store, self._swapped)
        self._swapped(self.live.served)
        self.pulse = Pulse(self.store)
        self.pulse.ask()
        api.state.live, api.state.pulse = self.live, self.pulse
        pages.state.live, pages.state.worklist = self.live, self.worklist
        pages.state.project = settings.project.name
        warm_up()
        self.live.start(serving.models_every)
        self.pulse.start()
        self.worklist.start()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Let go of the registry and the store, when every request is answered."""
        self.worklist.close()
        self.live.close()
        self.pulse.close()
        self.store.close()

    @bentoml.api
    async def churn(
        self, ctx: bentoml.Context, customers: list[str], reasons: int = 3
    ) -> dict[str, Any]:
        """Return how likely each customer is to leave, and why."""
        fields = {"customers": customers, "reasons": reasons}
        return await _answer(ctx, answers.churn, self.live.scorer, ChurnRequest, fields)

    @bentoml.api
    async def offers(
        self,
        ctx: bentoml.Context,
        customer_id: str,
        channel: str | None = None,
        limit: int = 3,
        reasons: int = 2,
    ) -> dict[str, Any]:
        """Rank the offers worth making to a customer now, and say what is held back."""
        fields = {
            "customer_id": customer_id,
            "channel": channel,
            "limit": limit,
            "reasons": reasons,
        }
        return await _answer(ctx, answers.offers, self.live.scorer, OffersRequest, fields)

    def _swapped(self, served: Served) -> None:
        versions = {version.name: version.version for version in served.versions.values()}
        observe_models(versions, self.versions)
        self.versions = versions
        self.worklist.renew()
        gc.collect()
        gc.set_threshold(GARBAGE)
        gc.freeze()  # what was loaded stays: the collector need not walk it again


async def _answer(
    ctx: bentoml.Context,
    answer: Callable[[Scorer, Any], BaseModel],
    scorer: Scorer,
    form: type[BaseModel],
    fields: dict[str, Any],
) -> dict[str, Any]:
    """Answer what BentoML let through, off the event loop; tell what is wrong as ``/v1`` does."""
    try:
        response = await run_in_threadpool(counted, answer, scorer, form(**fields))
    except ValidationError as error:
        problem = answers.told(error.errors(), form)
    except RapportError as error:
        problem = (error.subject, str(error.got), error.wanted, error.remedy)
    else:
        return response.model_dump()
    ctx.response.status_code = 422
    return {"error": dict(zip(("subject", "got", "wanted", "remedy"), problem, strict=True))}


service: Any = Rapport  # what the decorator made of it
# The first is the outermost: what a guard or a limit refuses is logged and counted, too.
service.add_asgi_middleware(logs.RequestLog)
service.add_asgi_middleware(Face)
service.add_asgi_middleware(Guard)
service.add_asgi_middleware(Exposition)
service.add_asgi_middleware(Limits, bounds=lambda: getattr(api.state, "bounds", Bounds()))
service.add_asgi_middleware(Pages, pages=pages)


async def _pass_on(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
    await self.app(scope, receive, send)


# BentoML's timer outlives its request by a minute: at hundreds of requests a second that is tens of
# thousands of timers to hold and to walk. Ours is around every request already, and ends with it.
TimeoutMiddleware.__call__ = _pass_on
