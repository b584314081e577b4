"""Loading: a scorer put together from settings, registry and store."""

from collections.abc import Mapping

import duckdb
import numpy as np

from features.offers import Offer
from features.settings import Settings
from features.sources.offers import read_offers
from serving.policy import Policy
from serving.scorer import Scorer
from serving.settings import store_url
from serving.store import Store
from training.models import Model, load_model, require_model


def open_store(settings: Settings) -> Store:
    """Open the settings' store, its clock at the settings' clock."""
    return Store(store_url(settings), settings.project.now(), settings.project.name)


def load_scorer(settings: Settings, store: Store) -> Scorer:
    """Put a scorer together from the registry's champions.

    Raises:
        ModelError: there is no churn model yet.
    """
    churn = require_model(settings, "churn")
    offers = load_offers(settings)
    acceptance = load_model(settings, "offers") if offers else None
    return build_scorer(settings, store, offers, churn, acceptance)


def load_offers(settings: Settings) -> Mapping[str, Offer]:
    """Read the settings' offers by id."""
    with duckdb.connect() as connection:
        return read_offers(connection, settings)[0]


def build_scorer(
    settings: Settings,
    store: Store,
    offers: Mapping[str, Offer],
    churn: Model,
    acceptance: Model | None,
) -> Scorer:
    """Put a scorer together and warm it up, so that the first request is not the slow one.

    Raises:
        ModelError: the model's costs name a signal that it does not have.
    """
    scorer = Scorer(
        store,
        settings.roles,
        churn,
        acceptance,
        offers,
        settings.project.timezone,
        settings.numbers(),
        settings.section("policy", Policy),
    )
    for model in (churn, acceptance):
        if model is not None:
            model.bundle.explain(np.full((1, len(model.bundle.plan.signals)), np.nan))
    return scorer
