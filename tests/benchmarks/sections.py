"""The parts of the engine's benchmarks."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tqdm import tqdm

from tests.benchmarks import catalogue, environments, histories, race, sql
from tests.benchmarks.environments import ROOT
from tests.benchmarks.histories import Size
from tests.benchmarks.race import PEERS, Finish, Race
from tests.benchmarks.report import Line, Report, show

ROUNDING = 1e-6
"""What a difference of cumulative sums may be off by, absolutely."""
ONLINE = {100: "100 µs", 1_000: "200 µs", 10_000: "1,500 µs"}
STARTS = 5
MOST_OWN = 200
"""Rows at their own instants that featuretools gets: it takes a second or more for each."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How large all is, where files are kept, and where lines are told."""

    interactions: int
    data: Path
    scratch: Path
    report: Report
    on_disk: bool
    duckdb_filter: bool

    def history(self, size: Size) -> Path:
        """Return the folder of the interactions, written now unless it is there."""
        with tqdm(total=size.n, unit=" rows", desc="made-up interactions", leave=False) as bar:
            return histories.write(size, self.data, bar.update)

    def output(self, name: str) -> Path | None:
        """Return where a contestant writes its rows, if it does."""
        return self.scratch / name if self.on_disk else None


def windows(setting: Setting) -> None:
    """Six instants that all customers share."""
    size, report = Size(setting.interactions), setting.report
    history, spine = setting.history(size), histories.write_shared_spine(size, setting.scratch)
    shared = tuple(histories.instants().tolist())
    sample, signals = race.write_sample(spine), catalogue.shared_signals()
    contest = Race(signals, history, spine, sample, setting.output("windows"), shared)
    report.section(
        f"{size.n:,} interactions of {size.customers:,} customers at {len(shared)} instants, "
        f"{len(signals)} signals"
    )
    ours = _ours(setting, contest, "peak at most 3 GB")
    _peer(
        setting,
        contest,
        ours,
        "Polars, one group-by per instant",
        "polars_windows",
        "at least 4 times",
    )
    each = [sql.at_instant(signals, contest.files, at) for at in shared]
    keys = ["customer_id", "as_of"]
    _duckdb(setting, contest, ours, "DuckDB, one group-by per instant (CASE)", each, keys)
    name = "DuckDB, range join"
    cases = [sql.range_join(signals, contest.files, spine, filters=False)]
    _duckdb(setting, contest, ours, f"{name} (CASE)", cases, ["row"])
    if setting.duckdb_filter:
        query = [sql.range_join(signals, contest.files, spine, filters=True)]
        _duckdb(setting, contest, ours, f"{name} (FILTER)", query, ["row"], "at least 50 times")


def instants(setting: Setting) -> None:
    """Rows that each have an instant of their own."""
    size, report = Size(setting.interactions), setting.report
    history, spine = setting.history(size), histories.write_own_spine(size, setting.scratch)
    n_rows, sample = pq.read_metadata(spine).num_rows, race.write_sample(spine)
    report.section(f"{n_rows:,} rows, each at its own instant, {size.n:,} interactions")
    contest = Race(catalogue.shared_signals(), history, spine, sample)
    ours = _ours(setting, contest)
    _peer(setting, contest, ours, "Polars, join and filter", "polars_instants", "at least 10 times")
    contest = Race(catalogue.counts_and_sums(), history, spine, sample)
    ours = _ours(setting, contest)
    name = "pandas, cumulative sums and merge_asof"
    _peer(setting, contest, ours, name, "pandas_instants", "at least 10 times", slack=ROUNDING)


def featuretools(setting: Setting) -> None:
    """A sample of one customer in a hundred, at shared instants and each row at its own."""
    size = Size(setting.interactions)
    shared = histories.write_shared_spine(size, setting.scratch)
    own = histories.write_own_spine(size, setting.scratch)
    _featuretools(setting, "six shared instants", shared, None)
    _featuretools(setting, "each row at its own instant", own, MOST_OWN)


def _featuretools(setting: Setting, what: str, full: Path, most: int | None) -> None:
    """Compare a row of the sample, of which at most so many, with a row of all customers."""
    size, report = Size(setting.interactions), setting.report
    history, spine = histories.write_sample(setting.history(size), full, setting.scratch, most)
    n_rows = pq.read_metadata(spine).num_rows
    contest = Race(catalogue.aggregates(), history, spine, race.write_sample(spine))
    report.section(f"A sample of 1 % of the customers, {what}: {n_rows:,} rows")
    ours = _ours(setting, contest)
    interpreter = environments.python("peers-featuretools")
    report.versions["featuretools"] = environments.version(interpreter, "featuretools")
    module = "featuretools_windows"
    theirs = _peer(setting, contest, ours, "featuretools", module, "", interpreter)
    whole = race.ours(Race(catalogue.aggregates(), setting.history(size), full, contest.sample))
    n_full = pq.read_metadata(full).num_rows
    ratio = (theirs.seconds / n_rows) / (whole.seconds / n_full)
    note = f"Rapport {whole.seconds / n_full * 1e6:.1f} µs a row over {n_full:,} rows"
    report.add(
        Line(
            "featuretools a row / Rapport a row of all customers",
            f"{ratio:,.0f} times",
            "at least 300 times",
            note,
        )
    )


