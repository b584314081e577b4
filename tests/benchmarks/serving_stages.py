"""Where the time of one answer goes: each stage alone, in this process, by the processor's clock.

The processor's clock does not count what others take from this process, so that a busy machine
tells nearly the same as one at rest.
"""

import asyncio
import io
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from starlette.types import ASGIApp, Message, Scope

from features.online import encode, run
from serving import answers
from serving.api import create_api
from serving.keys import Guard, Keys
from serving.limits import Limits
from serving.logs import Lines, RequestLog
from serving.metrics import Exposition, counted
from serving.schemas import ChurnRequest
from serving.scorer import Scorer
from training.reasons import reasons_of

CALLS, WARM = 400, 50
REASONS = 3
FORM, WHOLE = "and FastAPI, in a thread", "and the log, keys, metrics and limits"


def stages(scorer: Scorer, customers: Sequence[str]) -> dict[str, float]:
    """Return the processor's milliseconds of each stage of ``POST /v1/churn``, median.

    Args:
        scorer: what answers.
        customers: whom to score in turn.
    """
    store, bundle = scorer.store, scorer.churn_model.bundle
    as_of, plan = store.as_of(), bundle.plan
    found = store.histories(customers)
    histories = [found[name] for name in customers]
    encoded = [encode(plan, items, as_of, facts) for items, facts in histories]
    values = [run(plan, each) for each in encoded]
    rows = [bundle.encode(each) for each in values]
    effects = [bundle.explain(row).effects for row in rows]
    asked = [ChurnRequest(customers=[name], reasons=REASONS) for name in customers]
    words = (bundle.meanings, scorer.wording)
    calls: dict[str, Callable[[int], object]] = {
        "instant of the score": lambda i: store.as_of(),
        "history from the store": lambda i: store.histories([customers[i]]),
        "history into arrays": lambda i: encode(plan, histories[i][0], as_of, histories[i][1]),
        "signals (the kernel)": lambda i: run(plan, encoded[i]),
        "row for the model": lambda i: bundle.encode(values[i]),
        "exact reasons": lambda i: bundle.explain(rows[i]),
        "reasons in words": lambda i: reasons_of(*words, values[i], effects[i], REASONS),
        "all of the scorer": lambda i: scorer.churn([customers[i]], REASONS),
        "and the answer's form, counted": lambda i: counted(answers.churn, scorer, asked[i]),
    }
    api = create_api()
    api.state.scorer = scorer
    guarded = Guard(Exposition(Limits(api)), Keys({}))
    logged = RequestLog(guarded, Lines(io.StringIO()))
    with asyncio.Runner() as runner:
        apps: dict[str, ASGIApp] = {FORM: api, WHOLE: logged}
        for name, app in apps.items():
            calls[name] = _asking(runner, app, customers)
        return _medians(calls, len(customers))


def _medians(calls: dict[str, Callable[[int], object]], n: int) -> dict[str, float]:
    """Return the median of each, called in turn: what slows the machine slows them all."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for i in range(WARM + CALLS):
        for name, call in calls.items():
            began = time.process_time()
            call(i % n)
            taken[name].append(1e3 * (time.process_time() - began))
    return {name: float(np.median(times[WARM:])) for name, times in taken.items()}


def _asking(
    runner: asyncio.Runner, app: ASGIApp, customers: Sequence[str]
) -> Callable[[int], object]:
    """Return the asking of an application, once each time."""

    async def ask(i: int) -> None:
        body = json.dumps({"customers": [customers[i]], "reasons": REASONS}).encode()
        message: Message = {"type": "http.request", "body": body, "more_body": False}

        async def receive() -> Message:
            return message

        async def send(message: Message) -> None:
            assert message.get("status", 200) == 200, message

        await app(_scope(len(body)), receive, send)

    return lambda i: runner.run(ask(i))


def _scope(length: int) -> Scope:
    headers: list[tuple[bytes, bytes]] = [
        (b"host", b"127.0.0.1:3000"),
        (b"content-type", b"application/json"),
        (b"content-length", str(length).encode()),
    ]
    ends: dict[str, Any] = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 3000)}
    path = {"path": "/churn", "raw_path": b"/churn", "root_path": "", "query_string": b""}
    about = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"}
    return {**about, "method": "POST", **path, "headers": headers, **ends}
