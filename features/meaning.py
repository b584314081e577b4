"""Meaning: a sentence that says exactly what a signal measures, derived from its declaration."""

from features.declaration import Comparison, Signal
from features.english import a, plural, said_number
from features.sentences import CATEGORY, CODED, OPEN, PARTS, SENTENCES
from features.wording import Wording

PLAIN = Wording({})
"""Calls the interactions of a role by the role's own noun."""


def meaning(signal: Signal, wording: Wording = PLAIN) -> str:
    """Return what a signal measures: what, in which window, and what missing means.

    Args:
        signal: the signal.
        wording: how a deployment calls things.

    >>> from features.signals import days, interactions
    >>> (bad,) = interactions(role="negative").count(days(90), why="it loses them")
    >>> meaning(bad, Wording({"negative": ("complaint",)}))
    'number of complaints in the 90 days before the instant'
    """
    one, many = _subject(signal, wording)
    window = f" in the {_days(signal.window)} before the instant" if signal.window else ""
    filtered = many != "interactions"
    than = wording.noun(signal.than)[0] if signal.than else ""
    thing, same = CATEGORY.get(signal.column or "", ("", ""))
    ratio, weight = signal.prior or (0.0, 0.0)
    said = SENTENCES[signal.measure].format(
        one=one,
        many=many,
        window=window,
        window_days=signal.window,
        half_life=signal.half_life,
        least=signal.least,
        within=signal.within,
        half=signal.half,
        than=than,
        a_than=a(than),
        column=(signal.column or "").replace("_", " "),
        thing=thing,
        things=plural(thing),
        coded=CODED.get(signal.column or "", ""),
        same=same,
        both=", which lies in the window too" if signal.window else "",
        open=OPEN,
        judged=f", seeing only the {many}{window}" if filtered or window else "",
        made=(f" in {many}" if filtered else "") + window,
        part=PARTS.get(signal.column or "", ""),
        parts=_made_of(signal, wording),
        added=f"{ratio:g} * {weight:g}",
        weight=f"{weight:g}",
    )
    return said + ("; missing without an offer" if signal.same else "")


def unit_of(signal: Signal, currency: str = "") -> str:
    """Return the unit that people would write beside the value."""
    named = {"amount": currency or "money", "wait_minutes": "minutes", "rating": "0 to 1"}
    fact = signal.measure in ("attribute", "offer_attribute")
    return (
        ("number" if fact else named.get(signal.unit, signal.unit)) if signal.number else "category"
    )


def _subject(signal: Signal, wording: Wording) -> tuple[str, str]:
    """Return one and many of what is measured, exactly."""
    one, many = wording.noun(signal.role)
    if signal.kind:
        one = signal.kind.replace("_", " ")
        many = plural(one)
    said = f" through the channel {signal.channel}" if signal.channel else ""
    said += f" about the topic {signal.topic}" if signal.topic else ""
    fits = {"topic": " about one of the offer's topics", "offer": " about the offer itself"}
    said += fits.get(signal.same or "", "")
    where, of_many = (_condition(signal.where, n) if signal.where else "" for n in (1, 2))
    return one + said + where, many + said + of_many


def _condition(where: Comparison, number: int) -> str:
    column, comparison, bound = where
    if column == "resolved":
        yes = (comparison == "==") == (bound == 1.0)
        return f" that say{'s' * (number == 1)} {'resolved' if yes else 'not resolved'}"
    return f" with {column.replace('_', ' ')} {comparison} {said_number(bound)}"


def _made_of(signal: Signal, wording: Wording) -> str:
    if signal.measure == "known":
        return ", ".join((part.column or "").replace("_", " ") for part in signal.parts)
    return "; ".join(meaning(part, wording) for part in signal.parts)


def _days(window: int) -> str:
    return f"{window} days" if window > 1 else "day"
