"""The brief: who is most at risk, why, and what could be offered, as text for people."""

import math
from collections.abc import Iterator

from features import clock
from features.wording import Wording
from serving.scorer import OfferDecision, RankedOffer, Scorer
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
    if scorer.offer_model is None:
        return
    decisions = [scorer.rank(s.customer_id, channel, OFFERS, n_reasons=1) for s in scores]
    decisions.sort(key=lambda d: -max((o.expected_value for o in d.ranked), default=-math.inf))
    yield f"\nThe best offers for the {WITH_OFFERS} of them likeliest to accept:"
    for decision in decisions[:WITH_OFFERS]:
        yield from _offers(decision, scorer.wording)


def _offers(decision: OfferDecision, wording: Wording) -> Iterator[str]:
    yield f"\n    customer {decision.customer_id}"
    for offer in decision.ranked:
        yield f"      {_offer(offer, wording)}"
    held = len(decision.held_back)
    yield f"      {held} other offers may not be made now" if held else ""


def _offer(offer: RankedOffer, wording: Wording) -> str:
    brings = "brings" if offer.expected_value > 0 else "costs"
    money = wording.money(abs(offer.expected_value))
    more = "" if offer.expected_value > 0 else " more than it brings"
    why = f"  {offer.reasons[0].text}" if offer.reasons else ""
    return f"offer {offer.offer_id}: {offer.probability:.0%} likely, {brings} {money}{more}{why}"
