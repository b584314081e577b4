"""The rules of contact: why an offer may not be made to a customer now, each with its fact.

Every rule is asked of every offer and none knows of another, so that their order changes nothing.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from features import clock
from features.english import counted
from features.offers import Offer
from serving.policy import ANY, Eligibility, Policy, microseconds
from serving.situation import Situation

YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "on", "granted"})


@dataclass(frozen=True, slots=True)
class Held:
    """The rule that holds an offer back, and the fact behind it in words."""

    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule is asked about: an offer, to a customer, in a channel.

    ``channel`` is where it would be made, ``None`` is anywhere; dates are told in ``zone``.
    """

    policy: Policy
    situation: Situation
    offer: Offer
    channel: str | None
    zone: str

    def day(self, instant: int) -> str:
        """Return an instant's date in words."""
        return day_of(clock.to_datetime(instant, self.zone))


Rule = Callable[[Moment], str | None]


def validity(m: Moment) -> str | None:
    """An offer is made while it can be accepted."""
    if m.offer.open_at(m.situation.as_of):
        return None
    if m.situation.as_of >= m.offer.valid_to:
        return f"ended on {m.day(m.offer.valid_to - 1)}"
    return f"begins on {m.day(m.offer.valid_from)}"


def stock(m: Moment) -> str | None:
    """What is gone is not offered."""
    if m.offer.stock is None or m.situation.taken.get(m.offer.offer_id, 0) < m.offer.stock:
        return None
    return f"none left of {m.offer.stock:,}"


def channel(m: Moment) -> str | None:
    """An offer is made in its own channels."""
    if m.channel is None or not m.offer.channels or m.channel in m.offer.channels:
        return None
    return f"made by {', '.join(sorted(m.offer.channels))} only"


def consent(m: Moment) -> str | None:
    """Who has not agreed to be contacted is not, in a channel or at all."""
    if m.policy.consent and not _agreed(m, m.policy.consent):
        return f"{_plain(m.policy.consent)} is {_said(m, m.policy.consent)}"
    if m.policy.channel_consent and not channels_for(m):
        asked = [m.channel] if m.channel is not None else sorted(m.offer.channels)
        return f"no consent to contact by {' or '.join(asked) or 'any channel'}"
    return None


def eligibility(m: Moment) -> str | None:
    """An offer fits whom it is for."""
    for each in m.policy.eligibility:
        if (not each.topics or m.offer.topics & set(each.topics)) and (fact := _unfit(m, each)):
            return fact
    return None


def benefit(m: Moment) -> str | None:
    """An offer brings the customer something, too."""
    if m.offer.customer_value >= m.policy.minimum_customer_value:
        return None
    least = m.policy.minimum_customer_value
    return f"worth {m.offer.customer_value:,.2f} to the customer, at least {least:,.2f} is asked"


def accepted(m: Moment) -> str | None:
    """Who has accepted an offer is not asked again."""
    taken = m.situation.accepted.get(m.offer.offer_id)
    return None if taken is None or m.policy.repeat_accepted else f"accepted on {m.day(taken)}"


def refusal(m: Moment) -> str | None:
    """A refusal is an answer, for a while."""
    refused = m.situation.declined.get(m.offer.offer_id)
    span = microseconds(m.policy.after_refusal)
    if refused is None or refused < m.situation.as_of - span:
        return None
    return f"refused on {m.day(refused)}: not again before {m.day(refused + span)}"


def complaint(m: Moment) -> str | None:
    """No sales call after a complaint."""
    when, span = m.situation.complained, microseconds(m.policy.quiet_after_complaint)
    if when is None or when < m.situation.as_of - span:
        return None
    return f"complaint on {m.day(when)}: quiet until {m.day(when + span)}"


def open_case(m: Moment) -> str | None:
    """First what is open is solved."""
    n = m.situation.cases_open
    if not m.policy.quiet_while_open or not n > 0:
        return None
    return f"{counted(n, 'case', 'cases')} still open"


