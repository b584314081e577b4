"""The command that tunes: the search with its time shown, each trial a run of its own."""

import time
from typing import Any

import click

from features.console import progress, settings_option, tell_notes
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from features.sources.rejections import aside
from features.sources.report import counted
from training import registry, tracking
from training.checking import check_sections
from training.checks import TITLES
from training.commands import task_option
from training.parameters import parameters_of, parameters_path, write_parameters
from training.tuning import Tuned, Windows, tune

STORE = "var/tuning.db"


@click.command("tune")
@settings_option
@task_option
@click.option(
    "--minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.0),
    help="How long new trials are begun.",
)
@click.option("--seed", default=7, show_default=True, type=int, help="Of the search.")
def tune_command(settings_path: str, task: registry.Task, minutes: float, seed: int) -> None:
    """Search for better parameters on the past before every test instant; goes on where it was."""
    settings = read_settings(settings_path)
    check_sections(settings)
    click.echo("Reading the sources …")
    history = read_history(settings, aside(settings))
    tell_notes(history)
    windows = Windows(settings, history, task)
    click.echo(
        f"{len(windows.customer):,} rows in {len(windows.splits)} windows before the first test."
    )
    with tracking.tracked(settings, f"tune {task}"):
        tuned = _search(settings, windows, task, minutes * 60.0, seed)
        tracking.log_tuned(settings, tuned)
    _tell(settings, task, tuned, windows.until)


def _search(
    settings: Settings, windows: Windows, task: registry.Task, seconds: float, seed: int
) -> Tuned:
    begun, shown, total = time.monotonic(), 0, max(1, int(seconds))
    with progress(f"Tuning {TITLES[task]}, seconds", total) as advance:

        def tried(number: int, parameters: dict[str, Any], loss: float) -> None:
            nonlocal shown
            tracking.log_trial(settings, number, parameters, loss)
            passed = min(int(time.monotonic() - begun), total)
            advance(passed - shown)
            shown = passed

        stated = parameters_of(settings, task)
        store = settings.path.parent / STORE
        return tune(windows, store, task, seconds, seed, stated, tried)


def _tell(settings: Settings, task: registry.Task, tuned: Tuned, until: int) -> None:
    click.echo(
        f"{counted(tuned.trials, 'trial')}; on the newest window, by which nothing was chosen, "
        f"log loss {tuned.loss:.4f} against {tuned.default_loss:.4f} as it is: "
        f"gain {tuned.gain:+.4f} ± {tuned.error:.4f}"
    )
    if tuned.helps:
        write_parameters(settings, task, tuned.parameters, until)
        click.echo(
            f"Written to {parameters_path(settings)}; training reads them. "
            f"Next: `python -m training {task}`."
        )
    else:
        click.echo("That is no more than chance explains: training keeps its parameters.")
