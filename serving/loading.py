"""Loading: a scorer put together from settings, registry and store."""

import duckdb

from features.settings import Settings
from features.sources.offers import read_offers
from serving.policy import Policy
from serving.scorer import Scorer
from serving.settings import store_url
from serving.store import Store
from training.models import load_model, require_model


def open_store(settings: Settings) -> Store:
    """Open the settings' store, its clock at the settings' clock."""
    return Store(store_url(settings), settings.project.now(), settings.project.name)


def load_scorer(settings: Settings, store: Store) -> Scorer:
    """Put a scorer together.

    Raises:
        ModelError: there is no churn model yet.
    """
    churn = require_model(settings, "churn")
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
        settings.section("policy", Policy),
    )
