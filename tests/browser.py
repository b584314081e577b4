"""A browser for the tests: a headless Chromium, asked over the pipes of its own protocol."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEYS = {"Tab": 9, "Enter": 13}
PATIENCE = 30


class Browser:
    """One tab of a browser, and what it complains of.

    Args:
        read: the descriptor on which it answers.
        write: the descriptor on which it is asked.
    """

    def __init__(self, read: int, write: int) -> None:
        self._in, self._out = os.fdopen(read, "rb", 0), os.fdopen(write, "wb", 0)
        self._asked, self._session, self._rest = 0, "", b""
        self._events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **given: Any) -> Any:
        """Ask for something of the protocol, and return what is answered."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": given}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._asked:
            self._events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self._events.clear()
        told = self.ask("Page.navigate", url=url)
        assert "errorText" not in told, told
        self.wait("Page.loadEventFired")

    def wait(self, event: str) -> None:
        """Wait until something has happened since the last page was opened."""
        while not any(each.get("method") == event for each in self._events):
            self._events.append(self._next())

    def run(self, script: str) -> Any:
        """Return what an expression comes to on the page."""
        told = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def size(self, width: int, height: int = 900, dark: bool = False) -> None:
        """Have a window of that many pixels, of a reader who likes it light or dark."""
        given = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **given)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def press(self, key: str) -> None:
        """Press a key."""
        told: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        if key == "Enter":
            told["text"] = "\r"
        self._events.clear()
        self.ask("Input.dispatchKeyEvent", type="keyDown", **told)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **told)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.ask("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """Return what the browser complained of since the last page was opened."""
        found = []
        for event in self._events:
            if event.get("method") == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
            elif event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                found.append(json.dumps(event["params"]))
        return found

    def picture(self, whole: bool = False) -> bytes:
        """Return what is seen, or the whole page, as a PNG."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        """Let go of the pipes."""
        self._in.close()
        self._out.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = self._in.read(1 << 16)
            assert part, "the browser has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start a browser and end it."""
    browser = shutil.which("chromium")
    assert browser is not None, "install Chromium, as .ci/run does"
    (asked, ask), (answer, answered) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        options.append(f"--user-data-dir={scratch}")
        process = subprocess.Popen(
            # The protocol wants its pipes to be the descriptors 3 and 4.
            ["bash", "-c", f'exec "$@" 3<&{asked} 4>&{answered}', "bash", browser, *options],
            pass_fds=(asked, answered),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(asked)
        os.close(answered)
        opened = Browser(answer, ask)
        try:
            yield opened
        finally:
            opened.close()
            process.terminate()
            process.wait(timeout=PATIENCE)
