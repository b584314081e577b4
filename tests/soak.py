"""A long run under load: nothing is refused, nothing is lost, memory stays flat, models swap.

``python -m tests.soak`` serves a copy of the deployment, scores at a share of what it can do,
records, decides offers, and has another model take over every minute.
"""

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import sqlalchemy as sa

from features.settings import read_settings
from serving.settings import store_url
from tests.benchmarks.environments import ROOT
from tests.benchmarks.load import Answers, Load, ask
from tests.benchmarks.report import Line, Report, show
from tests.benchmarks.serving_deployment import Deployment, batches, deployed
from tests.registries import crown, register
from tests.servers import Server, running
from training import registry
from training.registry import tracking_uri

SHARE = 0.7
BUSY, CUSTOMERS = 8, 50
BATCH, BATCHES_A_SECOND, DECISIONS_A_SECOND = 100, 2.0, 2.0
PEAK_SECONDS, SWAP_SECONDS, LOOK_SECONDS = 15.0, 60.0, 2.0
FLAT = 0.05


@dataclass(slots=True)
class Watch:
    """What was seen of the server: its memory (bytes) over time, and the versions that served."""

    memory: list[float] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    def look(self, server: Server, end: threading.Event) -> None:
        """Look every few seconds until the end."""
        top = psutil.Process(server.process.pid)
        while not end.wait(LOOK_SECONDS):
            family = [top, *top.children(recursive=True)]
            self.memory.append(float(sum(process.memory_info().rss for process in family)))
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v1/models") as answer:
                version = str(json.load(answer)["models"][0]["version"])
            if self.versions[-1:] != [version]:
                self.versions.append(version)

    def growth(self) -> float:
        """Return by what share memory grew, from the second fifth of the time to the last."""
        fifths = np.array_split(np.array(self.memory), 5)
        return float(np.median(fifths[-1]) / np.median(fifths[1]) - 1.0)


def soak(deployment: Deployment, seconds: float, report: Report) -> bool:
    """Run a deployment for so long, tell what came of it, and return whether all is well."""
    settings = deployment.settings
    version = registry.find(settings, "churn", "champion")
    if version is None:
        raise SystemExit("error: no churn model is trained; run `make train`")
    source = f"models:/{registry.MODEL_NAMES['churn']}/{version.version}"
    versions = [register(settings, "churn", source), str(version.version)]
    names = deployment.near(100, CUSTOMERS)
    scores = [json.dumps({"customers": [name], "reasons": 3}) for name in names]
    decisions = [json.dumps({"customer_id": name, "reserve": False}) for name in names]
    new = [f"soak-{n}" for n in range(1_000)]
    bodies = batches("soak", new, BATCH, int(seconds * BATCHES_A_SECOND))
    with _serving(deployment) as server:
        peak = ask(Load(server.port, "/v1/churn", scores, BUSY, PEAK_SECONDS, 2)).rate
        rate = SHARE * peak
        loads = {
            "score": Load(server.port, "/v1/churn", scores, BUSY, seconds, rate=rate),
            "record": Load(server.port, "/v1/interactions", bodies, rate=BATCHES_A_SECOND),
            "decide": Load(server.port, "/v1/offers", decisions, 1, seconds, 0, DECISIONS_A_SECOND),
        }
        show(f"\nat most {peak:,.0f} scores/s; {rate:,.0f}/s for {seconds / 60:g} minutes")
        answers, watch = _under(server, loads, deployment, versions, seconds)
    errors = sorted(set(loads) - set(answers))
    kept, different = _kept(deployment)
    sent = len(bodies) * BATCH
    swaps, growth = len(watch.versions) - 1, watch.growth()
    for name, each in answers.items():
        p50, p99, p999 = each.percentiles()
        told = f"{len(each.milliseconds):,} answers, {each.rate:,.1f}/s"
        note = f"p50 {p50:.1f}, p99 {p99:.1f}, p99.9 {p999:.1f} ms"
        report.add(Line(name, told, "all of success", note))
    report.add(Line("loads that met an error", ", ".join(errors) or "none", "none"))
    report.add(Line("interactions kept", f"{kept:,}", f"{sent:,}", f"{different:,} different"))
    report.add(Line("swaps of the model", str(swaps), f"{int(seconds // SWAP_SECONDS)}"))
    note = f"{watch.memory[0] / 1e6:,.0f} MB at first, {watch.memory[-1] / 1e6:,.0f} MB in the end"
    report.add(Line("growth of memory", f"{growth:+.1%}", f"at most {FLAT:.0%}", note))
    enough = swaps >= int(seconds // SWAP_SECONDS) - 1
    return not errors and kept == different == sent and enough and growth <= FLAT


def _under(
    server: Server,
    loads: dict[str, Load],
    deployment: Deployment,
    versions: Sequence[str],
    seconds: float,
) -> tuple[dict[str, Answers], Watch]:
    """Ask all at once while models swap; return the answers of the loads that met no error."""
    answers: dict[str, Answers] = {}

    def asked(name: str) -> None:
        try:
            answers[name] = ask(loads[name])
        except RuntimeError as error:
            show(f"{name}: {error}")

    end, watch = threading.Event(), Watch()
    asking = [threading.Thread(target=asked, args=(name,)) for name in loads]
    looking = threading.Thread(target=watch.look, args=(server, end))
    for thread in (*asking, looking):
        thread.start()
    began = time.monotonic()
    for turn in range(1, int(seconds // SWAP_SECONDS) + 1):
        time.sleep(max(0.0, began + (turn - 0.5) * SWAP_SECONDS - time.monotonic()))
        crown(deployment.settings, "churn", versions[turn % 2])
    for thread in asking:
        thread.join()
    end.set()
    looking.join()
    return answers, watch


def _kept(deployment: Deployment) -> tuple[int, int]:
    """Return how many of the recorded interactions the store has, and how many ids."""
    engine = sa.create_engine(store_url(deployment.settings))
    query = (
        "SELECT count(*), count(DISTINCT interaction_id) FROM interactions "
        "WHERE interaction_id LIKE 'soak-%'"
    )
    with engine.connect() as connection:
        kept, different = connection.execute(sa.text(query)).one()
    engine.dispose()
    return int(kept), int(different)


def _serving(deployment: Deployment) -> AbstractContextManager[Server]:
    return running(deployment.path, **deployment.environment)


def _copied(settings_path: Path, folder: Path) -> None:
    """Have a copy of the registry stand in for it: its champion changes every minute."""
    uri = tracking_uri(read_settings(settings_path))
    if not uri.startswith("sqlite:///"):
        raise SystemExit(f"error: registry {uri}: a SQLite file is wanted, of which to take a copy")
    shutil.copy(uri.removeprefix("sqlite:///"), folder / "mlflow.db")
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"


def main() -> None:
    """Soak, and end with 1 unless all was well."""
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--settings", type=Path, default=ROOT / "rapport.toml")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--write", type=Path, help="write Markdown too")
    chosen: Any = parser.parse_args()
    report = Report("Soak", {})
    report.section(f"{chosen.minutes:g} minutes at {SHARE:.0%} of the peak")
    with tempfile.TemporaryDirectory() as scratch:
        _copied(chosen.settings, Path(scratch))
        with deployed(chosen.settings) as deployment:
            well = soak(deployment, 60 * chosen.minutes, report)
    if chosen.write:
        chosen.write.write_text(report.markdown(), encoding="utf-8")
    if not well:
        raise SystemExit("error: not all was well")


if __name__ == "__main__":
    main()
