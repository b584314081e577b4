"""Bodies: what a request sends, read and checked outside of FastAPI's own way.

A large one is read in a thread: meanwhile others are answered, above all whether the service lives.
"""

import json
import re
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

MOST = sys.int_info.default_max_str_digits
LARGE = 20_000
"""Bytes of a body whose reading takes longer than to begin a thread."""


class BodyRoute(APIRoute):
    """A route whose endpoint takes the request and a ``body``, and returns a response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request; FastAPI documents it as any other."""
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint
        form: type[BaseModel] = get_type_hints(endpoint)["body"]

        async def answer(request: Request) -> Response:
            raw, kind = await request.body(), request.headers.get("content-type", "")
            if len(raw) < LARGE:
                body = read_body(raw, kind, form)
            else:
                body = await run_in_threadpool(read_body, raw, kind, form)
            return await endpoint(request, body)

        return answer


def read_body(raw: bytes, content_type: str, form: type[BaseModel]) -> BaseModel:
    """Return a checked body.

    Args:
        raw: as it was sent.
        content_type: what it is said to be.
        form: what it should be.

    Raises:
        RequestValidationError: it is none.
        HTTPException: 400, its bytes are no text or its numbers cannot be read.
    """
    if not raw:
        raise RequestValidationError([{"type": "missing", "loc": (), "msg": "", "input": None}])
    try:
        return form.model_validate(
            _parsed(raw) if _is_json(content_type) else raw, from_attributes=True
        )
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
    except json.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": (error.pos,), "ctx": {"error": error.msg}}
        raise RequestValidationError([wrong]) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "a body that cannot be read") from error


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except json.JSONDecodeError:
        raise
    except ValueError:  # perhaps of a number of more digits than Python reads: that one is wrong
        return json.loads(
            raw, parse_int=lambda digits: digits if len(digits) > MOST else int(digits)
        )


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return re.fullmatch(r"application/([^/]+\+)?json", kind) is not None
