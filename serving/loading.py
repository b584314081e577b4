"""Loading: a scorer put together from settings, registry and store."""

import shutil
from pathlib import Path

import duckdb

from features.errors import ModelError
from features.settings import Settings
from features.sources.offers import read_offers
from serving.scorer import Model, Scorer
from serving.settings import store_url
from serving.store import Store
from training import registry
from training.bundle import load_bundle
from training.registry import Task

CACHE = Path("var") / "models"


def open_store(settings: Settings) -> Store:
    """Open the settings' store, its clock at the settings' clock."""
    return Store(store_url(settings), settings.project.now(), settings.project.name)


def load_model(settings: Settings, task: Task) -> Model | None:
    """Fetch and prove the champion of a task, ``None`` when there is none."""
    version = registry.champion(settings, task)
    if version is None:
        return None
    cache = settings.path.parent / CACHE
    folder = registry.fetch(settings, version, cache)
    try:
        bundle = load_bundle(folder)
    except ModelError:  # the copy may be damaged: take another before giving up
        shutil.rmtree(folder)
        bundle = load_bundle(registry.fetch(settings, version, cache))
    if bundle.card.task != task:
        raise ModelError(
            f"model '{version.name}' version {version.version}",
            f"a model of {bundle.card.task}",
            f"a model of {task}",
            "Put the alias 'champion' back on a version that training registered.",
        )
    return Model(version.name, version.version, registry.CHAMPION, bundle)


def load_scorer(settings: Settings, store: Store) -> Scorer:
    """Put a scorer together.

    Raises:
        ModelError: there is no churn model yet.
    """
    churn = load_model(settings, "churn")
    if churn is None:
        place = registry.shown(registry.tracking_uri(settings))
        raise ModelError(
            f"model '{registry.MODEL_NAMES['churn']}'",
            f"no version with alias 'champion' at {place}",
            "a trained model",
            f"Run `python -m training main --settings {settings.path}`; a model that is kept "
            "elsewhere is found by [tracking] uri or MLFLOW_TRACKING_URI.",
        )
    connection = duckdb.connect()
    offers, _ = read_offers(connection, settings)
    connection.close()
    acceptance = load_model(settings, "offers") if offers else None
    return Scorer(
        store,
        settings.roles,
        churn,
        acceptance,
        offers,
        settings.project.timezone,
        settings.numbers(),
    )
