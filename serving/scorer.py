"""The scorer: from stored histories to risks, ranked offers and their reasons."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from features import clock
from features.declaration import ROLES
from features.errors import RequestError
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.online import evaluate, warm_up
from features.sections import Roles
from features.values import SignalValues
from features.wording import Wording
from serving.policy import Policy
from serving.ranking import Choice, OfferDecision, Ranker, check_policy
from serving.store import Store
from training.models import Model
from training.money import Stakes
from training.risks import ChurnScore, churn_scores, statuses

Float64 = npt.NDArray[np.float64]
History = tuple[Sequence[Interaction], list[Attribute]]


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
        policy: the rules of contact, by default those of a settings file that says nothing.
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
        policy: Policy | None = None,
    ) -> None:
        self.store, self.churn_model, self.offer_model = store, churn, acceptance
        self.offers, self.zone = offers, zone
        self._accepted = roles.offer_accepted
        self.loaded_at = time.time_ns() // 1000
        self.kinds, self.numbers = roles.all_kinds(), frozenset(numbers)
        kinds = {role: roles.kinds(role) for role in ROLES}
        self._stakes = Stakes.of(churn.bundle.card.costs)
        if self._stakes is not None:
            self._stakes.column(churn.bundle.plan)  # a name that is no signal is refused now
        self.wording = Wording(kinds, churn.bundle.card.currency)
        self.ranker: Ranker | None = None
        if acceptance is not None:
            policy = policy or Policy()
            check_policy(policy, acceptance.bundle.plan)
            words = (self.wording, zone)
            self.ranker = Ranker(acceptance.bundle, self.offers, policy, roles, *words)
        for model in (churn, acceptance):
            if model is not None:
                warm_up(model.bundle.plan)

    def churn(
        self, customers: Sequence[str], n_reasons: int, at: int | None = None
    ) -> tuple[int, list[ChurnScore]]:
        """Return the instant and the risk of each customer, in order.

        Args:
            customers: whom, by any of their keys; one that is not known gets the base rate.
            n_reasons: how many reasons to give for each.
            at: an earlier instant, whose scores come out as they did then.

        Raises:
            RequestError: the instant is still to come.
        """
        customers = self.store.whose(customers, at)
        if at is None:
            as_of, histories = self.store.known(customers)
        else:
            as_of, histories = self._instant(at), self.store.histories(customers)
        return as_of, [
            self._churn(customer, histories[customer], as_of, n_reasons) for customer in customers
        ]

    def churn_of(
        self, histories: Sequence[tuple[str, History]], n_reasons: int, at: int | None = None
    ) -> tuple[int, list[ChurnScore]]:
        """Return the instant and the risk by histories that are given, as ``churn`` does."""
        as_of = self.store.now() if at is None else at
        return as_of, [
            self._churn(customer, history, as_of, n_reasons) for customer, history in histories
        ]

    def _instant(self, at: int) -> int:
        """Return an earlier instant if the store can answer by what was known then.

        Raises:
            RequestError: more may still be recorded before it, or what was before it is gone.
        """
        newest, since = self.store.as_of(), self.store.kept_since
        if since is not None and at < since:
            raise RequestError(
                "as_of",
                clock.isoformat(at),
                f"an instant from {clock.isoformat(since)} on, since when interactions are kept",
                "Leave it out to score by all that is recorded.",
            )
        if at > newest:
            raise RequestError(
                "as_of",
                clock.isoformat(at),
                f"an instant up to {clock.isoformat(newest)}, the newest of which all is known",
                "Leave it out to score by all that is recorded.",
            )
        return at

    def at_risk(
        self,
        customers: Sequence[str],
        limit: int,
        n_reasons: int,
        progress: Callable[[int], object] = lambda n: None,
        paying: bool = False,
    ) -> tuple[int, list[ChurnScore]]:
        """Score many customers, and return the most at risk of those in the cohort.

        Args:
            customers: whom.
            limit: how many to return at most.
            n_reasons: how many reasons to give for each.
            progress: called with the number of customers done since the last call.
            paying: whether to return only those whom contacting pays; money must be stated.
        """
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
                matrix = np.vstack([row for _, row in cohort])
                scores = bundle.score(matrix)
                taken = self._pays(scores, matrix) if paying else np.full(len(scores), True)
                risks += [
                    (-float(p), c) for p, (c, _), t in zip(scores, cohort, taken, strict=True) if t
                ]
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
        named: Sequence[str] | None = None,
        reserve: bool = True,
    ) -> OfferDecision:
        """Return the offers that may be made to a customer now, best first, and log the decision.

        Args:
            customer_id: to whom, by any of their keys.
            channel: where; ``None`` is anywhere.
            limit: how many offers at most.
            n_reasons: how many reasons for each.
            named: the offers to consider; by default those that can be accepted now.
            reserve: whether they will be shown, so that they count for the caps.

        Raises:
            RequestError: a named offer is none of the catalogue.
        """
        assert self.ranker is not None and self.offer_model is not None  # the API answers before
        ranker, model = self.ranker, self.offer_model
        (customer_id,) = self.store.whose([customer_id])
        as_of, histories = self.store.known([customer_id])
        history = histories[customer_id]
        offers = ranker.candidates(named, as_of)
        taken = self._taken(offers, as_of)
        considered = ranker.consider(customer_id, as_of, history, channel, offers, taken)
        chosen: list[Choice] = []

        def choose(decisions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
            choice = ranker.choose(considered, limit, decisions)
            chosen.append(choice)
            return {
                "model": {"name": model.name, "version": model.version},
                "channel": channel,
                "reserved": reserve and bool(choice.proposed),
                "candidates": [each.logged() for each in choice.candidates],
                "proposed": [each.logged() for each in choice.proposed],
                "would_be": [each.logged() for each in choice.would_be],
            }

        decision_id = self.store.decide(customer_id, as_of, choose)
        decided = ranker.decided(considered, chosen[-1], n_reasons)
        return replace(decided, decision_id=decision_id, reserved=reserve and bool(decided.ranked))

    def risk(
        self, customer_id: str, history: History, as_of: int, n_reasons: int
    ) -> tuple[SignalValues, ChurnScore]:
        """Return the signals of the churn model and the risk by a history at an instant."""
        values = self._values(history, as_of)
        bundle, stakes = self.churn_model.bundle, self._stakes
        score = churn_scores(bundle, self.wording, stakes, [customer_id], values, n_reasons)[0]
        return values, score

    def look(
        self,
        customer_id: str,
        history: History,
        as_of: int,
        channel: str | None,
        limit: int,
        n_reasons: int,
    ) -> OfferDecision:
        """Return what would be offered to a customer; nothing is decided, reserved or logged."""
        assert self.ranker is not None  # who calls asks before
        ranker, offers = self.ranker, self.ranker.candidates(None, as_of)
        taken = self._taken(offers, as_of)
        considered = ranker.consider(customer_id, as_of, history, channel, offers, taken)
        choice = ranker.choose(considered, limit, self.store.decisions(customer_id, as_of))
        return ranker.decided(considered, choice, n_reasons)

    @property
    def states_money(self) -> bool:
        """Whether the settings say what a customer and a contact are worth."""
        return self._stakes is not None

    def _pays(self, scores: Float64, matrix: Float64) -> npt.NDArray[np.bool_]:
        """Return of each encoded row whether contacting is expected to bring more than it costs."""
        assert self._stakes is not None  # who asks for those whom contacting pays asks before
        amounts = self._stakes.amounts(self.churn_model.bundle.plan, matrix)
        pays: npt.NDArray[np.bool_] = self._stakes.bring(scores, amounts) > 0.0
        return pays

    def _taken(self, offers: Sequence[Offer], as_of: int) -> dict[str, int]:
        """Return how often those offers were accepted of which there are only so many."""
        few = [offer.offer_id for offer in offers if offer.stock is not None]
        return self.store.taken(few, self._accepted, as_of) if few else {}

    def _values(self, history: History, as_of: int) -> SignalValues:
        return evaluate(self.churn_model.bundle.plan, history[0], as_of, history[1])

    def _churn(self, customer_id: str, history: History, as_of: int, n_reasons: int) -> ChurnScore:
        return self.risk(customer_id, history, as_of, n_reasons)[1]