def control(m: Moment) -> str | None:
    """To the control group nothing is proposed, so that what offers do can be measured."""
    inside = in_control_group(m.situation.customer_id, m.policy.control_share)
    return "in the control group, to which nothing is proposed" if inside else None


RULES: Mapping[str, Rule] = {
    "validity": validity,
    "stock": stock,
    "channel": channel,
    "consent": consent,
    "eligibility": eligibility,
    "benefit": benefit,
    "accepted": accepted,
    "refusal": refusal,
    "complaint": complaint,
    "open_case": open_case,
    "control": control,
}
"""The rules that look at one offer alone. ``serving.frequency`` looks at those beside it, too, and
``silence`` holds back what is not expected to bring what proposing it costs."""
FREQUENCY, SILENCE = "frequency", "silence"


def holding(m: Moment) -> tuple[Held, ...]:
    """Return every rule that holds an offer back, with its fact."""
    told = ((name, rule(m)) for name, rule in RULES.items())
    return tuple(Held(name, because) for name, because in told if because is not None)


def channels_for(m: Moment) -> tuple[str | None, ...]:
    """Return where an offer may be made, the customer's preferred channel first.

    ``None`` among them is anywhere: neither the request nor the offer names a channel.
    """
    named: list[str | None] = [m.channel] if m.channel is not None else [*sorted(m.offer.channels)]
    own = m.situation.attributes.get(m.policy.preferred_channel)
    if not named:
        named = [own] if own else [None]
    pattern = m.policy.channel_consent
    agreed = [
        c for c in named if not pattern or (c and _agreed(m, pattern.replace("{channel}", c)))
    ]
    return tuple(sorted(agreed, key=lambda c: c != own))


def in_control_group(customer_id: str, share: float) -> bool:
    """Return whether a customer is in the control group: the same at any time and in any process.

    >>> in_control_group("1", 0.0), in_control_group("1", 1.0)
    (False, True)
    """
    if not share:  # as it is unless the settings say otherwise
        return False
    digest = hashlib.sha256(f"control:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def day_of(moment: datetime) -> str:
    """Return a date in words.

    >>> day_of(datetime(2017, 12, 4))
    '4 December 2017'
    """
    return f"{moment.day} {moment:%B %Y}"


def _agreed(m: Moment, attribute: str) -> bool:
    return m.situation.attributes.get(attribute, "").strip().lower() in YES


def _said(m: Moment, attribute: str) -> str:
    return (
        f"'{m.situation.attributes[attribute]}'"
        if attribute in m.situation.attributes
        else ("not known")
    )


def _unfit(m: Moment, each: Eligibility) -> str | None:
    """Return why a customer is not whom an eligibility asks for."""
    if each.signal or each.at_least is not None or each.at_most is not None:
        return _out_of_bounds(m, each)
    if each.offer_attribute:
        wanted = m.offer.attribute(each.offer_attribute)
        if wanted is None or wanted == ANY:
            return None
        allowed: tuple[str, ...] = (str(wanted),)
    else:
        allowed = each.one_of
    if m.situation.attributes.get(each.attribute) in allowed:
        return None
    return f"for {each.named} {' or '.join(allowed)}; theirs is {_said(m, each.attribute)}"


def _out_of_bounds(m: Moment, each: Eligibility) -> str | None:
    if each.signal:
        value = m.situation.signals.get(each.signal, math.nan)
    else:
        value = _number(m.situation.attributes.get(each.attribute, ""))
    low = -math.inf if each.at_least is None else each.at_least
    high = math.inf if each.at_most is None else each.at_most
    if low <= value <= high:
        return None
    asked = [f"at least {low:g}"] if low > -math.inf else []
    asked += [f"at most {high:g}"] if high < math.inf else []
    said = "not known" if math.isnan(value) else f"{value:g}"
    return f"{each.named} is {said}, {' and '.join(asked)} is asked"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _plain(name: str) -> str:
    return name.replace("_", " ")
