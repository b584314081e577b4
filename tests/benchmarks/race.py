"""One run of a contestant in a process of its own, and whether two found the same."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.declaration import Signal
from tests.benchmarks.catalogue import Step, role_codes
from tests.benchmarks.environments import ROOT

THREADS = 2
RUNS, SHORT = 3, 60.0
"""How often a contestant runs, if it takes no more than so many seconds."""
TOUCHED = 6_000_000_000
"""Bytes: more than any contestant was seen to need."""
PEERS = "tests.benchmarks.peers"
RELATIVE = 1e-9


@dataclass(frozen=True, slots=True)
class Race:
    """What every contestant gets: the signals, the interactions and the rows.

    ``history`` is a folder of Parquet files; ``sample`` holds the rows that are compared;
    ``output`` is where the result is written (else it is kept in memory).
    """

    signals: tuple[Signal, ...]
    history: Path
    spine: Path
    sample: Path
    output: Path | None = None
    instants: tuple[int, ...] = ()

    @property
    def files(self) -> str:
        """The glob of the interactions' files."""
        return str(self.history / "*.parquet")

    def task(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "declarations": [signal.to_dict() for signal in self.signals],
            "steps": [Step.of(signal).plain() for signal in self.signals],
            "roles": role_codes(),
            "spine": str(self.spine),
            "sample": str(self.sample),
            "output": str(self.output) if self.output else None,
            "instants": list(self.instants),
            "threads": THREADS,
        }


@dataclass(frozen=True, slots=True)
class Finish:
    """What a contestant took and found: seconds, peak of 10**9 bytes, the sampled rows."""

    seconds: float
    gigabytes: float
    notes: tuple[str, ...]
    found: pa.Table


def ours(race: Race) -> Finish:
    """Run Rapport."""
    history = {"history": str(race.history)}
    return run(Path(sys.executable), "tests.benchmarks.ours", race, history)


def run(
    interpreter: Path, module: str, race: Race, more: Mapping[str, Any] | None = None
) -> Finish:
    """Run a module on a race's task with as many threads as every other gets.

    The fastest of three runs, each in a process of its own, stands for each contestant: what
    else the machine does only ever adds. One that takes minutes runs once.
    """
    found = [_once(interpreter, module, race, more)]
    while len(found) < RUNS and found[0].seconds < SHORT:
        found.append(_once(interpreter, module, race, more))
    return min(found, key=lambda finish: finish.seconds)


def _once(interpreter: Path, module: str, race: Race, more: Mapping[str, Any] | None) -> Finish:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        task = {"history": race.files, **race.task(), **(more or {})}
        task |= {"found": str(folder / "found"), "figures": str(folder / "figures")}
        (folder / "task").write_text(json.dumps(task), encoding="utf-8")
        threads = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(threads, str(THREADS))}
        _touch_memory()
        command = [str(interpreter), "-W", "ignore", "-m", module, str(folder / "task")]
        ended = subprocess.run(command, cwd=ROOT, env=environment)
        if ended.returncode:
            raise SystemExit(f"{module} ended with {ended.returncode}: see above")
        figures = json.loads((folder / "figures").read_text(encoding="utf-8"))
        found = pq.read_table(folder / "found")
    return Finish(figures["seconds"], figures["gigabytes"], tuple(figures["notes"]), found)


def _touch_memory() -> None:
    """Touch as much memory as a contestant may use, in a process that ends.

    A virtual machine gets a page from its host when it is first touched, which takes longer than
    most that is done with it: whoever runs first must not pay for all.
    """
    touch = f"import numpy; numpy.empty({TOUCHED}, dtype=numpy.uint8)[::4096] = 1"
    subprocess.run([sys.executable, "-c", touch], check=True)


def write_sample(spine: Path, size: int = 20_000) -> Path:
    """Write the rows to compare: some at random, and those of the busiest customers."""
    rows = pq.read_table(spine)
    rng = np.random.default_rng(3)
    chosen = rng.choice(len(rows), min(size, len(rows)), replace=False)
    busy = np.array(pa.compute.less(rows["customer_id"], "c00000040"))
    path = spine.with_name(f"{spine.stem}-compared.parquet")
    pq.write_table(rows.take(np.union1d(chosen, np.flatnonzero(busy)[:400])), path)
    return path


def disagreement(
    signals: Sequence[Signal], ours: pa.Table, theirs: pa.Table, slack: float = 0.0
) -> str | None:
    """Return where two results differ, ``None`` when they agree.

    Counts must be equal; other numbers agree within 1e-9 of their size; a row that the other left
    out has no past: its counts and sums are 0 and the rest is missing.

    Args:
        signals: what was computed.
        ours: the rows of Rapport, with a column ``row``.
        theirs: the same rows of another.
        slack: an absolute difference that is allowed too, where the other one subtracts.
    """
    ours, theirs = ours.sort_by("row"), theirs.sort_by("row")
    if not ours["row"].equals(theirs["row"]):
        return "they hold different rows"
    for signal in signals:
        a, b = (_numbers(t[signal.name]) for t in (ours, theirs))
        if signal.measure in ("count", "sum"):
            b = np.nan_to_num(b)
        relative = 0.0 if signal.measure == "count" else RELATIVE
        near = np.isclose(a, b, rtol=relative, atol=slack, equal_nan=True)
        if not near.all():
            at = int(np.flatnonzero(~near)[0])
            row = ours["row"][at].as_py()
            return f"{signal.name} of row {row}: {float(a[at])!r} against {float(b[at])!r}"
    return None


def _numbers(column: pa.ChunkedArray) -> Any:
    return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
