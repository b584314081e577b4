"""The gate: the command by which a challenger replaces the champion, or does not."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import get_args

import click

from features import clock
from features.console import settings_option, steps, tell_notes
from features.errors import DataError
from features.history import History
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from features.sources.rejections import aside
from training import aliases, registry, tracking
from training.agreement import differences, require_agreement
from training.promotion import Finding, Verdict, judge
from training.registry import CHALLENGER, MODEL_NAMES, Task, Version
from training.trial import try_both

REFUSED = 1
"""The exit code when a challenger is not promoted; 2 is for what is wrong outside."""
LONGEST_TAG = 5_000
SWAPS = "A running service has it within 15 seconds."


@click.command()
@settings_option
@click.option(
    "--task",
    type=click.Choice(["all", *get_args(Task)]),
    default="all",
    show_default=True,
    help="Whose challenger; all that there are by default.",
)
@click.option(
    "--anyway",
    is_flag=True,
    help="Promote uncompared: nothing is asked of its AUC, its calibration or any slice.",
)
@click.option("--rollback", is_flag=True, help="Make the previous champion champion again.")
@click.option("--unlock", is_flag=True, help="Remove the lock of a promotion that was killed.")
def promote(settings_path: str, task: str, anyway: bool, rollback: bool, unlock: bool) -> None:
    """Let a challenger replace the champion if it is not worse on what neither has seen.

    Exit code 1: it was not promoted, and the aliases are as they were.
    """
    settings = read_settings(settings_path)
    tasks: list[Task] = [each for each in get_args(Task) if task in ("all", each)]
    if unlock:
        for each in tasks:
            had = aliases.unlock(settings, each)
            click.echo(f"{MODEL_NAMES[each]}: {'lock removed' if had else 'there was no lock'}")
    elif rollback:
        _roll_back(settings, tasks)
    else:
        _promote(settings, tasks, anyway)


def _roll_back(settings: Settings, tasks: list[Task]) -> None:
    champions = {task: registry.champion(settings, task) for task in tasks}
    able = [task for task, now in champions.items() if now and aliases.earlier(settings, task, now)]
    if len(able) > 1:
        raise click.UsageError(f"Name the model with --task: {' or '.join(able)}.")
    was, now = aliases.roll_back(settings, able[0] if able else tasks[0])
    click.echo(f"{now.name} version {now.version} is champion again, version {was.version} is not.")
    click.echo(SWAPS)


def _promote(settings: Settings, tasks: list[Task], anyway: bool) -> None:
    found = [(task, registry.find(settings, task, CHALLENGER)) for task in tasks]
    waiting = [(task, version) for task, version in found if version]
    if not waiting:
        names = " and ".join(MODEL_NAMES[task] for task in tasks)
        click.echo(f"{names}: there is no challenger. `python -m training main` trains one.")
        raise SystemExit(REFUSED)
    history = None if anyway else _read(settings)
    with tracking.tracked(settings, "promote"):
        promoted = [_decide(settings, history, task, version) for task, version in waiting]
    if any(promoted):
        click.echo(SWAPS)
    if not all(promoted):
        raise SystemExit(REFUSED)


def _read(settings: Settings) -> History:
    click.echo("Reading the sources …")
    history = read_history(settings, aside(settings))
    tell_notes(history)
    return history


def _decide(settings: Settings, history: History | None, task: Task, challenger: Version) -> bool:
    champion = registry.champion(settings, task)
    with steps(f"Comparing {challenger.name}") as begin:
        verdict = _verdict(settings, history, champion, challenger, begin)
    if verdict.promoted and (lost := aliases.promote(settings, task, champion, challenger)):
        verdict = replace(verdict, findings=(*verdict.findings, Finding(False, lost)))
    stays = f", version {champion.version} stays" if champion and not verdict.promoted else ""
    click.echo(
        f"{challenger.name} version {challenger.version} is "
        f"{'champion now' if verdict.promoted else f'not promoted{stays}'}."
    )
    for finding in verdict.findings:
        click.echo(f"  {'holds' if finding.holds else 'fails'}: {finding.text}")
    _log(settings, task, champion, challenger, verdict)  # what is done is told, even if this fails
    return verdict.promoted


def _verdict(
    settings: Settings,
    history: History | None,
    champion: Version | None,
    challenger: Version,
    begin: Callable[[str, int], object],
) -> Verdict:
    """Compare both models, where there is a history and the champion can serve at all.

    Else the challenger replaces it uncompared.
    """
    new = aliases.bundle_of(settings, challenger)
    require_agreement(settings, f"'{challenger.name}' version {challenger.version}", new)
    if history is None:
        return Verdict((Finding(True, "not compared, as --anyway asks"),), {})
    old = aliases.readable(settings, champion) if champion else "there was no champion"
    if isinstance(old, str):
        return Verdict((Finding(True, old),), {})
    if found := differences(settings, old):
        told = f"the settings say otherwise now than for the champion: {'; '.join(found)}"
        return Verdict((Finding(True, told),), {})
    if dict(old.card.settings) != dict(new.card.settings):
        differ = "they were trained for different tasks: train a challenger by the settings of now"
        return Verdict((Finding(False, differ),), {})
    try:
        trial = try_both(history, settings.roles, old, new, lambda step: begin(step, 3))
    except DataError as error:
        return Verdict((Finding(False, str(error)),), {})
    begin("intervals", 3)
    since = Finding(True, f"compared on what is known since {clock.isoformat(trial.since)}")
    verdict = judge(trial.tested, trial.slices)
    return replace(verdict, findings=(since, *verdict.findings))


def _log(
    settings: Settings,
    task: Task,
    champion: Version | None,
    challenger: Version,
    verdict: Verdict,
) -> None:
    """Log the decision to the open run, and tag the challenger with it."""
    decision = "promoted" if verdict.promoted else "refused"
    told = "; ".join(each.text for each in verdict.findings if each.holds == verdict.promoted)
    with registry.answering(settings) as mlflow:
        mlflow.log_params(
            {
                f"{task}.champion": champion.version if champion else "none",
                f"{task}.challenger": challenger.version,
            }
        )
        mlflow.log_metrics({f"{task}.{name}": value for name, value in verdict.metrics.items()})
        mlflow.set_tags({f"{task}.decision": decision, f"{task}.reasons": told[:LONGEST_TAG]})
        mlflow.log_dict(asdict(verdict), f"{task}.json")
        tags = {"decision": decision, "reasons": told, "run": mlflow.active_run().info.run_id}
        for name, text in tags.items():
            mlflow.MlflowClient().set_model_version_tag(
                challenger.name, challenger.version, f"rapport.promotion.{name}", text[:LONGEST_TAG]
            )
