"""An object store for tests: as much of the interface of S3 as reading and writing files takes."""

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

Objects = dict[str, bytes]
"""By bucket and key, such as ``shop/sales.parquet``."""


class _Answers(BaseHTTPRequestHandler):
    objects: Objects
    parts: dict[str, dict[int, bytes]]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        held = self.objects.get(self._name)
        self._answer(404 if held is None else 200, held or b"")

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" in asked:
            self._answer(200, self._listed(asked.get("prefix", [""])[0]))
            return
        held = self.objects.get(self._name)
        if held is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif wanted := self.headers.get("Range"):
            first, last = wanted.removeprefix("bytes=").split("-")
            self._answer(206, held[int(first) : int(last) + 1])
        else:
            self._answer(200, held)

    def do_PUT(self) -> None:
        body = self._body()
        part = parse_qs(urlsplit(self.path).query).get("partNumber", ["0"])[0]
        self.parts.setdefault(self._name, {})[int(part)] = body
        self._answer(200, b"", {"ETag": '"any"'})

    def do_POST(self) -> None:
        self._body()
        if "uploads" in parse_qs(urlsplit(self.path).query, keep_blank_values=True):
            begun = "InitiateMultipartUploadResult"
            self._answer(200, f"<{begun}><UploadId>1</UploadId></{begun}>".encode())
            return
        parts = self.parts.pop(self._name)
        self.objects[self._name] = b"".join(parts[number] for number in sorted(parts))
        done = "CompleteMultipartUploadResult"
        self._answer(200, f"<{done}><ETag>any</ETag></{done}>".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    @property
    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).strip("/")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length")
        body = _joined(self.rfile) if length is None else self.rfile.read(int(length))
        chunked = "aws-chunked" in self.headers.get("Content-Encoding", "")
        return _joined(io.BytesIO(body)) if chunked else body

    def _listed(self, prefix: str) -> bytes:
        bucket = self._name
        keys = [name.removeprefix(f"{bucket}/") for name in sorted(self.objects)]
        told = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.objects[f'{bucket}/{key}'])}</Size>"
            "<LastModified>2026-11-22T00:00:00.000Z</LastModified></Contents>"
            for key in keys
            if key.startswith(prefix)
        )
        return (
            f"<ListBucketResult><Name>{bucket}</Name><IsTruncated>false</IsTruncated>{told}"
            "</ListBucketResult>"
        ).encode()

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _joined(stream: BinaryIO | io.BufferedIOBase) -> bytes:
    """Read a body that comes in chunks, each after a line with its length, and what trails it."""
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return body


@contextmanager
def serving(objects: Objects) -> Iterator[str]:
    """Serve objects on this machine for as long as the block runs, and give the address."""
    handler = type("Answers", (_Answers,), {"objects": objects, "parts": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def environment(address: str) -> dict[str, str]:
    """Return the variables that say where the store is, and who asks."""
    who = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "any")
    return {"AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1", **who}
