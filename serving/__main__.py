"""Serve scores and offers over HTTP, from the store that the sources fill."""

# ruff: noqa: E402 -- what is left out must be so before anything else asks for it
from serving import lean

lean.load()

import json
import os
import socket
import sys
from pathlib import Path

import click

from features.console import WIDE, Commands, progress, settings_option, tell_notes
from features.errors import SettingsError
from features.settings import Settings, read_settings
from features.sources.digest import data_digest
from features.sources.reader import read_history
from features.sources.rejections import aside
from features.sources.report import counted
from serving.brief import REASONS, SHOWN, lines
from serving.keys import check_exposure, read_keys
from serving.live import rehearse
from serving.loading import load_scorer, open_store
from serving.settings import serving_of
from serving.upkeep import add_commands

UNKNOWN = "unknown"  # a database source: nothing says cheaply whether it changed
BENTOML = Path("var") / "bentoml"


@click.group(cls=Commands, help=__doc__, context_settings=WIDE)
def commands() -> None:
    """Name the program."""


@commands.command("import")
@settings_option
def import_sources(settings_path: str) -> None:
    """Bring the sources' history into the store; later, what is new in them."""
    settings = read_settings(settings_path)
    if settings.reads_store:
        click.echo("The settings read the store itself: there is nothing to bring in.")
        return
    digest = data_digest(settings) or UNKNOWN
    with open_store(settings) as store:
        if store.imported == digest != UNKNOWN:
            click.echo("The store holds the sources' history already.")
            return
        history = read_history(settings, aside(settings))
        tell_notes(history)
        with progress("Importing into the store", len(history.interactions)) as advance:
            done = store.import_history(history, digest, advance)
    are = "is" if done.new == 1 else "are"
    click.echo(f"{counted(done.new, 'interaction')} {are} new.")
    if done.erased:
        click.echo(f"{done.erased:,} of erased customers were left out.")


@commands.command()
@settings_option
@click.option("--channel", help="Where offers would be made; anywhere by default.")
def brief(settings_path: str, channel: str | None) -> None:
    """Score every customer; print those most at risk, why, and what to offer."""
    settings = read_settings(settings_path)
    with open_store(settings) as store:
        scorer = load_scorer(settings, store)
        customers = store.customers()
        with progress("Scoring every customer", len(customers)) as advance:
            as_of, scores = scorer.at_risk(customers, SHOWN, REASONS, advance)
        for line in lines(scorer, as_of, scores, channel):
            click.echo(line)


@commands.command()
@settings_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=3000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where to listen.",
)
def serve(settings_path: str, host: str, port: int) -> None:
    """Serve the API until Ctrl-C."""
    settings = read_settings(settings_path)
    check_exposure(host, read_keys())
    _refuse_taken(host, port)
    with open_store(settings) as store:
        rehearse(settings, store)  # what is wrong is told here, not in a worker's log
        customers = store.customers()
    if not customers:
        click.echo(
            "The store has no history yet: `python -m serving import` brings it in.", err=True
        )
    _tell_curl(settings, customers[:1], f"http://{host}:{port}")
    os.environ.update(
        RAPPORT_WORKERS=str(serving_of(settings).workers),
        RAPPORT_SETTINGS=str(Path(settings_path).resolve()),
        BENTOML_DO_NOT_TRACK="True",
        BENTOML_HOME=os.environ.get("BENTOML_HOME")
        or str(settings.path.parent.resolve() / BENTOML),
    )
    root = Path(__file__).resolve().parent.parent
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        "serving.service:Rapport",
        "--working-dir",
        str(root),
        "--host",
        host,
        "--port",
        str(port),
    ]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"address {host}:{port}",
                str(error.strerror),
                "an address of this machine that is free",
                "Stop what listens there, or name another with --port.",
            ) from error


def _tell_curl(settings: Settings, customers: list[str], url: str) -> None:
    body = json.dumps({"customers": [*customers, "nobody"], "reasons": 3})
    click.echo(
        f"\nServing {settings.project.name} at {url}; documentation at {url}/v1/docs\n"
        "Once it has started, ask for a score from another terminal:\n\n"
        f"  curl -s {url}/v1/churn -H 'Content-Type: application/json' -d '{body}'\n\n"
        "Stop it with Ctrl-C.\n"
    )


add_commands(commands)

if __name__ == "__main__":
    commands(prog_name="python -m serving")
