"""The command line: options that every command has, progress, and errors without tracebacks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from tqdm import tqdm

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


def _interval() -> float:
    """Return how often a bar is drawn: less where nobody watches it move."""
    return 0.1 if sys.stderr.isatty() else 10.0
