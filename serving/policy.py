"""Contact policy: which offers may be made now, and the fact that holds each other one back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features import clock
from features.interactions import Interaction
from features.offers import Offer


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An offer that is not made: the rule, and the fact behind it in words."""

    offer_id: str
    rule: str
    because: str


def hold_back(
    offer: Offer,
    channel: str | None,
    accepted: Sequence[Interaction],
    as_of: int,
    zone: str,
) -> HeldBack | None:
    """Return why an offer may not be made, ``None`` when it may.

    Args:
        offer: the offer considered.
        channel: where it would be made; ``None`` is anywhere.
        accepted: the customer's acceptances of offers known at the instant.
        as_of: the instant, microseconds since 1970 UTC.
        zone: the time zone in which dates are told.
    """
    if not offer.open_at(as_of):
        if as_of >= offer.valid_to:
            last = _day(clock.to_datetime(offer.valid_to - 1, zone))
            return HeldBack(offer.offer_id, "validity", f"ended on {last}")
        first = _day(clock.to_datetime(offer.valid_from, zone))
        return HeldBack(offer.offer_id, "validity", f"begins on {first}")
    if channel is not None and offer.channels and channel not in offer.channels:
        made = ", ".join(sorted(offer.channels))
        return HeldBack(offer.offer_id, "channel", f"made by {made} only")
    taken = [item for item in accepted if item.offer_id == offer.offer_id]
    if taken:
        when = _day(clock.to_datetime(taken[0].occurred_at, zone))
        return HeldBack(offer.offer_id, "accepted", f"accepted on {when}")
    return None


def _day(moment: datetime) -> str:
    """Return a date in words.

    >>> _day(datetime(2017, 12, 4))
    '4 December 2017'
    """
    return f"{moment.day} {moment:%B %Y}"
