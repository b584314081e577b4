"""Train churn and offer models, measure them, score by them; all from one settings file."""

from pathlib import Path

import click

from features.console import WIDE, Commands, settings_option, steps, tell_notes
from features.errors import SettingsError, redacted
from features.history import History
from features.settings import DEMO, Settings, read_settings
from features.sources.reader import read_history
from features.sources.rejections import aside
from training import aliases, registry, tracking
from training.checking import check_sections
from training.checks import TITLES
from training.commands import check, evaluate, score
from training.evaluation import ahead
from training.gate import promote
from training.pipeline import Trained, train
from training.recipe import recipe_of
from training.registry import Task
from training.report import report_of, save_report
from training.search import tune_command
from training.starting import init
from training.until import as_of, refuse_after_all

until_option = click.option(
    "--until", default="", metavar="TIME", help="Train as if it were then, on what was known."
)


@click.group(cls=Commands, help=__doc__, context_settings=WIDE)
def commands() -> None:
    """Name the program."""


@commands.command("init")
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--out",
    default="rapport.toml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings file to write; models and store are kept beside it.",
)
@click.option("--name", help="What the deployment is called; by default as its folder.")
@click.option("--timezone", help="Of times without a zone, such as Europe/London.")
@click.option("--currency", default="", help="Of amounts, such as EUR.")
@click.option("--force", is_flag=True, help="Write over a settings file that is there.")
@click.pass_context
def init_command(
    ctx: click.Context,
    sources: tuple[str, ...],
    out: Path,
    name: str | None,
    timezone: str | None,
    currency: str,
    force: bool,
) -> None:
    """Propose settings for tables of your own, try them, and tell what is missing.

    SOURCES are Parquet or CSV files, folders of them, or database URLs.
    """
    if not init(sources, out, name, timezone, currency, force):
        ctx.exit(1)


@commands.command()
@settings_option
@click.option(
    "--if-changed", is_flag=True, help="Train only if data, settings or code are not a model's own."
)
@until_option
def main(settings_path: str, if_changed: bool, until: str) -> None:
    """Train the churn model and, where there are offers, the offer model."""
    settings = as_of(read_settings(settings_path), until)
    tasks: list[Task] = ["churn", "offers"] if settings.offers else ["churn"]
    _train(settings, tasks, if_changed)
    named = "" if settings_path == DEMO else f" --settings {settings_path}"
    click.echo(f"Next: python -m serving import{named}, then python -m serving serve{named}")


@commands.command()
@settings_option
@until_option
def churn(settings_path: str, until: str) -> None:
    """Train, test and register the churn model."""
    _train(as_of(read_settings(settings_path), until), ["churn"], if_changed=False)


@commands.command()
@settings_option
@until_option
def offers(settings_path: str, until: str) -> None:
    """Train, test and register the offer model."""
    _train(as_of(read_settings(settings_path), until), ["offers"], if_changed=False)


def _train(settings: Settings, tasks: list[Task], if_changed: bool) -> None:
    _check_sections(settings, tasks)
    recipe = recipe_of(settings)
    current = {task: _current(settings, task, recipe) for task in tasks}
    if if_changed and recipe:
        tasks = [task for task in tasks if current[task] is None]
        for alias, version in (found for found in current.values() if found):
            click.echo(
                f"{version.name} version {version.version}, {alias}, is current: "
                "same data, settings and code."
            )
    if not tasks:
        return
    click.echo("Reading the sources …")
    history = read_history(settings, aside(settings))
    refuse_after_all(settings, history)
    click.echo(f"{len(history.interactions):,} interactions.")
    tell_notes(history)
    if len(tasks) == 1:
        _train_one(settings, history, tasks[0], recipe)
    else:
        with tracking.tracked(settings, "main"):
            for task in tasks:
                _train_one(settings, history, task, recipe)
    click.echo(f"Runs are tracked at {redacted(registry.tracking_uri(settings))}")


def _current(
    settings: Settings, task: Task, recipe: str | None
) -> tuple[str, registry.Version] | None:
    """Return the champion or challenger that this recipe made, with its alias."""
    for alias in (registry.CHAMPION, registry.CHALLENGER):
        version = registry.find(settings, task, alias)
        if version and version.recipe == recipe:
            return alias, version
    return None


def _check_sections(settings: Settings, tasks: list[Task]) -> None:
    """Refuse what is wrong with the settings before anything is read."""
    check_sections(settings)
    if "offers" in tasks and settings.offers is None:
        raise SettingsError(
            settings.path.name,
            "no section [offers]",
            "a table of offers to learn from",
            "Add [offers], or train the churn model alone.",
        )


def _train_one(settings: Settings, history: History, task: Task, recipe: str | None) -> None:
    with tracking.tracked(settings, task):
        with steps(f"Training {TITLES[task]}") as begin:
            trained = train(settings, history, task, begin)
        page = report_of(settings, trained)
        version = tracking.register(settings, trained, recipe, page, history.known_until)
        standing = aliases.enter(settings, task, version, trained.bundle.card)
    click.echo(f"{version.name} version {version.version} is {standing.alias}: {standing.why}.")
    _tell(trained)
    click.echo(f"  report: {save_report(settings, task, page)}")
    if standing.alias == registry.CHALLENGER:
        click.echo(
            "  next: when something has happened that neither has learned from, "
            "`python -m training promote` compares them (docs/promotion.md)"
        )


def _tell(trained: Trained) -> None:
    evaluation, metrics = trained.evaluation, trained.evaluation.metrics
    click.echo(
        f"  {len(trained.dataset):,} rows, {trained.bundle.card.base_rate:.1%} positive; tested on "
        f"{len(evaluation.by_instant)} later instants:\n"
        f"  AUC {metrics['auc']:.3f}, average precision {metrics['average_precision']:.3f}, "
        f"ECE {metrics['ece']:.3f}, top-decile lift {metrics['lift_top_decile']:.1f}"
    )
    for name, (mean, low, high) in evaluation.gain.items():
        click.echo(
            f"  {name:<9} AUC {evaluation.auc[name]:.3f}, "
            f"gain {mean:+.3f} [{low:+.3f}, {high:+.3f}]"
        )
        if high < 0:
            click.echo(f"  warning: it is worse than {name}; look at the data before using it")
        if what := ahead(trained.tested, name):
            click.echo(f"  note: {name} is ahead in {what}")
    if evaluation.profit is not None:
        currency = trained.bundle.card.currency
        expected, realised = evaluation.profit.at_best
        click.echo(
            f"  contacting pays for {evaluation.profit.best:.1%} of the cohort: it would have "
            f"brought {realised:.2f} {currency} a customer (expected {expected:.2f}), contacting "
            f"all {evaluation.profit.realised[-1]:.2f}, if [value] is right"
        )
    for each in (each for each in trained.slices if each.off):
        click.echo(f"  {each.told}")
    for reason, count in trained.dataset.left_out.items():
        if count:
            click.echo(f"  left out: {count:,} rows, {reason}")
    for note in trained.notes:
        click.echo(f"  note: {note}")


for command in (check, evaluate, promote, score, tune_command):
    commands.add_command(command)

if __name__ == "__main__":
    commands(prog_name="python -m training")
