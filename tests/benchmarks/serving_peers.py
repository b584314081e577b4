"""The service's peers: a bare Starlette app over the same scorer, and MLflow's own server.

``uvicorn tests.benchmarks.serving_peers:bare --factory`` serves ``RAPPORT_SETTINGS``.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from features.online import evaluate
from features.settings import read_settings
from serving.loading import load_scorer, open_store
from serving.scorer import Scorer
from tests.benchmarks.environments import ROOT
from tests.benchmarks.serving_deployment import Deployment
from tests.servers import Server, free_port, started
from training.registry import MODEL_NAMES


def bare() -> Starlette:
    """Return an application that scores and answers, and does nothing else."""
    settings = read_settings(os.environ["RAPPORT_SETTINGS"])
    scorer = load_scorer(settings, open_store(settings))

    async def churn(request: Request) -> Response:
        asked = await request.json()
        scored = await run_in_threadpool(_scored, scorer, asked["customers"], asked["reasons"])
        return Response(scored, media_type="application/json")

    async def ready(request: Request) -> Response:
        return JSONResponse({})

    return Starlette(routes=[Route("/churn", churn, methods=["POST"]), Route("/readyz", ready)])


def _scored(scorer: Scorer, customers: list[str], n_reasons: int) -> str:
    as_of, scores = scorer.churn(customers, n_reasons)
    return json.dumps({"as_of": as_of, "scores": [asdict(score) for score in scores]})


@contextmanager
def starlette(deployment: Deployment) -> Iterator[Server]:
    """Serve the bare application by uvicorn, one worker, no access log."""
    port = free_port()
    app = ["tests.benchmarks.serving_peers:bare", "--factory", "--no-access-log"]
    command = [sys.executable, "-m", "uvicorn", *app, "--port", str(port)]
    with started(command, port, ROOT, **deployment.environment) as server:
        yield server


@contextmanager
def mlflow(deployment: Deployment) -> Iterator[Server]:
    """Serve the registered churn model by ``mlflow models serve``, one worker."""
    port, uri = free_port(), f"models:/{MODEL_NAMES['churn']}@champion"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", uri]
    command += ["--port", str(port), "--env-manager", "local"]
    more = {"PYTHONPATH": str(ROOT), **deployment.environment}
    with started(command, port, ROOT, "/ping", **more) as server:
        yield server


def rows(deployment: Deployment, customers: list[str]) -> list[str]:
    """Return bodies for MLflow's server: the signals of each customer, computed beforehand."""
    with open_store(deployment.settings) as store:
        scorer = load_scorer(deployment.settings, store)
        as_of, plan = store.as_of(), scorer.churn_model.bundle.plan
        bodies = []
        for history, attributes in store.histories(customers).values():
            row = evaluate(plan, history, as_of, attributes).row(0)
            values = [None if value != value else value for value in row]
            frame = {"columns": plan.names, "data": [values]}
            bodies.append(json.dumps({"dataframe_split": frame}))
    return bodies
