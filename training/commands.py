"""Commands that train nothing: look at the data first, measure a model later, score everybody."""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from features import clock
from features.asked import notes
from features.batch import Spine
from features.console import instant_of, progress, settings_option, tell_notes
from features.errors import ContractError, DataError, RapportError
from features.history import History
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from features.sources.rejections import aside
from features.sources.report import counted
from features.tables import is_database, is_object
from training import checking, cluster, destinations, parts, registry, tracking, unseen
from training.evaluation import Evaluation
from training.models import Model, load_model, require_model
from training.promotion import CHAMPION
from training.registry import Task
from training.scoring import Scoring, scoring_of
from training.trial import try_both

SCORES = Path("var") / "scores"
task_option = click.option(
    "--task",
    type=click.Choice(list(registry.MODEL_NAMES)),
    default="churn",
    show_default=True,
    help="Which model.",
)


@click.command()
@settings_option
@click.pass_context
def check(context: click.Context, settings_path: str) -> None:
    """Tell what training would find in the data; exit code 1 if it would stop."""
    try:
        settings = read_settings(settings_path)
        checking.check_sections(settings)
        history = read_history(settings, aside(settings))
        tell_notes(history)
        fine = checking.check(settings, history, click.echo)
    except RapportError as error:
        click.echo(f"error: {error}", err=True)
        fine = False
    click.echo("\nTraining would start." if fine else "\nTraining would stop.")
    context.exit(0 if fine else 1)


@click.command()
@settings_option
@task_option
@click.option(
    "--version",
    default=registry.CHAMPION,
    show_default=True,
    help="The model's version: an alias, such as challenger, or a number.",
)
@click.option("--out", default="", metavar="FILE", help="A JSON file for the figures, too.")
def evaluate(settings_path: str, task: Task, version: str, out: str) -> None:
    """Measure a registered model on what happened after it was trained."""
    if out and not Path(out).resolve().parent.is_dir():
        raise click.UsageError(f"--out '{out}': name a file in a folder that exists.")
    settings = read_settings(settings_path)
    model = require_model(settings, task, version)
    history = _read(settings)
    name, until = f"{model.name} version {model.version}", model.bundle.card.trained_until
    found = unseen.unseen(model.bundle, history, settings.roles)
    if found.tested is None:
        click.echo(
            f"{name} has seen all that is known until {clock.isoformat(history.known_until)}: "
            f"there is nothing to measure it on yet. There will be {found.when}."
        )
        return
    evaluation = unseen.measure(model.bundle, found.tested)
    beside, note = _beside_champion(settings, task, model, history)
    evaluation = replace(evaluation, gain={**evaluation.gain, **beside})
    with tracking.tracked(settings, "evaluate"):
        tracking.log_evaluation(settings, model, history.known_until, evaluation)
    told = {"model": model.name, "version": model.version, "trained_until": until}
    told["known_until"] = clock.isoformat(history.known_until)
    figures = {**told, **unseen.plain(evaluation)}
    if out:
        Path(out).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    _tell_evaluation(f"{name}, on {{}} from {until} on", evaluation)
    if note:
        click.echo(f"  note: {note}")


def _tell_evaluation(what: str, evaluation: Evaluation) -> None:
    """Print the metrics of each instant and together, and the gains."""
    metrics = evaluation.metrics
    rows = counted(int(metrics["rows"]), "row")
    click.echo(f"{what.format(rows)}, {metrics['base_rate']:.1%} positive:")
    for instant, each in [*evaluation.by_instant.items(), (None, metrics)]:
        when = "together" if instant is None else clock.isoformat(instant)[:10]
        click.echo(
            f"  {when:<10}  AUC {each['auc']:.3f}, average precision "
            f"{each['average_precision']:.3f}, ECE {each['ece']:.3f}"
        )
    for rival, (mean, low, high) in evaluation.gain.items():
        click.echo(f"  AUC over {rival} {mean:+.3f} [{low:+.3f}, {high:+.3f}]")


def _beside_champion(
    settings: Settings, task: Task, model: Model, history: History
) -> tuple[dict[str, tuple[float, float, float]], str]:
    """Return what a version gains over the champion on rows that neither has seen, and a note."""
    try:
        champion = load_model(settings, task)
    except ContractError as error:
        return {}, f"not compared with the champion: {error}"
    if champion is None or champion.version == model.version:
        return {}, ""
    if dict(champion.bundle.card.settings) != dict(model.bundle.card.settings):
        return {}, "not compared with the champion, which was trained for another task"
    try:
        trial = try_both(history, settings.roles, champion.bundle, model.bundle)
        gain = unseen.measure(model.bundle, trial.tested).gain[CHAMPION]
    except DataError as error:
        return {}, f"not compared with the champion: {error}"
    return {CHAMPION: gain}, f"the champion is version {champion.version}"


