"""Metrics: what Prometheus is told about requests, scores, decisions, models and the store."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.answer_schemas import ChurnResponse, OffersResponse

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SHARES = tuple(step / 20 for step in range(1, 21))
PLACE = "/metrics"
Q = TypeVar("Q")
A = TypeVar("A")


class Scored(Protocol):
    """A customer's risk."""

    @property
    def status(self) -> str: ...
    @property
    def probability(self) -> float: ...


class Held(Protocol):
    """A rule that holds an offer back."""

    @property
    def rule(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Meters:
    """The metrics of this process; those of all workers are added up where they are read."""

    seconds: Histogram
    probability: Histogram
    scores: Counter
    decisions: Counter
    held_back: Counter
    models: Gauge
    problems: Gauge
    lag: Gauge


@cache
def meters() -> Meters:
    """Return the metrics, made when they are first needed: BentoML says then where they live."""
    return Meters(
        Histogram(
            "rapport_request_seconds",
            "Time to answer a request.",
            ["method", "endpoint", "status"],
            buckets=SECONDS,
        ),
        Histogram("rapport_churn_probability", "Risks that were answered.", buckets=SHARES),
        Counter("rapport_scores", "Customers scored, by status.", ["status"]),
        Counter("rapport_decisions", "Offer decisions, by outcome.", ["outcome"]),
        Counter("rapport_offers_held_back", "Offers held back, by rule.", ["rule"]),
        _gauge("rapport_model", "1 for each model version that serves.", ["model", "version"]),
        _gauge("rapport_problems", "What keeps newer models from serving."),
        _gauge("rapport_store_lag_seconds", "Time since the store last moved on."),
    )


def _gauge(name: str, what: str, labels: Iterable[str] = ()) -> Gauge:
    return Gauge(name, what, labels, multiprocess_mode="mostrecent")


def observe_request(method: str, endpoint: str, status: int, seconds: float) -> None:
    """Count a request; ``endpoint`` is a route's template, never a path with somebody's id."""
    meters().seconds.labels(method, endpoint, str(status)).observe(seconds)


def observe_scores(scores: Iterable[Scored]) -> None:
    """Count risks that were answered; an unknown customer has none of their own."""
    kept = meters()
    for score in scores:
        kept.scores.labels(score.status).inc()
        if score.status != "unknown":
            kept.probability.observe(score.probability)


def observe_decision(ranked: int, held_back: Iterable[Held]) -> None:
    """Count a decision of how many offers were ranked, and which rules held others back."""
    kept = meters()
    kept.decisions.labels("offers" if ranked else "nothing").inc()
    for held in held_back:
        kept.held_back.labels(held.rule).inc()


def observe_models(now: Mapping[str, str], before: Mapping[str, str] | None = None) -> None:
    """Say which version of each model serves, and that those before do not any more."""
    gauge = meters().models
    for model, version in (before or {}).items():
        gauge.labels(model, version).set(0)
    for model, version in now.items():
        gauge.labels(model, version).set(1)


def counted(answer: Callable[[Any, Q], A], scorer: object, request: Q) -> A:
    """Answer a request, and count what the answer says."""
    response = answer(scorer, request)
    if isinstance(response, ChurnResponse):
        observe_scores(response.scores)
    elif isinstance(response, OffersResponse):
        held = [rule for offer in response.held_back for rule in offer.rules]
        observe_decision(len(response.ranked), held)
    return response


def exposition() -> bytes:
    """Return all workers' metrics as Prometheus reads them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # theirs
    return generate_latest(registry)


class Exposition:
    """Answers ``GET /metrics`` in front of an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the metrics, or pass on what asks for something else."""
        if scope["type"] != "http" or scope["path"] != PLACE:
            await self._app(scope, receive, send)
            return
        body = await run_in_threadpool(exposition)
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
