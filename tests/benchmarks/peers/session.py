"""What each contestant's process does: read its task, take its time, tell what it found.

Only the standard library at the top: the peers have environments of their own.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Session:
    """One run: its task, and what is told of it."""

    task: dict[str, Any]
    seconds: float = 0.0
    gigabytes: float = 0.0
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, path: str) -> "Session":
        """Return the session of a task's file."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Take the time and the peak of the memory; imports and the comparison lie outside."""
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began
        self.gigabytes = peak_gigabytes()

    def note(self, text: str) -> None:
        """Keep a remark for the report."""
        self.notes.append(text)

    def finish(self, sample: Any) -> None:
        """Hand back the sampled rows (an Arrow table) for comparison, and the figures."""
        import pyarrow.parquet

        pyarrow.parquet.write_table(sample, self.task["found"])
        figures = {"seconds": self.seconds, "gigabytes": self.gigabytes, "notes": self.notes}
        Path(self.task["figures"]).write_text(json.dumps(figures), encoding="utf-8")


def peak_gigabytes() -> float:
    """Return the most memory that this process has held, in units of 10**9 bytes.

    Linux's ``ru_maxrss`` survives ``exec``, so that it may be the parent's: it is the last resort.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
