"""What the store costs: import, record, read, erase; ``python -m tests.benchmarks.stores``."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from features.console import Commands, settings_option
from features.interactions import Interaction
from features.settings import read_settings
from features.sources.reader import read_history
from serving.store import Store
from tests.postgres import postgres

SIZES = (100, 1_000, 10_000)
BATCH, BATCHES = 100, 200
CLOCK = 2_000_000_000_000_000


@click.group(cls=Commands, invoke_without_command=True)
@settings_option
@click.option("--postgresql", is_flag=True, help="Measure PostgreSQL too, one that is started.")
def commands(settings_path: str, postgresql: bool) -> None:
    """Measure a store with the settings' history in it."""
    with tempfile.TemporaryDirectory() as folder:
        for mode in ("FULL", "NORMAL"):
            path = Path(folder) / f"{mode}.db"
            measure(f"sqlite:///{path}?synchronous={mode}", settings_path)
            click.echo(f"  {path.stat().st_size / 1e6:,.0f} MB")
    if postgresql:
        with postgres() as url:
            measure(url, settings_path)


def measure(url: str, settings_path: str) -> None:
    """Import, record, read and erase in a new store, and print what each costs."""
    history = read_history(read_settings(settings_path))
    click.echo(url.split(":")[0] + "".join(url.partition("?")[1:]))
    with Store(url, CLOCK) as store:
        began = time.perf_counter()
        rows = store.import_history(history, "benchmark").new
        _tell("import", rows, time.perf_counter() - began)
        began = time.perf_counter()
        for batch in range(BATCHES):
            store.record(_batch(batch))
        _tell(f"record, {BATCH} a batch", BATCHES * BATCH, time.perf_counter() - began)
        for size in SIZES:
            _fill(store, size)
            _tell_times(f"read {size:,}", lambda name=f"c{size}": store.histories([name]))  # type: ignore[misc] # a default binds it
        _tell_times("instant of a score", store.as_of)
        began = time.perf_counter()
        store.erase("c100", wipe=False)
        click.echo(f"  erase: {1e3 * (time.perf_counter() - began):,.1f} ms")
        began = time.perf_counter()
        store.scrub()
        click.echo(f"  wipe the files: {time.perf_counter() - began:,.2f} s")


def _batch(number: int) -> list[Interaction]:
    return [_item(f"r{n}", f"r{number}-{n}", n) for n in range(BATCH)]


def _item(customer: str, key: str, n: int) -> Interaction:
    return Interaction(
        customer, CLOCK - n, 0, "purchase", key, "till", "store", "tea", amount=float(n)
    )


def _fill(store: Store, size: int) -> None:
    """Record one customer's interactions between those of others."""
    for begin in range(0, size, BATCH // 2):
        items = [_item(f"c{size}", f"c{size}-{begin + n}", n) for n in range(BATCH // 2)]
        others = [_item(f"o{begin}-{n}", f"o{size}-{begin + n}", n) for n in range(BATCH // 2)]
        store.record([*items, *others])


def _tell(what: str, rows: int, seconds: float) -> None:
    click.echo(f"  {what}: {rows / seconds:,.0f} interactions/s")


def _tell_times(what: str, call: Callable[[], object]) -> None:
    times = []
    deadline = time.perf_counter() + 2
    while time.perf_counter() < deadline:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    middle, high = np.quantile(times, (0.5, 0.99)) * 1e3
    click.echo(f"  {what}: p50 {middle:.3f} ms, p99 {high:.3f} ms")


if __name__ == "__main__":
    commands(prog_name="python -m tests.benchmarks.stores")
