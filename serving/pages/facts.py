"""Facts: what the page of a customer says, from the view that the API answers with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features import clock
from features.english import ago, counted, joined, length
from features.offers import Offer
from serving.pages.drawings import Line, Stretch, bars_of, line_of, stretches_of
from serving.pages.timeline import days_of
from serving.pages.words import RULES, moment_of, plain
from serving.ranking import OfferDecision, RankedOffer
from serving.rules import Held, day_of
from serving.scorer import Scorer
from serving.view import OpenCase, Said, View, view_of

REASONS, OFFERS, MONTHS = 6, 3, 12
SHOWN, MOST = 50, 10_000
TOPICS = 3
LINES = ("knowledge", "trust", "value")


@dataclass(frozen=True, slots=True)
class Standing:
    """One measure of the relationship: what it is called, its value, in words, over a year."""

    name: str
    share: float
    text: str
    line: Line | None


@dataclass(frozen=True, slots=True)
class HeldTogether:
    """Offers that the same facts hold back, each with what it is about; every rule and its fact."""

    offers: list[tuple[str, str]]
    rules: list[tuple[str, str]]


def facts_of(scorer: Scorer, customer_id: str, n_timeline: int) -> dict[str, Any] | None:
    """Return what the page of a customer says, ``None`` where nothing is recorded of them.

    Args:
        scorer: the models and the store.
        customer_id: who, by any of their keys.
        n_timeline: how many of the latest interactions.
    """
    view = view_of(scorer, customer_id, n_timeline, OFFERS, REASONS, MONTHS)
    if not view.n_interactions and not view.attributes:
        return None
    zone, money = scorer.zone, scorer.wording.money
    churn = view.churn
    return {
        "view": view,
        "churn": churn,
        "as_of": moment_of(view.as_of, zone),
        "bars": bars_of(churn.reasons, churn.other_effect, churn.baseline, churn.probability),
        "money": money,
        "states_money": scorer.states_money,
        "headline": _headline(view),
        "cases": [_case(case, view.as_of, zone) for case in view.open_cases],
        "standings": _standings(view),
        "stages": _stages(view, zone),
        "offers": _offers(scorer, view.offers),
        "held_back": _held_back(scorer, view.offers),
        "days": days_of(view.timeline, scorer.wording, zone),
        "more": _more(n_timeline, view.n_interactions),
        "attributes": {plain(name): value for name, value in sorted(view.attributes.items())},
        "unknown": joined(view.unknown) if view.unknown else "",
        "model": f"{scorer.churn_model.name} version {scorer.churn_model.version}",
        "zone": zone,
    }


def _headline(view: View) -> str:
    """Return who this is in a line: the stage, for how long, when they were last in touch."""
    said = [view.relationship["stage"].text] if "stage" in view.relationship else []
    if view.timeline:
        last = (view.as_of - view.timeline[0].occurred_at) / clock.DAY
        said.append(f"last in touch {ago(last)}")
    said.append(counted(view.n_interactions, "interaction", "interactions"))
    return joined(said)


def _case(case: OpenCase, as_of: int, zone: str) -> str:
    about = f" about {case.topic}" if case.topic else ""
    since = day_of(clock.to_datetime(case.since, zone))
    often = counted(case.contacts, "contact", "contacts")
    open_for = length(max(1.0, (as_of - case.since) / clock.DAY))
    return f"Case {case.case_id}{about}: open for {open_for}, since {since}; {often}"


def _standings(view: View) -> list[Standing]:
    found = []
    for name in LINES:
        said: Said | None = view.relationship.get(name)
        if said is not None and isinstance(said.value, float):
            line = line_of(view.course.values.get(name, ()))
            found.append(Standing(name, said.value, said.text, line))
    return found


def _stages(view: View, zone: str) -> list[tuple[Stretch, str]]:
    """Return the stages over the year, each with the month since which it was."""
    stretches = stretches_of(view.course.values.get("stage", ()), view.course.instants)
    return [(each, f"{clock.to_datetime(each.since, zone):%B %Y}") for each in stretches]


def _offers(scorer: Scorer, decision: OfferDecision | None) -> list[tuple[RankedOffer, str, str]]:
    """Return the offers worth making, each with what it is about and its terms in words."""
    ranked = decision.ranked if decision else []
    return [
        (offer, _topics(scorer.offers, offer.offer_id), _terms(scorer, offer)) for offer in ranked
    ]


def _terms(scorer: Scorer, offer: RankedOffer) -> str:
    value, cost = scorer.wording.money(offer.value), scorer.wording.money(offer.cost)
    likely = f"{offer.probability:.1%} likely to be accepted"
    return f"{likely} \N{MULTIPLICATION SIGN} {value} \N{MINUS SIGN} {cost} cost"


def _topics(offers: Mapping[str, Offer], offer_id: str) -> str:
    topics = sorted(offers[offer_id].topics) if offer_id in offers else []
    more = f" and {len(topics) - TOPICS} more" if len(topics) > TOPICS else ""
    return ", ".join(topics[:TOPICS]) + more


def _held_back(scorer: Scorer, decision: OfferDecision | None) -> list[HeldTogether]:
    """Return what is held back, together what the same facts hold back."""
    found: dict[tuple[Held, ...], list[tuple[str, str]]] = {}
    for held in decision.held_back if decision else []:
        offer = (held.offer_id, _topics(scorer.offers, held.offer_id))
        found.setdefault(held.rules, []).append(offer)
    return [
        HeldTogether(offers, [(RULES.get(r.rule, plain(r.rule)), r.because) for r in rules])
        for rules, offers in found.items()
    ]


def _more(shown: int, recorded: int) -> int | None:
    """Return how many interactions to show next, ``None`` where all are shown or may be."""
    return min(max(4 * shown, SHOWN), MOST) if shown < min(recorded, MOST) else None
