"""What scoring every customer costs: signals, score and three exact reasons, on one machine.

``make train``, then ``python -m tests.benchmarks.scale --customers 1_000_000``: made-up customers
with 100 interactions each, in files in order of time, are scored by the demo's champion. With
``--spark`` they are scored on Spark too, and the rows compared. ``TMPDIR`` needs 70 bytes of disk
for each interaction.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from features.batch import compute
from features.settings import read_settings
from features.sources.reader import read_history
from tests.benchmarks import cost, histories
from tests.benchmarks.environments import BENCH, ROOT
from tests.benchmarks.histories import Size
from tests.benchmarks.report import Line, Report
from training.models import require_model
from training.scoring import scoring_of, spine_of

EACH, EXPLAINED = 100, 2_000
"""Interactions of a customer, and rows of the demo that the peer explains."""
MINUTES, GIGABYTES = 6.0, 4.0
"""The most that a million customers may take."""


def settings_of(interactions: Path) -> Path:
    """Write the settings of made-up interactions for the demo's model, and return the file."""
    known = read_settings(ROOT / "rapport.toml").roles.model_dump()
    known["other"] = sorted({"visit", *known["other"]})
    roles = "\n".join(f"{role} = {list(kinds)}" for role, kinds in known.items())
    path = BENCH / "data" / "scale.toml"
    path.write_text(
        f"""[project]
name = "grocery"
timezone = "America/New_York"
currency = "USD"
[[interactions]]
name = "made_up"
source = "{interactions}/*.parquet"
numbers = {{ items = "rating", discount = "wait_minutes", coupons = "rating" }}
[roles]
{roles}
[churn]
horizon = "28d"
active = "60d"
[tracking]
uri = "sqlite:///{ROOT}/mlflow.db"
""",
        encoding="utf-8",
    )
    return path


def run(settings: Path, out: Path, *more: str) -> tuple[cost.Cost, float]:
    """Score by the command line; return the cost and the processor's seconds."""
    command = [sys.executable, "-m", "training", "score", "--settings", str(settings)]
    used = os.times()
    process = subprocess.Popen([*command, "--out", str(out), *more], cwd=ROOT, text=True)
    with cost.measured(process) as found:
        code = process.wait()
    if code:
        raise SystemExit(code)
    now = os.times()
    took = now.children_user + now.children_system - used.children_user - used.children_system
    return found, took


def explained(report: Report) -> None:
    """Compare what a row's exact reasons take with LightGBM's own contributions alone."""
    settings = read_settings(ROOT / "rapport.toml")
    history, model = read_history(settings), require_model(settings, "churn")
    asked = scoring_of(model, history, settings.roles, history.known_until, 3)
    rows = spine_of(asked.form, asked.customers[:EXPLAINED])
    values = compute(model.bundle.plan, history, rows)
    matrix = model.bundle.encode(values)
    booster = model.bundle.ensemble.booster
    ours = _fastest(lambda: model.bundle.ensemble.contributions(matrix))
    told = _fastest(lambda: asked.form.answerer(values.categories)(rows, values))
    peer = _fastest(lambda: booster.predict(matrix, pred_contrib=True, num_threads=1))
    each = 1e6 / len(rows)
    report.add(Line("LightGBM's pred_contrib, a row", f"{peer * each:.0f} µs"))
    report.add(Line("our contributions", f"{ours * each:.0f} µs", "", f"{peer / ours:.1f} times"))
    report.add(
        Line(
            "score, band, three reasons in words",
            f"{told * each:.0f} µs",
            "",
            f"{peer / told:.1f} times",
        )
    )


def _fastest(call: Callable[[], object]) -> float:
    """Return the processor's seconds of the fastest of five calls."""
    taken = []
    for _ in range(6):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return float(np.min(taken[1:]))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--spark", action="store_true", help="on Spark too, and compare the rows")
    chosen = parser.parse_args()
    data = BENCH / "data"
    data.mkdir(parents=True, exist_ok=True)
    report = Report("Scoring everybody")
    report.section("explaining, one processor")
    explained(report)
    size = Size(chosen.customers * EACH, EACH)
    report.running("made-up interactions")
    settings = settings_of(histories.write(size, data, exported=True))
    report.section(f"{size.customers:,} customers, {size.n:,} interactions")
    share = chosen.customers / 1_000_000
    outs = [data / "scores-here.parquet", data / "scores-spark.parquet"]
    for engine, out in zip(["here", "spark"][: 1 + chosen.spark], outs, strict=False):
        report.running(engine)
        found, processor = run(settings, out, "--engine", engine)
        wanted = f"{MINUTES * share:.2g} min" if share >= 1 else ""
        note = f"at most {found.gigabytes:.2f} GB"
        if engine == "here":  # Java's seconds are not its parent's
            note = f"{processor:.0f} processor seconds, {note}"
        report.add(Line(f"score --engine {engine}", f"{found.seconds:.0f} s", wanted, note))
    if chosen.spark:
        here, spark = (pq.read_table(out).sort_by("customer_id") for out in outs)
        same = "the same" if here.equals(spark.cast(here.schema)) else "others"
        report.add(Line("rows of Spark", same, "the same"))


if __name__ == "__main__":
    main()
