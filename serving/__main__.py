"""Serve scores and offers over HTTP, from the store that the sources fill."""

import json
import math
import os
import sys
from pathlib import Path

import click

from features import clock
from features.console import Commands, progress, settings_option
from features.errors import SourceError
from features.settings import Settings, read_settings
from features.sources.digest import data_digest
from features.sources.reader import read_history
from features.wording import Wording
from serving.loading import load_scorer, open_store
from serving.scorer import ChurnScore, OfferDecision

SHOWN, WITH_OFFERS = 10, 3
UNKNOWN = "unknown"  # a database source: nothing says cheaply whether it changed
BENTOML = Path("var") / "bentoml"


@click.group(cls=Commands, help=__doc__)
def commands() -> None:
    """Name the program."""


@commands.command("import")
@settings_option
def import_sources(settings_path: str) -> None:
    """Bring the sources' history into the store, once."""
    settings = read_settings(settings_path)
    store = open_store(settings)
    digest = data_digest(settings) or UNKNOWN
    if store.imported is not None:
        _refuse_other_data(store.imported, digest)
        click.echo("The store holds the sources' history already.")
        return
    history = read_history(settings)
    with progress("Importing into the store", len(history.interactions)) as advance:
        new = store.import_history(history, digest, advance)
    click.echo(f"{new:,} interactions are new.")


def _refuse_other_data(imported: str, digest: str) -> None:
    if UNKNOWN not in (imported, digest) and imported != digest:
        raise SourceError(
            "store",
            "the history of other tables or other settings than now",
            "the history that the models are trained on",
            "Name a new store under [serving] in the settings (or remove the old one, if nothing "
            "was recorded in it), and import again.",
        )


@commands.command()
@settings_option
@click.option("--channel", help="Where offers would be made; anywhere by default.")
def brief(settings_path: str, channel: str | None) -> None:
    """Score every customer; print those most at risk, why, and what to offer."""
    settings = read_settings(settings_path)
    store = open_store(settings)
    scorer = load_scorer(settings, store)
    with progress("Scoring every customer", len(store.customers())) as advance:
        as_of, scores = scorer.at_risk(SHOWN, 3, advance)
    click.echo(f"\nMost at risk as of {clock.isoformat(as_of)}, of those who are customers now:\n")
    for place, score in enumerate(scores, 1):
        _tell(place, score)
    if scorer.offer_model is not None:
        decisions = [scorer.rank(score.customer_id, channel, 3, n_reasons=1) for score in scores]
        decisions.sort(key=lambda d: -max((o.expected_value for o in d.ranked), default=-math.inf))
        click.echo("\nThose of them whom an offer may reach best:")
        for decision in decisions[:WITH_OFFERS]:
            _tell_offers(decision, scorer.wording)


@commands.command()
@settings_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=3000, show_default=True, help="Port to listen on.")
def serve(settings_path: str, host: str, port: int) -> None:
    """Serve the API until Ctrl-C."""
    settings = read_settings(settings_path)
    store = open_store(settings)
    load_scorer(settings, store)  # what is wrong is told here, not in a worker's log
    _tell_curl(settings, store.customers()[:1], f"http://{host}:{port}")
    store.close()
    os.environ.update(
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


def _tell(place: int, score: ChurnScore) -> None:
    click.echo(f"{place:>2}. customer {score.customer_id}: {score.probability:.0%} risk of leaving")
    for reason in score.reasons:
        click.echo(f"      {100 * reason.effect:+5.1f} points  {reason.text}")


def _tell_offers(decision: OfferDecision, wording: Wording) -> None:
    click.echo(f"\nOffers for customer {decision.customer_id}:")
    for offer in decision.ranked:
        why = f"  {offer.reasons[0].text}" if offer.reasons else ""
        click.echo(
            f"      offer {offer.offer_id}, {offer.probability:.0%} likely, "
            f"worth {wording.money(offer.expected_value)} after its cost{why}"
        )
    if not decision.ranked:
        click.echo("      none may be made now")
    click.echo(f"      held back: {len(decision.held_back)}")


def _tell_curl(settings: Settings, customers: list[str], url: str) -> None:
    body = json.dumps({"customers": [*customers, "nobody"], "reasons": 3})
    click.echo(
        f"\nServing {settings.project.name} at {url}; documentation at {url}/v1/docs\n"
        "Once it has started, ask for a score from another terminal:\n\n"
        f"  curl -s {url}/v1/churn -H 'Content-Type: application/json' -d '{body}'\n\n"
        "Stop it with Ctrl-C.\n"
    )


if __name__ == "__main__":
    commands(prog_name="python -m serving")
