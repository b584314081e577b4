"""Whatever the API's own document allows or forbids is answered as the document says."""

import os
import random
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from serving.api import create_api
from serving.keys import Guard, Keys
from serving.limits import Limits
from serving.scorer import Scorer

EXAMPLES = int(os.environ.get("RAPPORT_EXAMPLES", "100"))
KEY = "fuzz-0123456789abcdef"
UNREADY = "GET /health/ready"  # nothing here watches models and store
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CUSTOMERS = tuple(f"{n:04d}" for n in range(0, 260, 13))
ERASABLE = tuple(f"{n:04d}" for n in range(1, 260, 13))
KNOWN: dict[str, tuple[Any, ...]] = {
    "customer_id": CUSTOMERS,
    "kind": ("purchase", "item", "offer_shown", "offer_accepted", "complaint"),
    "occurred_at": ("2024-12-30T12:00:00Z", "2024-02-29", "0001-01-01T00:00:00Z", "1900-01-01"),
    "due_at": ("2024-12-30T12:00:00Z", "9999-12-31T23:59:59Z"),
    "as_of": ("2024-12-30T12:00:00Z", "0001-01-01T00:00:00Z", "1970-01-01"),
    "rating": (0.0, 0.5, 1.0),
    "offers": ([f"o{n}" for n in range(10)], ["o9"], ["o1", "nothing"]),
}


def whole(scorer: Scorer) -> ASGIApp:
    """The API as it is served: behind its keys and limits, under its path."""
    api = create_api()
    api.state.scorer = scorer
    keys = Keys({"admin": (KEY.encode(),)})
    return Guard(Limits(Starlette(routes=[Mount("/v1", api)])), keys)


def aimed(value: Any, dice: random.Random) -> Any:
    """The same, with some of what the shop knows, so that requests reach what answers them."""
    if isinstance(value, list):
        return [aimed(each, dice) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: dice.choice(KNOWN[name])
        if name in KNOWN and dice.random() < 0.8
        else ({} if name == "numbers" and dice.random() < 0.8 else aimed(each, dice))
        for name, each in value.items()
    }


def near(case: Case[Any], dice: random.Random) -> Case[Any]:
    """Return a case with some of what the shop knows in it."""
    known = ERASABLE if case.method == "DELETE" else CUSTOMERS
    there = {"customer_id": dice.choice(known)} if case.path_parameters else {}
    body = aimed(case.body, dice)
    if case.path == "/churn" and isinstance(body, dict):  # it takes one of the two
        body.pop(dice.choice(["customers", "histories"]), None)
        if "histories" not in body:
            body["customers"] = dice.sample(CUSTOMERS, dice.randrange(1, 4))
    parts = {"query": case.query, "body": body, "media_type": case.media_type}
    made: Case[Any] = case.operation.Case(path_parameters=there, **parts)
    return made


def ask(case: Case[Any], seen: Counter[tuple[str, int]]) -> None:
    """Send a case, and hold the answer against the document."""
    answer = case.call(headers={"Authorization": f"Bearer {KEY}"})
    route = f"{case.method} {case.path}"
    seen[route, answer.status_code] += 1
    assert "Traceback" not in answer.text
    assert answer.status_code != 503 or route == UNREADY
    case.validate_response(answer, checks=CHECKS)


def fuzz(
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    n: int,
    seen: Counter[tuple[str, int]],
) -> None:
    """Ask an operation ``2 * n`` times, with what its document allows or with what it forbids."""
    if not operation.body and not any(operation.iter_parameters()):  # there is nothing to vary
        ask(operation.Case(), seen)
        return

    @seed(seen.total())
    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), number=st.integers(0, 2**32))
    def run(case: Case[Any], number: int) -> None:
        ask(case, seen)
        ask(near(case, random.Random(number)), seen)

    run()


@pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(max(5_000, EXAMPLES), marks=pytest.mark.slow)]
)
def test_every_answer_is_one_that_the_document_tells(scorer: Scorer, examples: int) -> None:
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", whole(scorer))
    seen: Counter[tuple[str, int]] = Counter()
    operations = [f.ok() for f in schema.get_all_operations() if isinstance(f, Ok)]
    while seen.total() < examples:
        each = 1 + (examples - seen.total()) // (4 * len(operations))
        for operation in operations:
            for mode in GenerationMode:
                fuzz(operation, mode, each, seen)
    answered = {route for route, status in seen if status == 200}
    assert {*answered, UNREADY} == {each.label for each in operations}
