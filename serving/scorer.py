"""The scorer: from stored histories to risks, ranked offers and their reasons."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.declaration import ROLES
from features.interactions import Attribute, Interaction, canonical_order
from features.offers import Offer, Value
from features.online import evaluate, warm_up
from features.sections import Roles
from features.values import SignalValues
from features.wording import Wording
from serving.policy import HeldBack, hold_back
from serving.store import Store
from training.bundle import Bundle
from training.models import Model
from training.money import Stakes
from training.reasons import Reason, reasons_of
from training.risks import ChurnScore, churn_scores, statuses

History = tuple[list[Interaction], list[Attribute]]


@dataclass(frozen=True, slots=True)
class RankedOffer:
    """An offer that may be made: ``expected_value`` is probability times value, less the cost."""

    offer_id: str
    probability: float
    expected_value: float
    value: float
    cost: float
    baseline: float
    reasons: list[Reason]
    other_effect: float


@dataclass(frozen=True, slots=True)
class OfferDecision:
    """What to offer a customer now, best first, and what is held back."""

    customer_id: str
    as_of: int
    known: bool
    ranked: list[RankedOffer]
    held_back: list[HeldBack]


class Scorer:
    """Scores customers from their stored histories.

    Args:
        store: the histories.
        roles: what kinds mean.
        churn: the churn model.
        acceptance: the offer model, ``None`` where there are no offers.
        offers: the offers by id.
        zone: the time zone in which dates are told.
        numbers: the further numeric columns that interactions may have.
    """

    def __init__(
        self,
        store: Store,
        roles: Roles,
        churn: Model,
        acceptance: Model | None,
        offers: Mapping[str, Offer],
        zone: str,
        numbers: Iterable[str] = (),
    ) -> None:
        self.store, self.churn_model, self.offer_model = store, churn, acceptance
        self.offers, self.zone = offers, zone
        self.kinds, self.numbers = roles.all_kinds(), frozenset(numbers)
        self._accepted = frozenset(roles.kinds("offer_accepted"))
        kinds = {role: roles.kinds(role) for role in ROLES}
        self._stakes = Stakes.of(churn.bundle.card.costs)
        if self._stakes is not None:
            self._stakes.column(churn.bundle.plan)  # a name that is no signal is refused now
        self.wording = Wording(kinds, churn.bundle.card.currency)
        for model in (churn, acceptance):
            if model is not None:
                warm_up(model.bundle.plan)

    def churn(self, customers: Sequence[str], n_reasons: int) -> tuple[int, list[ChurnScore]]:
        """Return the instant and the risk of each customer, in order."""
        as_of = self.store.as_of()
        histories = self.store.histories(customers)
        return as_of, [
            self._churn(customer, histories[customer], as_of, n_reasons) for customer in customers
        ]

    def at_risk(
        self,
        customers: Sequence[str],
        limit: int,
        n_reasons: int,
        progress: Callable[[int], object] = lambda n: None,
    ) -> tuple[int, list[ChurnScore]]:
        """Score many customers, and return the most at risk of those in the cohort."""
        as_of = self.store.as_of()
        bundle = self.churn_model.bundle
        risks: list[tuple[float, str]] = []
        for begin in range(0, len(customers), 250):
            part = customers[begin : begin + 250]
            rows = [
                (c, bundle.encode(self._values(h, as_of)))
                for c, h in self.store.histories(part).items()
            ]
            cohort = [(c, row) for c, row in rows if statuses(bundle, row) == ["in_cohort"]]
            if cohort:
                scores = bundle.score(np.vstack([row for _, row in cohort]))
                risks += [(-float(p), c) for p, (c, _) in zip(scores, cohort, strict=True)]
            progress(len(part))
        chosen = [customer for _, customer in sorted(risks)[:limit]]
        histories = self.store.histories(chosen)
        return as_of, [self._churn(c, histories[c], as_of, n_reasons) for c in chosen]

    def rank(
        self,
        customer_id: str,
        channel: str | None,
        limit: int,
        n_reasons: int,
    ) -> OfferDecision:
        """Return the offers that may be made to a customer now, best first."""
        assert self.offer_model is not None  # the API answers before, where there is no model
        as_of = self.store.as_of()
        interactions, attributes = self.store.histories([customer_id])[customer_id]
        known = [i for i in interactions if i.recorded_at < as_of and i.occurred_at < as_of]
        accepted = [i for i in canonical_order(known) if i.kind in self._accepted]
        candidates = list(self.offers.values())
        held = {o.offer_id: hold_back(o, channel, accepted, as_of, self.zone) for o in candidates}
        open_offers = [o for o in candidates if held[o.offer_id] is None]
        held_back = [reason for reason in held.values() if reason is not None]
        ranked: list[RankedOffer] = []
        if open_offers:
            bundle = self.offer_model.bundle
            values = evaluate(bundle.plan, interactions, as_of, attributes, open_offers)
            matrix = bundle.encode(values)
            worth = [
                offer.worth(float(p))
                for p, offer in zip(bundle.score(matrix), open_offers, strict=True)
            ]
            best = sorted(range(len(worth)), key=lambda i: (-worth[i], open_offers[i].offer_id))[
                :limit
            ]
            ranked = [
                self._offer(bundle, open_offers[i], worth[i], matrix[[i]], values.row(i), n_reasons)
                for i in best
            ]
        return OfferDecision(customer_id, as_of, bool(known), ranked, held_back)

    def _values(self, history: History, as_of: int) -> SignalValues:
        return evaluate(self.churn_model.bundle.plan, history[0], as_of, history[1])

    def _churn(self, customer_id: str, history: History, as_of: int, n_reasons: int) -> ChurnScore:
        values = self._values(history, as_of)
        bundle, stakes = self.churn_model.bundle, self._stakes
        return churn_scores(bundle, self.wording, stakes, [customer_id], values, n_reasons)[0]

    def _offer(
        self,
        bundle: Bundle,
        offer: Offer,
        expected_value: float,
        matrix: np.ndarray,
        row: list[Value],
        n_reasons: int,
    ) -> RankedOffer:
        explained = bundle.explain(matrix)
        reasons, rest = reasons_of(bundle.plan, self.wording, row, explained.effects[0], n_reasons)
        return RankedOffer(
            offer.offer_id,
            float(explained.probability[0]),
            expected_value,
            offer.value,
            offer.cost,
            explained.baseline,
            reasons,
            rest,
        )
