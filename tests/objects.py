"""An object store for tests: as much of the interface of S3 as reading and writing files takes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

Objects = dict[str, bytes]
"""By bucket and key, such as ``shop/sales.parquet``."""


class _Answers(BaseHTTPRequestHandler):
    objects: Objects
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
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "aws-chunked":
            size, _, rest = body.partition(b"\r\n")
            body = rest[: int(size.split(b";")[0], 16)]
        self.objects[self._name] = body
        self._answer(200, b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    @property
    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).strip("/")

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

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(objects: Objects) -> Iterator[str]:
    """Serve objects on this machine for as long as the block runs, and give the address."""
    handler = type("Answers", (_Answers,), {"objects": objects})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
