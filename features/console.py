"""The command line: options that every command has, progress, and errors without tracebacks."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from features import clock
from features.errors import RapportError
from features.history import History

WIDE = {"max_content_width": 110}
"""Click's settings under which help texts are not cut short."""
BAR = "{desc}: {n_fmt}/{total_fmt} {bar:20} {elapsed}"
settings_option = click.option(
    "--settings",
    "settings_path",
    default="rapport.toml",
    show_default=True,
    envvar="RAPPORT_SETTINGS",
    help="The TOML file that describes the deployment.",
)


class Commands(click.Group):
    """A group of commands that ends with exit code 2 and one clear line when input is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error about the input is told, not traced."""
        try:
            return super().invoke(ctx)
        except RapportError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[int], object]]:
    """Show a progress bar; call what it gives with the number of steps done."""
    with tqdm(total=total, desc=title, mininterval=_interval(), bar_format=BAR) as bar:
        yield bar.update


@contextmanager
def steps(title: str) -> Iterator[Callable[[str, int], None]]:
    """Show a progress bar of named steps; call what it gives when one begins, with their number."""
    with tqdm(total=1, desc=title, mininterval=_interval(), bar_format=BAR + "{postfix}") as bar:

        def begin(step: str, total: int) -> None:
            bar.total = total
            bar.set_postfix_str(step, refresh=False)
            bar.update()

        yield begin
        bar.set_postfix_str("", refresh=False)


def tell_notes(history: History) -> None:
    """Print what reading a history assumed or left out."""
    for note in history.notes:
        click.echo(f"  note: {note}")


def check_parquet(out: str) -> None:
    """Refuse, before anything is computed, a file that cannot be written."""
    path = Path(out)
    if path.suffix != ".parquet":
        raise click.UsageError(f"--out '{out}': name a file that ends in .parquet.")
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise click.UsageError(f"--out '{out}': name a file in a folder that exists.")
    try:
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise click.UsageError(
            f"--out '{out}': the folder cannot be written to ({error.strerror})."
        ) from error


def instant_of(time: str, zone: str) -> int:
    """Return the instant of a time that a person wrote; a naive one is read in the zone."""
    try:
        return clock.to_instant(datetime.fromisoformat(time), zone)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"'{time}' is no time such as 2017-11-30T16:45:00") from error


def _interval() -> float:
    """Return how often a bar is drawn: less where nobody watches it move."""
    return 0.1 if sys.stderr.isatty() else 10.0
