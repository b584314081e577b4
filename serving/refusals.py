"""Refusals: errors in the API's form, sent by what stands around the API."""

import json
from collections.abc import Mapping

from starlette.types import Send

Headers = list[tuple[bytes, bytes]]


async def refuse(
    send: Send,
    status: int,
    subject: str,
    got: str,
    wanted: str,
    remedy: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer a request with an error: what it is about, what came, what should, what to do."""
    error = {"subject": subject, "got": got, "wanted": wanted, "remedy": remedy}
    body = json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":")).encode()
    own: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    own += [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body})
