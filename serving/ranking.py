"""Ranking: which offers are worth making to a customer now, and what holds the others back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from features.errors import RequestError, SettingsError, nearest
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.online import evaluate
from features.plan import Plan
from features.sections import Roles
from features.values import SignalValues
from features.wording import Wording
from serving.frequency import Room, reserved
from serving.policy import Policy, microseconds
from serving.rules import SILENCE, Held, Moment, channels_for, holding, in_control_group
from serving.situation import Situation, situation_of
from training.bundle import Bundle
from training.reasons import Reason, reasons_of

CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer considered: ``expected_value`` is probability times value, less the cost.

    ``place`` is its row among the signals; ``channel`` where to make it, the preferred one first.
    """

    offer: Offer
    place: int
    probability: float
    expected_value: float
    channel: str | None
    held: tuple[Held, ...] = ()

    def logged(self) -> dict[str, Any]:
        """Return it as the log keeps it."""
        return {
            "offer_id": self.offer.offer_id,
            "probability": self.probability,
            "value": self.offer.value,
            "cost": self.offer.cost,
            "expected_value": self.expected_value,
            "channel": self.channel,
            "held": [asdict(each) for each in self.held],
        }


@dataclass(frozen=True, slots=True)
class Considered:
    """Every candidate, best first, and what is needed to choose among them and explain them."""

    situation: Situation
    candidates: Sequence[Candidate]
    matrix: np.ndarray
    values: SignalValues | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is proposed, best first, and every candidate with what holds it back.

    ``would_be`` is what would be proposed to somebody in the control group.
    """

    proposed: Sequence[Candidate]
    candidates: Sequence[Candidate]
    would_be: Sequence[Candidate] = ()


@dataclass(frozen=True, slots=True)
class RankedOffer:
    """An offer that may be made, with its terms: ``expected_value`` is ``probability * value``
    less the ``cost``; ``channel`` is where, ``None`` anywhere."""

    offer_id: str
    channel: str | None
    probability: float
    expected_value: float
    value: float
    cost: float
    customer_value: float
    baseline: float
    reasons: list[Reason]
    other_effect: float


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An offer that is not made, and every rule that holds it back."""

    offer_id: str
    rules: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class OfferDecision:
    """What to offer a customer now, best first, and what is held back.

    ``decision_id`` names it in the log, empty where nothing was decided; ``silent`` says why
    nothing is proposed, where it is so.
    """

    customer_id: str
    as_of: int
    known: bool
    ranked: list[RankedOffer]
    held_back: list[HeldBack]
    silent: str | None
    decision_id: str = ""
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class Ranker:
    """Ranks offers by a model and a contact policy.

    Args:
        bundle: the offer model.
        offers: the catalogue by id.
        policy: the rules of contact.
        roles: what kinds mean.
        wording: how the deployment calls things.
        zone: the time zone in which dates are told.
    """

    bundle: Bundle
    offers: Mapping[str, Offer]
    policy: Policy
    roles: Roles
    wording: Wording
    zone: str

    def consider(
        self,
        customer_id: str,
        as_of: int,
        history: tuple[Sequence[Interaction], list[Attribute]],
        channel: str | None,
        offers: Sequence[Offer],
        taken: Mapping[str, int],
    ) -> Considered:
        """Score offers, and ask the rules of each.

        ``taken`` says how often each was accepted of which there are only so many.
        """
        situation = situation_of(customer_id, as_of, *history, self.roles)
        situation = replace(situation, taken=taken)
        if not offers:
            return Considered(situation, (), np.empty((0, len(self.bundle.plan.names))), None)
        values = evaluate(self.bundle.plan, history[0], as_of, history[1], offers)
        situation = replace(situation, **_signals(self.bundle.plan, values.matrix[0]))
        matrix = self.bundle.encode(values)
        found = []
        for place, p in enumerate(self.bundle.score(matrix).tolist()):
            moment = Moment(self.policy, situation, offers[place], channel, self.zone)
            worth = offers[place].worth(p)
            where = next(iter(channels_for(moment)), channel)
            held = holding(moment) + self._silence(offers[place], p, worth)
            found.append(Candidate(offers[place], place, p, worth, where, held))
        found.sort(key=lambda c: (-c.expected_value, c.offer.offer_id))
        return Considered(situation, found, matrix, values)

    def choose(
        self, considered: Considered, limit: int, decisions: Sequence[Mapping[str, Any]]
    ) -> Choice:
        """Propose the best offers that nothing holds back, as far as the caps have room.

        Args:
            considered: the candidates.
            limit: how many offers at most.
            decisions: what was decided for the customer lately: what it reserved counts.
        """
        situation = considered.situation
        kept = situation.as_of - microseconds(self.policy.reservation)
        lately = [each for each in decisions if each["as_of"] > kept]
        shown = [*situation.shown, *reserved(lately, situation.shown)]
        room = Room(self.policy, replace(situation, shown=shown), self._topics)
        proposed: list[Candidate] = []
        candidates = []
        for candidate in considered.candidates:
            free = len(proposed) < limit and all(each.rule == CONTROL for each in candidate.held)
            over = room.held(candidate.offer, [c.offer for c in proposed] if free else [])
            candidate = replace(candidate, held=candidate.held + over) if over else candidate
            candidates.append(candidate)
            if free and not over:
                proposed.append(candidate)
        if in_control_group(situation.customer_id, self.policy.control_share):
            return Choice((), candidates, would_be=proposed)
        return Choice(proposed, candidates)

    def _explained(
        self, considered: Considered, proposed: Sequence[Candidate], n_reasons: int
    ) -> list[RankedOffer]:
        if not proposed or considered.values is None:
            return []
        places = [each.place for each in proposed]
        explained = self.bundle.explain(considered.matrix[places])
        values = considered.values.rows(places)
        told = reasons_of(self.bundle.meanings, self.wording, values, explained.effects, n_reasons)
        ranked = []
        for each, (reasons, rest) in zip(proposed, told, strict=True):
            offer = each.offer
            terms = (each.probability, each.expected_value, offer.value, offer.cost)
            own = (offer.customer_value, explained.baseline, reasons, rest)
            ranked.append(RankedOffer(offer.offer_id, each.channel, *terms, *own))
        return ranked

    def decided(self, considered: Considered, choice: Choice, n_reasons: int) -> OfferDecision:
        """Return a choice as it is answered, with reasons."""
        return OfferDecision(
            considered.situation.customer_id,
            considered.situation.as_of,
            considered.situation.known,
            self._explained(considered, choice.proposed, n_reasons),
            [HeldBack(c.offer.offer_id, c.held) for c in choice.candidates if c.held],
            silent(choice),
        )

    def candidates(self, named: Sequence[str] | None, as_of: int) -> list[Offer]:
        """Return the offers of those names, of none (``None``) those that may be accepted now.

        Raises:
            RequestError: a name that is none in the catalogue.
        """
        if named is None:
            return [offer for offer in self.offers.values() if offer.open_at(as_of)]
        for name in named:
            if name not in self.offers:
                raise RequestError(
                    "offers",
                    f"'{name}'",
                    "offers of the catalogue",
                    nearest(name, list(self.offers)),
                )
        return [self.offers[name] for name in dict.fromkeys(named)]

    def _topics(self, offer_id: str) -> frozenset[str]:
        offer = self.offers.get(offer_id)
        return offer.topics if offer else frozenset()

    def _silence(self, offer: Offer, probability: float, worth: float) -> tuple[Held, ...]:
        if worth > 0 or not self.policy.better_silent:
            return ()
        brings, costs = (
            self.wording.money(probability * offer.value),
            self.wording.money(offer.cost),
        )
        return (Held(SILENCE, f"expected to bring {brings} and to cost {costs}"),)