@click.command()
@settings_option
@task_option
@click.option(
    "--out",
    required=True,
    metavar="FILE|URL",
    help="The Parquet file to write, here or in an object store, or a database to append to.",
)
@click.option("--table", default="", help="The database's table.  [default: the task, _scores]")
@click.option("--at", default="", metavar="TIME", help="As of when.  [default: the data's end]")
@click.option(
    "--reasons",
    default=3,
    show_default=True,
    type=click.IntRange(0, 20),
    help="How many reasons in words for each.",
)
@click.option(
    "--engine",
    type=click.Choice(["here", "spark"]),
    default="here",
    show_default=True,
    help="Where: on this machine, or on Spark into a folder of Parquet files.",
)
def score(
    settings_path: str, task: Task, out: str, table: str, at: str, reasons: int, engine: str
) -> None:
    """Score every customer by the champion, with reasons; resumes where it stopped."""
    to_database = is_database(out)
    if engine == "spark" and to_database:
        raise click.UsageError("--engine spark writes Parquet: name a folder with --out.")
    if table and not to_database:
        raise click.UsageError("--table is of a database: name its URL with --out.")
    if not to_database:
        destinations.check_file(out)
    settings = read_settings(settings_path)
    as_of = instant_of(at, settings.project.timezone) if at else None
    model, name = require_model(settings, task), table or f"{task}_scores"
    with tempfile.TemporaryDirectory() as kept:
        history = _read(settings, Path(kept))
        until = history.known_until if as_of is None else as_of
        asked = scoring_of(model, history, settings.roles, until, reasons)
        _tell_notes(asked)
        if engine == "spark":
            with cluster.session() as session:
                destinations.write_folder(cluster.scored(session, asked), out)
        elif to_database:
            _into_database(settings, asked, out, name)
        else:
            _into_file(settings, asked, out)
    n = sum(map(asked.rows_of, asked.parts))
    where = f"table {name}" if to_database else out
    click.echo(
        f"{where}: {counted(n, 'row')} by {model.name} version {model.version}, "
        f"as of {clock.isoformat(until)}"
    )


def _into_file(settings: Settings, asked: Scoring, out: str) -> None:
    there, path = is_object(out), Path(out)
    folder = _scratch(settings, out, "") if there else path.with_name(f"{path.name}.parts")
    with parts.opened(folder, asked) as made:
        _compute(made)
        if there:
            destinations.write_object(asked.form, made.tables(), out)
        else:
            destinations.write_parquet(asked.form, made.tables(), path)


def _into_database(settings: Settings, asked: Scoring, url: str, name: str) -> None:
    with destinations.database(settings, url) as engine:
        rows = destinations.table_of(asked.form, name)
        destinations.check_table(engine, rows)
        with parts.opened(_scratch(settings, url, name), asked) as made:
            _compute(made)
            destinations.write_table(engine, rows, asked.form, made.tables())


def _scratch(settings: Settings, url: str, table: str) -> Path:
    """Return the folder of a table's parts: its name holds nothing of the URL or the table."""
    digest = hashlib.sha256(json.dumps([url, table]).encode()).hexdigest()[:16]
    return settings.path.parent / SCORES / digest


def _compute(made: parts.Parts) -> None:
    total = sum(map(made.scoring.rows_of, made.scoring.parts))
    if made.kept:
        click.echo(f"{counted(len(made.kept), 'part')} of a stopped run are there already.")
    with progress("Scoring", total) as advance:
        made.compute(advance)


def _read(settings: Settings, kept: Path | None = None) -> History:
    click.echo("Reading the sources …")
    history = read_history(settings, aside(settings), kept)
    tell_notes(history)
    return history


def _tell_notes(asked: Scoring) -> None:
    """Say what makes scores of this instant others than they look."""
    spine = Spine(asked.customers, np.full(len(asked.customers), asked.form.as_of, dtype=np.int64))
    for note in notes(asked.history, spine):
        click.echo(f"  note: {note}")
    until = asked.form.model.bundle.card.trained_until
    if clock.isoformat(asked.form.as_of) < until:
        click.echo(f"  note: the model has learned what happened until {until}, after this instant")
