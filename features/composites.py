"""Composite signals: what a relationship is made of, each by a formula that can be told.

They are combinations of plain signals, so that nothing in them is computed twice or otherwise.
"""

from features.declaration import Signal
from features.signals import Interactions, attribute, days, interactions

TRUST_HALF_LIFE = 182
"""Days in which half of what a bad experience took has come back: after a year, three quarters."""
KNOWN_BY_HALF = 10
RHYTHM = 90


def knowledge(attributes: dict[str, bool], *, why: str) -> tuple[Signal, ...]:
    """How much a customer has told, and how broadly they deal with us, from 0 to 1.

    ``k / (k + 10)``, where ``k`` is the number of attributes known, plus the different topics and
    channels of the last 365 days.

    Args:
        attributes: the names that count, and of each whether it is a number.
        why: one line that says why it matters.
    """
    told = tuple(
        signal
        for name, number in sorted(attributes.items())
        for signal in attribute(name, number=number, why=why)
    )
    known = (Signal("known", why, parts=told),) if told else ()
    everything = interactions()
    broad = [everything.distinct(column, days(365), why=why) for column in ("topic", "channel")]
    parts = (*known, *(signal for signals in broad for signal in signals))
    return (Signal("saturation", why, half=KNOWN_BY_HALF, parts=parts),)


def trust(*, why: str, half_life: int = TRUST_HALF_LIFE) -> tuple[Signal, ...]:
    """How far a customer has reason to trust us, from 0 to 1; who has no history is at one half.

    ``(1 - 2 ** -(1 + kept / 5)) * product(1 - 2 ** -(1 + age / half_life))``: the first factor
    rises slowly with promises kept; the product is over bad experiences and broken promises,
    each of which takes half at once and gives half of that back with every half-life.

    Args:
        why: one line that says why it matters.
        half_life: days; the default leaves a quarter of the drop after a year.
    """
    return (
        Signal(
            "trust",
            why,
            parts=(
                *interactions().of_cases("promises_kept", why=why),
                *interactions(role="negative").erosion(days(half_life), why=why),
                *interactions().promise_erosion(days(half_life), why=why),
            ),
        ),
    )


def exchange(*, why: str) -> tuple[Signal, ...]:
    """What is exchanged lately in both directions, from 0 to 1.

    ``(given / (given + 4) + received / (received + 1)) / 2``: ``given`` counts the customer's
    value interactions, ``received`` the offers they took, the interactions that say their case is
    resolved, and the promises kept in the last 365 days; all but promises count half after 90.
    """
    resolved = interactions(where=("resolved", "==", 1.0))
    received: tuple[Interactions, ...] = (interactions(role="offer_accepted"), resolved)
    parts = [
        signal
        for chosen in (interactions(role="value"), *received)
        for signal in chosen.decayed_count(days(90), why=why)
    ]
    parts += interactions().of_cases("promises_kept", days(365), why=why)
    return (Signal("exchange", why, parts=tuple(parts)),)


def stage(
    knowing: tuple[Signal, ...],
    trusting: tuple[Signal, ...],
    exchanging: tuple[Signal, ...],
    *,
    why: str,
) -> tuple[Signal, ...]:
    """The stage of a customer's engagement; missing for who never was one.

    The first of these that holds; silence is measured in usual gaps between value interactions,
    or in months where there is no gap yet:

    - lapsed: silent for 6 gaps or more, and for 60 days;
    - new: the first value interaction is less than 90 days old;
    - fading: silent for 3 gaps or more, or the last 90 days had a third or less of the 90 before,
      or trust is below 0.3;
    - advocate: recommended us in the last 365 days, and trust is one half or more;
    - committed: exchange is one half or more, and knowledge or trust is one half or more;
    - regular: exchange is a quarter or more;
    - casual: everyone else.
    """
    value = interactions(role="value")
    parts = (
        *value.days_since_first(why=why),
        *value.days_since_last(why=why),
        *value.gap_ratio(why=why),
        *value.trend(days(RHYTHM), why=why),
        *interactions(role="advocacy").count(days(365), why=why),
        *knowing,
        *trusting,
        *exchanging,
    )
    return (Signal("stage", why, number=False, parts=parts),)
