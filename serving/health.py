"""Health: whether the service lives, and whether it can answer, from what is known already."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.datastructures import State

from serving.answer_schemas import Answer

Status = Literal["ready", "degraded", "unready"]


class Alive(Answer):
    """The process answers."""

    status: Literal["alive"] = "alive"
    """It does."""


class ServedModel(Answer):
    """A model that serves."""

    name: str = Field(examples=["rapport-churn"])
    """Its name in the registry."""
    version: str = Field(examples=["3"])
    """Its version there."""
    since: str = Field(examples=["2026-01-31T09:30:00+00:00"])
    """Since when it answers."""


class Readiness(Answer):
    """Whether requests can be answered, and what to look after."""

    status: Status = Field(
        description="`degraded`: every request is answered, but something needs to be looked after."
    )
    models: list[ServedModel]
    """Those that answer."""
    store: Literal["answers", "does not answer"]
    """Whether the store does."""
    reasons: list[str] = Field(
        examples=[["the model registry does not answer, or lacks its files"]],
        description="What is wrong, when something is.",
    )


def health_routes() -> APIRouter:
    """Return the routes; they run on the event loop and wait for nothing."""
    router = APIRouter(prefix="/health")

    @router.get("/live")
    async def live() -> Alive:
        """Say that the process lives. No key is needed."""
        return Alive()

    @router.get("/ready", responses={503: {"model": Readiness, "description": "Not ready."}})
    async def ready(request: Request, response: Response) -> Readiness:
        """Say whether requests can be answered, by which models. No key is needed."""
        answer = readiness(request.app.state)
        if answer.status == "unready":
            response.status_code = 503
            response.headers["Retry-After"] = "1"
        return answer

    return router


def readiness(state: State) -> Readiness:
    """Return what is known of the models in ``state.live`` and the store behind ``state.pulse``."""
    live, pulse = getattr(state, "live", None), getattr(state, "pulse", None)
    if live is None or pulse is None:
        reasons = ["the models are not loaded yet"]
        return Readiness(status="unready", models=[], store="does not answer", reasons=reasons)
    served = live.served
    models = [
        ServedModel(
            name=v.name, version=v.version, since=served.since[task].isoformat("T", "seconds")
        )
        for task, v in served.versions.items()
    ]
    reasons = list(live.problems.values())
    if pulse.beats:
        status: Status = "degraded" if reasons else "ready"
        return Readiness(status=status, models=models, store="answers", reasons=reasons)
    reasons.insert(0, "the store does not answer")
    return Readiness(status="unready", models=models, store="does not answer", reasons=reasons)
