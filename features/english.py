"""English: plurals, counts, lengths of time and places, as people say them."""

import math
import re
from itertools import zip_longest

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = "January February March April May June July August September October November December"
_WINDOW = re.compile(r" in the last [0-9a-z ]+$")
_BY = {
    "web": "on the web",
    "website": "on the website",
    "app": "in the app",
    "store": "in the store",
    "shop": "in the shop",
    "branch": "in the branch",
    "social": "on social media",
}


def plural(noun: str) -> str:
    """Return the plural of an English noun.

    >>> plural("enquiry"), plural("purchase"), plural("branch visit")
    ('enquiries', 'purchases', 'branch visits')
    """
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def counted(number: float, one: str, many: str) -> str:
    """Return a number of things.

    >>> counted(0, "item", "items"), counted(1, "item", "items"), counted(1200, "item", "items")
    ('no items', '1 item', '1,200 items')
    """
    return f"no {many}" if number == 0 else f"{number:,.0f} {one if number == 1 else many}"


def a(noun: str) -> str:
    """Return a noun with its article.

    >>> a("complaint"), a("enquiry")
    ('a complaint', 'an enquiry')
    """
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def often(number: float) -> str:
    """Return how often something happened.

    >>> often(1), often(2), often(5)
    ('once', 'twice', '5 times')
    """
    return {1.0: "once", 2.0: "twice"}.get(number, f"{number:,.0f} times")


def through(channel: str) -> str:
    """Return how one deals with a business through a channel.

    >>> through("phone"), through("app"), through("live_chat")
    ('by phone', 'in the app', 'by live chat')
    """
    return _BY.get(channel.lower(), f"by {channel.replace('_', ' ')}")


def said_number(value: float) -> str:
    """Return a number with as many digits as a person would say."""
    if abs(value) >= 20 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 0.1 else f"{value:.1g}"


def ago(days: float) -> str:
    """Return how long ago something was.

    >>> [ago(d) for d in (0.2, 1.2, 3.7, 41.0, 400.0)]
    ['today', 'yesterday', '3 days ago', '6 weeks ago', '13 months ago']
    """
    if days < 1:
        return "today"
    return "yesterday" if days < 2 else f"{length(math.floor(days))} ago"


def length(days: float, after_every: bool = False) -> str:
    """Return a length of time in the unit that people would use.

    >>> length(3.4), length(41), length(0.4), length(1.0, after_every=True)
    ('3 days', '6 weeks', '10 hours', 'day')
    """
    units = (
        ("minute", 1 / 1440, 1 / 16),
        ("hour", 1 / 24, 0.9),
        ("day", 1, 28),
        ("week", 7, 84),
        ("month", 30.44, 730),
    )
    unit, size = next(((u, s) for u, s, until in units if days < until), ("year", 365.25))
    n = max(1, round(days / size))
    if after_every and n == 1:
        return unit
    return f"{n:,} {unit if n == 1 else unit + 's'}"


def span(days: int) -> str:
    """Return a window's length, which is a whole number of days and not rounded.

    >>> span(1), span(30), span(365)
    ('day', '30 days', '12 months')
    """
    return {1: "day", 365: "12 months"}.get(days, f"{days} days")


def joined(phrases: list[str]) -> str:
    """Return phrases as one line that begins with a capital; a window that two share is said once.

    >>> joined(["last purchase yesterday", "usually every 3 days"])
    'Last purchase yesterday, usually every 3 days'
    >>> joined(["1 case in the last 90 days", "2 contacts in the last 90 days"])
    '1 case, 2 contacts in the last 90 days'
    """
    said = [
        phrase.removesuffix(_window_at_end(following)) if following else phrase
        for phrase, following in zip_longest(phrases, phrases[1:], fillvalue="")
    ]
    text = ", ".join(said)
    return text[:1].upper() + text[1:]


def _window_at_end(phrase: str) -> str:
    found = _WINDOW.search(phrase)
    return found[0] if found else ""
