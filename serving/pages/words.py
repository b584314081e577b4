"""Words of the pages: numbers, days, rules and what happened, as people say them."""

from datetime import datetime

from features import clock
from features.english import length, said_number, through
from features.interactions import Interaction
from features.phrases import rated
from features.wording import Wording
from serving.rules import day_of

MINUS = "\N{MINUS SIGN}"
RULES = {
    "validity": "Not valid now",
    "stock": "None left",
    "channel": "Another channel",
    "consent": "No consent",
    "eligibility": "Not for them",
    "benefit": "Too little for them",
    "accepted": "Accepted already",
    "refusal": "Refused",
    "complaint": "After a complaint",
    "open_case": "First solve what is open",
    "control": "Control group",
    "frequency": "Shown often enough",
    "silence": "Not worth its cost",
}
"""What each rule of contact says."""
BANDS = {
    "low": "Low risk",
    "medium": "Medium risk",
    "high": "High risk",
    "lapsed": "Already gone",
    "unknown": "Not a customer yet",
}


def percent(share: float) -> str:
    """Return a probability as people read it.

    >>> percent(0.12345), percent(0.0)
    ('12.3%', '0.0%')
    """
    return f"{share:.1%}"


def points(tenths: int) -> str:
    """Return a difference of probability from tenths of a percentage point.

    >>> points(124), points(-3), points(0)
    ('+12.4', '\N{MINUS SIGN}0.3', '0.0')
    """
    sign = {1: "+", -1: MINUS}.get((tenths > 0) - (tenths < 0), "")
    return f"{sign}{abs(tenths) / 10:.1f}"


def moment_of(instant: int, zone: str) -> str:
    """Return an instant in words.

    >>> moment_of(1514783400000000, "America/New_York")
    '1 January 2018, 00:10'
    """
    moment = clock.to_datetime(instant, zone)
    return f"{day_of(moment)}, {moment:%H:%M}"


def weekday_of(moment: datetime) -> str:
    """Return a day with its weekday.

    >>> weekday_of(datetime(2018, 1, 1))
    'Monday, 1 January 2018'
    """
    return f"{moment:%A}, {day_of(moment)}"


def plain(name: str) -> str:
    """Return a name of the settings or the data as words that begin with a capital.

    >>> plain("service_request"), plain("SOFT DRINKS")
    ('Service request', 'SOFT DRINKS')
    """
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def happened(item: Interaction) -> str:
    """Return what happened and where.

    >>> happened(Interaction("1", 0, 0, "service_request", channel="phone", topic="cards"))
    'Service request by phone about cards'
    """
    where = f" {through(item.channel)}" if item.channel else ""
    return f"{plain(item.kind)}{where}{f' about {item.topic}' if item.topic else ''}"


def details(item: Interaction, wording: Wording, zone: str) -> list[str]:
    """Return what else is known of an interaction, each in a few words."""
    said = []
    if item.amount is not None:
        said.append(wording.exact(item.amount))
    if item.wait_minutes:
        said.append(f"waited {length(item.wait_minutes / 1440)}")
    if item.rating is not None:
        said.append(f"rated {rated(item.rating)}")
    if item.resolved is not None:
        said.append("solved" if item.resolved else "not solved")
    if item.due_at is not None:
        said.append(f"promised by {day_of(clock.to_datetime(item.due_at, zone))}")
    if item.offer_id is not None:
        said.append(f"offer {item.offer_id}")
    if item.case_id is not None:
        said.append(f"case {item.case_id}")
    for name, value in sorted(item.numbers.items()):
        if value:
            said.append(f"{name.replace('_', ' ')} {said_number(value)}")
    return said
