"""The BentoML service: ``bentoml serve serving.service:Rapport``."""

import gc
import os
from collections.abc import Callable
from typing import Any

import bentoml
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from features.errors import RapportError
from features.settings import read_settings
from serving import answers
from serving.api import create_api
from serving.loading import load_scorer, open_store
from serving.schemas import ChurnRequest, OffersRequest
from serving.scorer import Scorer

api = create_api()


@bentoml.service(name="rapport", workers=1, logging={"access": {"enabled": False}})
@bentoml.asgi_app(api, path="/v1")
class Rapport:
    """Churn risk and offers worth making, from stored interaction histories, with reasons."""

    def __init__(self) -> None:
        settings = read_settings(os.environ.get("RAPPORT_SETTINGS", "rapport.toml"))
        self.scorer = load_scorer(settings, open_store(settings))
        api.state.scorer = self.scorer
        gc.collect()
        gc.freeze()  # what was loaded stays: the collector need not walk it again

    @bentoml.api
    async def churn(
        self, ctx: bentoml.Context, customers: list[str], reasons: int = 3
    ) -> dict[str, Any]:
        """Return how likely each customer is to leave, and why."""
        fields = {"customers": customers, "reasons": reasons}
        return await _answer(ctx, answers.churn, self.scorer, ChurnRequest, fields)

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
        return await _answer(ctx, answers.offers, self.scorer, OffersRequest, fields)


async def _answer(
    ctx: bentoml.Context,
    answer: Callable[[Scorer, Any], BaseModel],
    scorer: Scorer,
    form: type[BaseModel],
    fields: dict[str, Any],
) -> dict[str, Any]:
    """Answer what BentoML let through, off the event loop; tell what is wrong as ``/v1`` does."""
    try:
        response = await run_in_threadpool(answer, scorer, form(**fields))
    except ValidationError as error:
        problem = answers.told(error.errors(), form)
    except RapportError as error:
        problem = (error.subject, str(error.got), error.wanted, error.remedy)
    else:
        return response.model_dump()
    ctx.response.status_code = 422
    return {"error": dict(zip(("subject", "got", "wanted", "remedy"), problem, strict=True))}
