"""The BentoML service: ``bentoml serve serving.service:Rapport``."""

import gc
import os
from typing import Any

import bentoml

from features.settings import read_settings
from serving import answers
from serving.api import create_api
from serving.loading import load_scorer, open_store
from serving.schemas import ChurnRequest, OffersRequest

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
    async def churn(self, customers: list[str], reasons: int = 3) -> dict[str, Any]:
        """Return how likely each customer is to leave, and why."""
        request = ChurnRequest(customers=customers, reasons=reasons)
        return answers.churn(self.scorer, request).model_dump()

    @bentoml.api
    async def offers(
        self, customer_id: str, channel: str | None = None, limit: int = 3, reasons: int = 2
    ) -> dict[str, Any]:
        """Rank the offers worth making to a customer now, and say what is held back."""
        request = OffersRequest(
            customer_id=customer_id, channel=channel, limit=limit, reasons=reasons
        )
        return answers.offers(self.scorer, request).model_dump()
