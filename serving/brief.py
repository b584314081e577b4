"""The brief: who is most at risk, why, and what could be offered, as text for people."""

from collections.abc import Iterator

from features import clock
from features.english import counted
from features.wording import Wording
from serving.ranking import OfferDecision, RankedOffer
from serving.scorer import Scorer
from training.risks import ChurnScore

SHOWN, WITH_OFFERS, REASONS, OFFERS = 10, 3, 3, 3
SECOND = 1_000_000


def lines(
    scorer: Scorer, as_of: int, scores: list[ChurnScore], channel: str | None
) -> Iterator[str]:
    """Yield the brief, line by line.

    Args:
        scorer: ranks the offers.
        as_of: the instant of the scores.
        scores: those most at risk, of those who are customers now.
        channel: where offers would be made; ``None`` is anywhere.
    """
    when = f"{clock.to_datetime(as_of, scorer.zone):%d %B %Y, %H:%M}"
    if not scores:
        active = scorer.churn_model.bundle.card.settings["active"]
        yield (
            f"\nNobody in the store was active in the {active} before {when}: nobody is at risk. "
            "For a history that has ended, set `clock` under [project] in the settings."
        )
        return
    yield f"\nMost at risk on {when}, of those who are customers now:\n"
    for place, score in enumerate(scores, 1):
        yield f"{place:>2}. customer {score.customer_id}: {score.probability:.0%} risk of leaving"
        for reason in score.reasons:
            yield f"      {100 * reason.effect:+5.1f} points  {reason.text}"
    if scorer.ranker is None:
        return
    histories = scorer.store.histories([score.customer_id for score in scores])
    decisions = [
        scorer.look(name, history, as_of, channel, OFFERS, n_reasons=1)
        for name, history in histories.items()
    ]
    made = sorted((d for d in decisions if d.ranked), key=lambda d: -d.ranked[0].expected_value)
    if made:
        yield f"\nThe best offers for the {min(WITH_OFFERS, len(made))} of them worth most:"
    else:
        yield "\nNothing is offered to them. What comes nearest, and why not:"
    for decision in (made or decisions)[:WITH_OFFERS]:
        yield from _offers(decision, scorer.wording)


def _offers(decision: OfferDecision, wording: Wording) -> Iterator[str]:
    yield f"\n    customer {decision.customer_id}"
    for offer in decision.ranked:
        yield f"      {_offer(offer, wording)}"
    held = decision.held_back
    if held and not decision.ranked:
        facts = "; ".join(rule.because for rule in held[0].rules)
        yield f"      offer {held[0].offer_id}: {facts}"
        held = held[1:]
    if held:
        yield f"      {counted(len(held), 'other offer', 'other offers')} held back, too"


def _offer(offer: RankedOffer, wording: Wording) -> str:
    money = wording.money(offer.expected_value)
    why = f"  {offer.reasons[0].text}" if offer.reasons else ""
    return f"offer {offer.offer_id}: {offer.probability:.0%} likely, brings {money}{why}"
