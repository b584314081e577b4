"""A preview: what would be offered to a customer by a history in memory, for notebooks."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow.compute as pc

from features.declaration import ROLES
from features.excerpts import in_memory, person
from features.history import History
from features.offers import Offer
from features.settings import Settings
from features.wording import Wording
from serving.policy import Policy
from serving.ranking import Choice, Ranker, check_policy
from training.models import Model

COLUMNS = ("offer_id", "probability", "expected_value", "channel", "proposed", "rules", "because")


def preview(
    settings: Settings,
    history: History,
    model: Model,
    customer_id: str,
    channel: str | None = None,
    limit: int = 3,
    as_of: int | None = None,
) -> pd.DataFrame:
    """Return every offer open to a customer, best first, and what holds each one back.

    It is what the service would answer by the same history; nothing is decided, reserved or
    logged, so that caps count what was shown and nothing else.

    Args:
        settings: whose policy and roles.
        history: what is known, as it is or changed.
        model: the offer model.
        customer_id: to whom.
        channel: where; ``None`` is anywhere.
        limit: how many offers at most.
        as_of: microseconds since 1970 UTC; by default the end of what is known.

    Returns:
        A row an offer. ``expected_value`` is ``probability * value - cost``; ``rules`` and
        ``because`` say what holds it back, empty where nothing does.
    """
    policy, zone = settings.section("policy", Policy), settings.project.timezone
    check_policy(policy, model.bundle.plan)
    wording = Wording({r: settings.roles.kinds(r) for r in ROLES}, model.bundle.card.currency)
    ranker = Ranker(model.bundle, history.offers, policy, settings.roles, wording, zone)
    at = history.known_until if as_of is None else as_of
    offers = ranker.candidates(None, at)
    taken = _taken(history, offers, settings.roles.offer_accepted, at)
    theirs = person(history, customer_id)
    considered = ranker.consider(customer_id, at, theirs, channel, offers, taken)
    choice = ranker.choose(considered, limit, ())
    return _table(choice)


def _table(choice: Choice) -> pd.DataFrame:
    proposed = {each.offer.offer_id for each in choice.proposed}
    rows = [
        (
            each.offer.offer_id,
            each.probability,
            each.expected_value,
            each.channel,
            each.offer.offer_id in proposed,
            ", ".join(held.rule for held in each.held),
            "; ".join(held.because for held in each.held),
        )
        for each in choice.candidates
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).set_index("offer_id")


def _taken(
    history: History, offers: Sequence[Offer], kinds: Sequence[str], as_of: int
) -> Mapping[str, int]:
    """Return how often those offers were accepted of which there are only so many."""
    few = {offer.offer_id for offer in offers if offer.stock is not None}
    if not few:
        return {}
    accepted = in_memory(history).filter(
        (pc.field("occurred_at") < as_of)
        & (pc.field("recorded_at") < as_of)
        & pc.field("kind").isin(list(kinds))
    )
    counts = pc.value_counts(accepted["offer_id"]).to_pylist()
    return {each["values"]: each["counts"] for each in counts if each["values"] in few}
