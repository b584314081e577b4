"""Engagement signals: the demo's data, and what a settings file makes of its sources."""

import shutil
import sys
import tempfile
from pathlib import Path

import click

from features.console import (
    WIDE,
    Commands,
    check_parquet,
    instant_of,
    progress,
    settings_option,
    tell_notes,
)
from features.settings import read_settings


@click.group(cls=Commands, help=__doc__, context_settings=WIDE)
def commands() -> None:
    """Name the program."""


@commands.command("demo-data")
@click.option("--folder", default="data", show_default=True, help="Where to write the tables.")
def demo_data(folder: str) -> None:
    """Write the Complete Journey demo as plain Parquet and CSV tables."""
    from features.sources.complete_journey import TABLES, write_tables

    with progress("Writing the demo's tables", len(TABLES)) as advance:
        write_tables(Path(folder), lambda table: advance(1))


@commands.command("bank-data")
@click.option("--folder", default="data/bank", show_default=True, help="Where to write the tables.")
@click.option("--customers", default=20_000, show_default=True, type=click.IntRange(1, 10**9))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def bank_data(folder: str, customers: int, seed: int) -> None:
    """Write two years of a simulated bank, for tests and teaching, with the truth beside it."""
    from features.sources.bank_tables import SIMULATED, write_tables

    with progress("Simulating customers", customers) as advance:
        written = write_tables(Path(folder), customers, seed, advance)
    click.echo(f"{folder}: {'written' if written else 'the same are there already'}. {SIMULATED}")


@commands.command()
@settings_option
def check(settings_path: str) -> None:
    """Read every source of the settings and tell what is in it."""
    from features.sources.reader import read_history
    from features.sources.rejections import aside
    from features.sources.summary import lines

    settings = read_settings(settings_path)
    history = read_history(settings, aside(settings))
    for line in lines(settings.path, history):
        click.echo(line)


@commands.command()
@settings_option
def catalog(settings_path: str) -> None:
    """List the signals that the data of the settings get; tab-separated into a file or a pipe."""
    from features import listing
    from features.declaration import ROLES
    from features.shape import shape_of
    from features.sources.reader import read_history
    from features.wording import Wording

    settings = read_settings(settings_path)
    shape = shape_of(read_history(settings), settings.roles)
    kinds = {role: settings.roles.kinds(role) for role in ROLES}
    found = listing.entries(shape, Wording(kinds, settings.project.currency))
    for_people = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns
    for line in listing.table(found, width) if for_people else listing.tab_separated(found):
        click.echo(line)
    click.echo(
        f"\n{listing.tally(shape)}" if for_people else listing.tally(shape), err=not for_people
    )


@commands.command()
@settings_option
@click.option("--at", multiple=True, metavar="TIME", help="All customers at this time; repeatable.")
@click.option("--rows", metavar="FILE", help="Or a table of customer_id, as_of (and offer_id).")
@click.option("--out", required=True, metavar="FILE", help="The Parquet file to write.")
def signals(settings_path: str, at: tuple[str, ...], rows: str | None, out: str) -> None:
    """Compute the catalogue of signals for every row asked for, into rows ordered by customer."""
    from features.asked import notes
    from features.batch import write_parquet
    from features.catalog import customer_signals, offer_signals
    from features.declaration import ROLES
    from features.plan import compile_plan
    from features.shape import shape_of
    from features.snapshots import snapshot_spine
    from features.sources.reader import read_history
    from features.sources.rejections import aside
    from features.sources.rows import read_rows

    if bool(at) == bool(rows):
        both = ", not both" if at else ""
        raise click.UsageError(f"Name instants with --at, or a table with --rows{both}.")
    check_parquet(out)
    settings = read_settings(settings_path)
    instants = [instant_of(time, settings.project.timezone) for time in at]
    with tempfile.TemporaryDirectory() as kept:
        history = read_history(settings, aside(settings), Path(kept))
        tell_notes(history)
        spine = read_rows(settings, rows) if rows else snapshot_spine(history, instants)
        for note in notes(history, spine):
            click.echo(f"  note: {note}")
        declared = customer_signals if spine.offer_id is None else offer_signals
        roles = {role: settings.roles.kinds(role) for role in ROLES}
        plan = compile_plan(
            declared(shape_of(history, settings.roles)), roles, settings.project.timezone
        )
        with progress("Computing signals", len(spine)) as advance:
            write_parquet(plan, history, spine, out, advance)
    click.echo(f"{out}: {len(spine):,} rows, {len(plan.signals)} signals")


if __name__ == "__main__":
    commands(prog_name="python -m features")
