"""What the engine costs, beside Polars, DuckDB, pandas and featuretools on the same cores.

Run it with ``make bench-engine``, or smaller: ``python -m tests.benchmarks.engine
--interactions 1_000_000``. Contestants compute the same signals, each in a process and with an
environment of its own; before a time is told, what they found is compared.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import environments, sections
from tests.benchmarks.race import THREADS
from tests.benchmarks.report import Report, show

SECTIONS = {
    "windows": sections.windows,
    "instants": sections.instants,
    "featuretools": sections.featuretools,
    "online": sections.online,
    "first-row": sections.first_row,
    "scaling": sections.scaling,
}
RESULTS = environments.HERE / "results.md"


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.engine", description=__doc__)
    parser.add_argument("--interactions", type=int, default=10_000_000, help="size of all of it")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--on-disk", action="store_true", help="all write their rows to a file")
    parser.add_argument("--skip-duckdb-filter", action="store_true", help="leave out the slowest")
    parser.add_argument("--write", nargs="?", type=Path, const=RESULTS, help="write Markdown too")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.only.split(",")) - set(SECTIONS)):
        parser.error(f"--only: {', '.join(unknown)} unknown; known: {', '.join(SECTIONS)}")
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    data = environments.BENCH / "data"
    data.mkdir(parents=True, exist_ok=True)
    report = Report(f"The engine at {chosen.interactions:,} interactions")
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        setting = sections.Setting(
            interactions=chosen.interactions,
            data=data,
            scratch=Path(scratch),
            report=report,
            on_disk=chosen.on_disk,
            duckdb_filter=not chosen.skip_duckdb_filter,
        )
        for name in chosen.only.split(","):
            SECTIONS[name](setting)
    if chosen.write:
        chosen.write.write_text(report.markdown(), encoding="utf-8")
        show(f"\nwritten to {chosen.write}")


if __name__ == "__main__":
    main()
