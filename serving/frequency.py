"""Frequency: how many offers a customer may be shown, how often one, and how many of a topic."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from features import clock
from features.english import counted
from features.offers import Offer
from serving.policy import Policy
from serving.rules import FREQUENCY, Held
from serving.situation import Shown, Situation

MONTH = 30 * clock.DAY
Topics = Callable[[str], frozenset[str]]


class Room:
    """What the caps still allow a customer, counted once for all offers of a decision.

    Args:
        policy: the caps.
        situation: knows what was shown and what is reserved.
        topics_of: the topics of an offer by its id.
    """

    def __init__(self, policy: Policy, situation: Situation, topics_of: Topics) -> None:
        self._caps = [(most, len(situation.since(span)), name) for most, span, name in policy.caps]
        self._per_offer, self._per_topic = policy.per_offer, policy.per_topic
        month = [each.offer_id for each in situation.since(MONTH)]
        self._shown, self._offers = len(month), Counter(month)
        self._topics = Counter(topic for each in month for topic in topics_of(each))

    def held(self, offer: Offer, beside: Sequence[Offer]) -> tuple[Held, ...]:
        """Return the cap that an offer would exceed, with its fact; none where there is room.

        Args:
            offer: what is asked about.
            beside: the other offers of the same decision: they take places, too.
        """
        fact = self._of_all(beside) or self._of_offer(offer) or self._of_topics(offer, beside)
        return (Held(FREQUENCY, fact),) if fact else ()

    def _of_all(self, beside: Sequence[Offer]) -> str | None:
        for most, shown, name in self._caps:
            if (n := shown + len(beside)) >= most:
                return f"{counted(n, 'offer', 'offers')} shown in a {name}, at most {most}"
        return None

    def _of_offer(self, offer: Offer) -> str | None:
        n = self._offers[offer.offer_id]
        if not self._per_offer or n < self._per_offer:
            return None
        return f"shown {counted(n, 'time', 'times')} in 30 days, at most {self._per_offer}"

    def _of_topics(self, offer: Offer, beside: Sequence[Offer]) -> str | None:
        if not self._per_topic or self._shown + len(beside) < self._per_topic:
            return None  # there is room, or too few offers for any topic to have none
        over = {}
        for topic in offer.topics:
            n = self._topics[topic] + sum(topic in other.topics for other in beside)
            if n >= self._per_topic:
                over[topic] = n
        if not over:
            return None
        first = min(over)
        said = f"{counted(over[first], 'offer', 'offers')} of {first} in 30 days"
        return f"{said}, at most {self._per_topic}"


def reserved(decisions: Iterable[Mapping[str, Any]], shown: Sequence[Shown]) -> list[Shown]:
    """Return the places that decisions reserved and that nothing has shown since.

    Once one offer of a decision is shown, what was shown counts and the rest is free again.

    Args:
        decisions: a customer's, each with ``as_of`` and the ``decision`` as it was logged.
        shown: what was shown to the customer.
    """
    places = []
    for each in decisions:
        proposed = each["decision"]["proposed"] if each["decision"]["reserved"] else []
        ids = {offer["offer_id"] for offer in proposed}
        if not any(s.offer_id in ids and s.at >= each["as_of"] for s in shown):
            places += [Shown(each["as_of"], offer["offer_id"]) for offer in proposed]
    return places
