"""What serving costs over HTTP, beside a bare Starlette app and MLflow's own server.

``python -m tests.benchmarks.serving`` asks the real server, one worker, over a store with the
settings' history in it; the models must be trained. Each section may be asked for alone.
"""

import argparse
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from features.online import evaluate
from serving.loading import load_scorer, open_store
from tests.benchmarks import serving_peers as peers
from tests.benchmarks.environments import ROOT
from tests.benchmarks.load import Answers, Load, ask
from tests.benchmarks.report import Line, Report, show
from tests.benchmarks.serving_deployment import OFFERS, Deployment, batches, deployed
from tests.benchmarks.serving_stages import stages
from tests.processes import environment
from tests.servers import Server, running
from training.ensemble import Ensemble

CUSTOMERS, BUSY = 50, 8
BATCH, BATCHES = 100, 100
MANY, LARGE = "bench-10000", 10_000
CALLS = 500
IMPORT = (
    "import time; t = time.perf_counter(); import serving.service; print(time.perf_counter() - t)"
)
COUNTING = 4.0
"""Seconds that end before the list of those most at risk is counted."""
EQUAL = 1e-9
Float64 = npt.NDArray[np.float64]


class Bench:
    """The measuring of one deployment.

    Args:
        deployment: whose models and store.
        report: where it is told.
        seconds: how long each load lasts.
    """

    def __init__(self, deployment: Deployment, report: Report, seconds: float) -> None:
        self._deployment, self._report, self._seconds = deployment, report, seconds
        self._known = {n: deployment.near(n, CUSTOMERS) for n in (100, 1_000)}

    def start(self) -> None:
        """Measure how long the service takes to be imported, and until its first score."""
        self._report.section("Start, byte code written before")
        written = {"PYTHONDONTWRITEBYTECODE": ""}
        taken = []
        for _ in range(4):
            told = subprocess.check_output(
                [sys.executable, "-c", IMPORT], cwd=ROOT, env=environment(**written), text=True
            )
            taken.append(float(told))
        middle = f"{np.median(taken[1:]):.1f} s"
        self._report.add(Line("import serving.service", middle, "3 s", "median of three"))
        body = _bodies(self._known[100][:1])[0].encode()
        for what in ("first start of a deployment", "a later one"):
            began = time.monotonic()
            with running(self._deployment.path, **self._deployment.environment, **written) as it:
                address = f"http://127.0.0.1:{it.port}/v1/churn"
                asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
                with urllib.request.urlopen(asked) as answer:
                    json.load(answer)
                took = time.monotonic() - began
            self._report.add(Line(f"command to first score, {what}", f"{took:.1f} s", "8 s"))

    def latency(self) -> None:
        """Measure one steady connection, histories of three sizes."""
        self._report.section("POST /v1/churn, one customer, three reasons, one connection")
        with self._serving() as server:
            many = batches("many", [MANY], BATCH, LARGE // BATCH)
            ask(Load(server.port, "/v1/interactions", many))
            for n, names in (*self._known.items(), (LARGE, [MANY])):
                wanted = "p50 3, p99 10, p99.9 30 ms" if n == 100 else "published"
                self._tell(f"about {n:,} interactions", self._churn(server, names), wanted)

    def throughput(self) -> None:
        """Measure eight connections, and the peers in turn."""
        self._report.section(f"Throughput, {BUSY} connections, one worker, 100 interactions")
        names = self._known[100]
        with self._serving() as server:
            ours, cost = self._costly(server, lambda: self._churn(server, names, BUSY))
        self._rate("Rapport", ours, cost, "500/s")
        with peers.starlette(self._deployment) as server:
            body = _bodies(names)
            load = Load(server.port, "/churn", body, BUSY, self._seconds, 1)
            bare, cost = self._costly(server, lambda: ask(load))
        self._rate("bare Starlette, the same scorer", bare, cost)
        with peers.mlflow(self._deployment) as server:
            signals = peers.rows(self._deployment, names)
            load = Load(server.port, "/invocations", signals, BUSY, self._seconds, 1)
            theirs, cost = self._costly(server, lambda: ask(load))
        self._rate("mlflow models serve, no signals, no reasons", theirs, cost)
        for what, peer, least in (("Starlette", bare, 0.5), ("MLflow", theirs, 8)):
            ratio = ours.rate / peer.rate
            self._report.add(Line(f"Rapport : {what}", f"{ratio:.2f}", f"at least {least}"))

    def offers(self) -> None:
        """Measure the ranking of fifty offers; each decision is logged durably."""
        self._report.section(f"POST /v1/offers, one customer, {OFFERS} candidates, one connection")
        with self._serving() as server:
            bodies = [
                json.dumps({"customer_id": name, "reserve": False}) for name in self._known[100]
            ]
            answers = ask(Load(server.port, "/v1/offers", bodies, 1, self._seconds, 1))
        last = json.loads(answers.last)
        held, ranked = len(last["held_back"]), len(last["ranked"])
        note = f"{ranked} ranked, {held} held back in the last answer"
        self._tell("three offers, two reasons each", answers, "p50 8 ms", note)

    def page(self) -> None:
        """Measure the page of a customer, alone and while everybody is counted for the first."""
        self._report.section(f"GET /customer, {OFFERS} candidates, one connection")
        with self._serving() as server:
            for n, names in self._known.items():
                self._tell(f"about {n:,} interactions", self._page(server, names), "p99 100 ms")
        with self._serving() as server:
            ask(Load(server.port, "/", [""], get=True))
            few = Load(server.port, "/v1/churn", _bodies(self._known[100]), 1, COUNTING)
            self._tell("/v1/churn, 100, while the list is counted", ask(few), "published")
            many = Load(server.port, "/customer?id=", self._known[1_000], 1, COUNTING, get=True)
            self._tell("the page, 1,000, while it is counted", ask(many), "published")

    def reasons(self) -> None:
        """Measure the exact explanation of one row, beside ``shap.TreeExplainer``."""
        import shap  # warns of what will be deprecated when it is imported

        self._report.section("Exact reasons of one row, in process")
        settings = self._deployment.settings
        with open_store(settings) as store:
            bundle = load_scorer(settings, store).churn_model.bundle
            rows = [
                bundle.encode(evaluate(bundle.plan, history, store.as_of(), facts))
                for history, facts in store.histories(self._known[100]).values()
            ]
        booster, alone = bundle.ensemble.booster, Ensemble(bundle.ensemble.booster)
        explainer = shap.TreeExplainer(booster)
        ours = _milliseconds(lambda row: bundle.explain(row), rows)
        trees = _milliseconds(lambda row: alone.contributions(row), rows)
        theirs = _milliseconds(lambda row: explainer.shap_values(row), rows)
        gaps = [
            np.abs(alone.contributions(row)[0] - explainer.shap_values(row)).max() for row in rows
        ]
        note = f"{booster.num_trees()} trees"
        self._report.add(Line("Bundle.explain, p50", f"{ours:.3f} ms", "1 ms", note))
        self._report.add(Line("its trees alone, p50", f"{trees:.3f} ms"))
        self._report.add(Line("shap.TreeExplainer, p50", f"{theirs:.3f} ms"))
        note = "both in log-odds, of the trees alone"
        self._report.add(Line("TreeExplainer : trees", f"{theirs / trees:.1f}", "at least 4", note))
        note = "with the line, the margin and the calibrator"
        self._report.add(Line("TreeExplainer : explain", f"{theirs / ours:.1f}", "", note))
        note = "two computations: TreeExplainer asks LightGBM"
        self._report.add(
            Line("largest difference, log-odds", f"{max(gaps):.1e}", f"{EQUAL:g}", note)
        )
        sums = [sum(bundle.explain(row).contributions[0]) for row in rows]
        base = bundle.explain(rows[0]).base_margin
        off = [
            abs(s + base - bundle.ensemble.margin(r)[0]) for s, r in zip(sums, rows, strict=True)
        ]
        self._report.add(Line("sum of all against the margin", f"{max(off):.1e}", f"{EQUAL:g}"))

    def stages(self) -> None:
        """Measure where the time of one answer goes."""
        self._report.section("One answer of POST /v1/churn by stages, in process, processor's time")
        settings = self._deployment.settings
        with open_store(settings) as store:
            scorer = load_scorer(settings, store)
            for n, names in self._known.items():
                for stage, taken in stages(scorer, names).items():
                    self._report.add(Line(f"{n:,} interactions: {stage}", f"{taken:.2f} ms"))

    def ingest(self) -> None:
        """Measure durable batches, and whether the next score sees them."""
        self._report.section(f"POST /v1/interactions, batches of {BATCH}, SQLite, every one synced")
        names = [f"bench-new-{n}" for n in range(200)]
        with self._serving() as server:
            answers = ask(
                Load(server.port, "/v1/interactions", batches("new", names, BATCH, BATCHES))
            )
            rate = BATCH * answers.rate
            middle, high, _ = answers.percentiles()
            note = f"a batch: p50 {middle:.1f}, p99 {high:.1f} ms"
            self._report.add(Line("one connection", f"{rate:,.0f}/s", "5,000/s", note))
            scored = ask(Load(server.port, "/v1/churn", [json.dumps({"customers": names})]))
        unseen = sum(score["status"] == "unknown" for score in json.loads(scored.last)["scores"])
        note = "of 200 that were new a moment before"
        self._report.add(Line("customers unknown to the next score", str(unseen), "0", note))

    def _serving(self) -> AbstractContextManager[Server]:
        return running(self._deployment.path, **self._deployment.environment)

    def _churn(self, server: Server, names: list[str], connections: int = 1) -> Answers:
        load = Load(server.port, "/v1/churn", _bodies(names), connections, self._seconds, 1)
        return ask(load)

    def _page(self, server: Server, names: list[str]) -> Answers:
        return ask(Load(server.port, "/customer?id=", names, 1, self._seconds, 1, get=True))

    def _costly(self, server: Server, call: Callable[[], Answers]) -> tuple[Answers, float]:
        """Return the answers, and the processor's milliseconds that the server spent on each."""
        top = psutil.Process(server.process.pid)
        family = [top, *top.children(recursive=True)]
        before = _spent(family)
        answers = call()
        # What came before the first that counts is spent, too: by the wall clock a second.
        share = self._seconds / (self._seconds + 1)
        return answers, 1e3 * (_spent(family) - before) * share / len(answers.milliseconds)

    def _tell(self, what: str, answers: Answers, wanted: str, note: str = "") -> None:
        middle, high, highest = answers.percentiles()
        told = f"p50 {middle:.2f}, p99 {high:.2f}, p99.9 {highest:.2f} ms"
        n = f"{len(answers.milliseconds):,} answers"
        self._report.add(Line(what, told, wanted, "; ".join(filter(None, (n, note)))))

    def _rate(self, what: str, answers: Answers, cost: float, wanted: str = "") -> None:
        note = f"p50 {answers.percentiles()[0]:.1f} ms, processor {cost:.2f} ms a request"
        self._report.add(Line(what, f"{answers.rate:,.0f}/s", wanted, note))


def _bodies(names: list[str]) -> list[str]:
    return [json.dumps({"customers": [name], "reasons": 3}) for name in names]


def _spent(family: list[psutil.Process]) -> float:
    return float(sum(t.user + t.system for t in (process.cpu_times() for process in family)))


def _milliseconds(call: Callable[[Float64], object], rows: list[Float64]) -> float:
    """Return the median of a call, over rows in an order of no meaning."""
    chosen, taken = random.Random(7).choices(range(len(rows)), k=CALLS), []
    for place in chosen:
        began = time.perf_counter()
        call(rows[place])
        taken.append(1e3 * (time.perf_counter() - began))
    return float(np.median(taken))


SECTIONS = {
    "start": Bench.start,
    "latency": Bench.latency,
    "throughput": Bench.throughput,
    "offers": Bench.offers,
    "page": Bench.page,
    "reasons": Bench.reasons,
    "stages": Bench.stages,
    "ingest": Bench.ingest,
}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.serving", description=__doc__)
    parser.add_argument("--settings", type=Path, default=ROOT / "rapport.toml")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--write", type=Path, help="write Markdown too")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.only.split(",")) - set(SECTIONS)):
        parser.error(f"--only: {', '.join(unknown)} unknown; known: {', '.join(SECTIONS)}")
    named = ("bentoml", "fastapi", "uvicorn", "mlflow", "lightgbm", "shap")
    report = Report("Serving", {name: version(name) for name in named})
    with deployed(chosen.settings) as deployment:
        bench = Bench(deployment, report, chosen.seconds)
        for name in chosen.only.split(","):
            SECTIONS[name](bench)
    if chosen.write:
        chosen.write.write_text(report.markdown(), encoding="utf-8")
        show(f"\nwritten to {chosen.write}")


if __name__ == "__main__":
    main()
