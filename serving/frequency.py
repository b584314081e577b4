"""Frequency: how many offers a customer may be shown, how often one, and how many of a topic."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from features import clock
from features.english import counted
from features.offers import Offer
from serving.rules import FREQUENCY, Held, Moment
from serving.situation import Shown

MONTH = 30 * clock.DAY
Topics = Callable[[str], frozenset[str]]


def frequency(m: Moment, beside: Sequence[Offer], topics_of: Topics) -> tuple[Held, ...]:
    """Return the cap that an offer would exceed, with its fact; none where there is room.

    Args:
        m: what is asked about; its situation knows what is reserved.
        beside: the other offers of the same decision: they take places, too.
        topics_of: the topics of an offer by its id.
    """
    fact = _of_all(m, beside) or _of_offer(m) or _of_topics(m, beside, topics_of)
    return (Held(FREQUENCY, fact),) if fact else ()


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


def _of_all(m: Moment, beside: Sequence[Offer]) -> str | None:
    for most, span, name in m.policy.caps:
        if (n := len(m.situation.since(span)) + len(beside)) >= most:
            return f"{counted(n, 'offer', 'offers')} shown in a {name}, at most {most}"
    return None


def _of_offer(m: Moment) -> str | None:
    n = sum(each.offer_id == m.offer.offer_id for each in m.situation.since(MONTH))
    if not m.policy.per_offer or n < m.policy.per_offer:
        return None
    return f"shown {counted(n, 'time', 'times')} in 30 days, at most {m.policy.per_offer}"


def _of_topics(m: Moment, beside: Sequence[Offer], topics_of: Topics) -> str | None:
    most = m.policy.per_topic
    month = [topics_of(each.offer_id) for each in m.situation.since(MONTH)] if most else []
    month += [other.topics for other in beside]
    for topic in sorted(m.offer.topics) if most else ():
        if (n := sum(topic in topics for topics in month)) >= most:
            return f"{counted(n, 'offer', 'offers')} of {topic} in 30 days, at most {most}"
    return None
