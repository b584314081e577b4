"""What a fit needs beside the matrix of signals: memory by rows, each size in a process of its own.

``python -m tests.benchmarks.memory --rows 1_000_000 5_000_000``; five million take about an hour.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.environments import ROOT
from tests.benchmarks.report import Line, Report
from training.model import Propensity

N_SIGNALS, N_SNAPSHOTS = 200, 28
SIZES = (250_000, 500_000, 1_000_000)
CHUNK = 100_000


@dataclass(frozen=True, slots=True)
class Fit:
    """The bytes of the matrix and of the process at its largest, before and in the fit; seconds."""

    matrix: int
    before: int
    peak: int
    seconds: float


def fit(rows: int) -> Fit:
    """Fit the recipe to as many rows of noise, of which two signals say something."""
    rng = np.random.Generator(np.random.PCG64(rows))
    matrix, label = np.empty((rows, N_SIGNALS)), np.empty(rows, dtype=np.int8)
    for begin in range(0, rows, CHUNK):
        part = matrix[begin : begin + CHUNK]
        rng.standard_normal(out=part)
        label[begin : begin + CHUNK] = part[:, 0] + part[:, 1] + rng.standard_normal(len(part)) > 2
    as_of = np.repeat(np.arange(N_SNAPSHOTS), -(-rows // N_SNAPSHOTS))[:rows]
    before, started = _largest(), time.perf_counter()
    Propensity().fit(matrix, label, as_of=as_of, groups=np.arange(rows) % (rows // 10))
    return Fit(matrix.nbytes, before, _largest(), time.perf_counter() - started)


def _largest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", default=SIZES, type=lambda n: int(n.replace("_", "")))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        found = fit(arguments.one)
        json.dump([found.matrix, found.before, found.peak, found.seconds], sys.stdout)
        return
    report = Report("The memory of a fit")
    report.section(f"{N_SIGNALS} signals, one fit on one processor")
    for rows in arguments.rows:
        report.running(f"{rows:,} rows")
        command = [sys.executable, "-m", "tests.benchmarks.memory", "--one", str(rows)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        found = Fit(*json.loads(done.stdout))
        beside = (found.peak - found.before) / 1e9
        note = f"matrix {found.matrix / 1e9:.2f} GB, {found.seconds:.0f} s"
        report.add(Line(f"{rows:,} rows, beside the matrix", f"{beside:.2f} GB", "", note))


if __name__ == "__main__":
    main()