def online(setting: Setting) -> None:
    """One customer's row, from arrays and from records."""
    setting.report.section("One customer online, the default catalogue")
    command = [sys.executable, "-m", "tests.benchmarks.online", *map(str, ONLINE)]
    ended = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in ended.stdout.splitlines():
        told = json.loads(line)
        for kind in ("arrays", "records"):
            middle, worst = told[kind]
            what = f"{told['n']:,} interactions, from {kind}"
            wanted = f"at most {ONLINE[told['n']]}" if kind == "arrays" else ""
            note = f"p99 {worst:,.0f} µs; {told['signals']} signals"
            setting.report.add(Line(what, f"p50 {middle:,.0f} µs", wanted, note))


def first_row(setting: Setting) -> None:
    """The first row of a new process, its start and imports included."""
    setting.report.section("First row in a new process")
    command = [sys.executable, "-m", "tests.benchmarks.online", "--first-row"]
    # Where Python may not keep its bytecode, every start compiles every import anew.
    normal = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(STARTS + 1):
        began = time.time()
        ended = subprocess.run(
            command, cwd=ROOT, env=normal, check=True, stdout=subprocess.PIPE, text=True
        )
        taken.append(float(ended.stdout) - began)
    note = f"median of {STARTS} starts; the worst {max(taken[1:]):.2f} s"
    value = f"{statistics.median(taken[1:]):.2f} s"
    setting.report.add(Line("kernel compiled before and cached", value, "under 1.5 s", note))


def scaling(setting: Setting) -> None:
    """Time and memory as histories grow; the rows go to a file if the engine can stream them."""
    setting.report.section("As histories grow, six instants each")
    for n in (setting.interactions // 10, setting.interactions, setting.interactions * 10):
        size = Size(n)
        spine = histories.write_shared_spine(size, setting.scratch)
        output, sample = setting.scratch / "scaling.parquet", race.write_sample(spine)
        history = setting.history(size)
        contest = Race(catalogue.shared_signals(), history, spine, sample, output)
        setting.report.running(f"Rapport, {n:,} interactions")
        ours = race.ours(contest)
        output.unlink(missing_ok=True)
        value = f"{ours.seconds / n * 1e6:.2f} µs an interaction"
        wanted = "peak at most 4 GB" if n >= 100_000_000 else ""
        note = f"{ours.seconds:.1f} s, {ours.gigabytes:.2f} GB"
        setting.report.add(Line(f"{n:,} interactions", value, wanted, note))


def _ours(setting: Setting, contest: Race, wanted: str = "") -> Finish:
    name = f"Rapport, {len(contest.signals)} signals"
    setting.report.running(name)
    finish = race.ours(contest)
    setting.report.add(Line(name, f"{finish.seconds:.2f} s", wanted, _note(finish)))
    return finish


def _duckdb(
    setting: Setting,
    contest: Race,
    ours: Finish,
    name: str,
    queries: list[str],
    keys: list[str],
    wanted: str = "",
) -> None:
    more = {"queries": queries, "keys": keys}
    _peer(setting, contest, ours, name, "duckdb_windows", wanted, more=more)


def _peer(
    setting: Setting,
    contest: Race,
    ours: Finish,
    name: str,
    module: str,
    wanted: str,
    interpreter: Path | None = None,
    more: Mapping[str, Any] | None = None,
    slack: float = 0.0,
) -> Finish:
    """Run a peer, hold what it found against ours, and only then tell its time."""
    python = interpreter or environments.python("peers")
    package = module.split("_")[0]
    setting.report.versions[package] = environments.version(python, package)
    setting.report.running(name)
    finish = race.run(python, f"{PEERS}.{module}", contest, more)
    if difference := race.disagreement(contest.signals, ours.found, finish.found, slack):
        show(f"{name} and Rapport disagree: {difference}")
        raise SystemExit(1)
    value = f"{finish.seconds:.2f} s = {finish.seconds / ours.seconds:.1f} times"
    setting.report.add(Line(name, value, wanted, f"{_note(finish)}; results agree"))
    return finish


def _note(finish: Finish) -> str:
    return "; ".join([f"peak {finish.gigabytes:.2f} GB", *finish.notes])