def _signals(plan: Plan, row: np.ndarray) -> dict[str, Any]:
    """Return the customer's numbers by name, and how many of their cases are open."""
    signals = {
        name: float(value)
        for name, value, category in zip(plan.names, row, plan.categories, strict=True)
        if not category
    }
    cases = [signals[s.name] for s in plan.signals if s.measure == "cases_open"]
    return {"signals": signals, "cases_open": cases[0] if cases else 0.0}


def check_policy(policy: Policy, plan: Plan) -> None:
    """Refuse a policy that asks for a signal which the offer model does not know.

    Raises:
        SettingsError: it names the signal.
    """
    for each in policy.eligibility:
        if each.signal and each.signal not in plan.names:
            raise SettingsError(
                "[[policy.eligibility]] signal",
                f"'{each.signal}'",
                "a signal of the offer model",
                nearest(each.signal, plan.names),
            )


def silent(choice: Choice) -> str | None:
    """Return why nothing is proposed, ``None`` where something is."""
    if choice.proposed:
        return None
    rules = [{each.rule for each in c.held} for c in choice.candidates]
    if not rules:
        return "No offer can be accepted now."
    everywhere = set.intersection(*rules)
    if SILENCE in everywhere:
        return "Better silent: no offer is expected to bring what proposing it costs."
    common = [each for each in choice.candidates[0].held if each.rule in everywhere]
    if common:
        return f"Better silent: {common[0].because}."
    return "Each offer is held back by a rule of contact."
