"""What `make demo` and `make test` cost from a fresh clone: wall time, memory, disk.

Run it with ``make bench``. The clone holds what is committed, its home is empty; the package
cache is the caller's, so that the network is not what is measured.
"""

import json
import os
import re
import shlex
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
PORT = 3917
MINUTES, GIGABYTES = 4.0, 3.0
"""The most that the demo may take."""


@dataclass
class Cost:
    """Seconds by the wall clock and the largest sum of resident memory of all processes."""

    seconds: float = 0.0
    gigabytes: float = 0.0


@contextmanager
def measured(process: subprocess.Popen[str]) -> Iterator[Cost]:
    """Watch a process and its children until the block ends."""
    cost, began, done = Cost(), time.monotonic(), threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            cost.gigabytes = max(cost.gigabytes, _resident(process.pid) / 1e9)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield cost
    finally:
        cost.seconds = time.monotonic() - began
        done.set()
        watcher.join()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        clone, home = Path(scratch) / "rapport", Path(scratch) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        cache = os.environ.get("UV_CACHE_DIR", str(Path("~/.cache/uv").expanduser()))
        dropped = ("MLFLOW_", "RAPPORT_", "VIRTUAL_ENV", "BENTOML_", "MAKE", "MFLAGS")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        environment |= {"HOME": str(home), "UV_CACHE_DIR": cache}
        demo, answer = _demo(clone, environment)
        size = _disk(clone / ".venv")
        test = _test(clone, environment)
    _print(
        "make demo",
        demo,
        f"({demo.seconds / 60 / MINUTES:.2f} of {MINUTES:.0f} minutes, "
        f"{demo.gigabytes / GIGABYTES:.2f} of {GIGABYTES:.0f} GB)",
    )
    _print("make test", test, "(installation of the tools included)")
    _print_line(f"installed environment: {size / 1e9:.2f} GB")
    _print_line(f"first reason: {answer['scores'][0]['reasons'][0]['text']}")


def _demo(
    clone: Path, environment: dict[str, str]
) -> tuple[Cost, dict[str, list[dict[str, list[dict[str, str]]]]]]:
    process = subprocess.Popen(
        ["make", "demo", f"PORT={PORT}"],
        cwd=clone,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    with measured(process) as cost:
        shown = ""
        for line in process.stdout:
            shown += line
            if "initialized" in line:
                break
        else:
            raise SystemExit(shown)
        _wait_ready()
    pasted = re.search(r"^ +(curl .*)$", shown, re.MULTILINE)
    assert pasted, shown
    answer = subprocess.run(shlex.split(pasted[1]), check=True, capture_output=True, text=True)
    parent = psutil.Process(process.pid)
    for child in parent.children(recursive=True):
        child.terminate()
    process.communicate()
    return cost, json.loads(answer.stdout)


def _wait_ready() -> None:
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def _test(clone: Path, environment: dict[str, str]) -> Cost:
    process = subprocess.Popen(
        ["make", "test"],
        cwd=clone,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with measured(process) as cost:
        output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(output)
    return cost


def _resident(pid: int) -> int:
    total = 0
    try:
        parent = psutil.Process(pid)
        for each in [parent, *parent.children(recursive=True)]:
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        return total
    return total


def _disk(folder: Path) -> int:
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


def _print(name: str, cost: Cost, note: str) -> None:
    _print_line(f"{name}: {cost.seconds:.0f} s, at most {cost.gigabytes:.2f} GB resident {note}")


def _print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a benchmark is a program that prints


if __name__ == "__main__":
    main()
