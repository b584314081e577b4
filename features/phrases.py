"""Phrases: what numbers, lengths of time and categories sound like."""

import math

from features.declaration import Comparison, Signal
from features.measures import CODES

OF_CASES = tuple(n for n in CODES if CODES["case_contacts"] <= CODES[n] <= CODES["promises_broken"])
NOTHING = {
    "oldest_open_case": "open case",
    "resolution_mean": "case resolved",
    "resolution_longest": "case resolved",
}
"""What there is none of when a measure of cases is missing; else there is no case."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = "January February March April May June July August September October November December"
_THINGS = {
    "channel": ("channel", "channels"),
    "topic": ("topic", "topics"),
    "case_id": ("case", "cases"),
    "offer_id": ("offer", "offers"),
    "day": ("day", "days"),
    "weekday": ("weekday", "weekdays"),
    "hour": ("hour of the day", "hours of the day"),
}
_SAID = {
    "days_since_last": "last {one} {ago}",
    "days_since_first": "first {one} {ago}",
    "gap_mean": "usually every {every}",
    "gap_ratio": "silent for {times} the usual gap",
    "gap_std": "gaps differ by {length}",
    "gap_longest": "longest gap {length}",
    "gap_percentile": "longer silent than {share} of their gaps",
    "decayed_count": "lately {number} {many}, halved every {half}",
    "erosion": "{many} left {share} of the trust",
    "promise_erosion": "broken promises left {share} of the trust",
    "favourite_share": "{share} of {many} {favourite}",
    "fit": "{share} of {many} {fits}",
    "case_contacts": "{number} contacts per case",
    "case_contacts_most": "up to {contacts} in one case",
    "handovers": "handed over {often}",
    "handovers_most": "handed over up to {often} in one case",
    "cases_open": "{open}",
    "oldest_open_case": "a case open for {length}",
    "cases_reopened": "cases reopened {often}",
    "unresolved_share": "{share} of cases unresolved",
    "resolution_mean": "a case takes {length}",
    "resolution_longest": "a case took {length}",
    "promises_kept": "{kept}",
    "promises_broken": "{broken}",
    "known": "{known} about them",
    "saturation": "knowledge at {share}",
    "trust": "trust at {share}",
    "exchange": "exchange of value at {share}",
}


def say_number(signal: Signal, number: float, one: str, many: str, than: str) -> str:
    """Return a phrase for a number, without its window.

    Args:
        signal: the signal.
        number: its value.
        one: one of what is measured.
        many: several of what is measured.
        than: one of what it is compared with.
    """
    within = length(signal.within or 1)
    things = _THINGS.get(signal.column or "", ("", ""))
    if signal.measure == "count":
        return counted(number, one, many)
    if signal.measure == "reached":
        return _reached(signal.least or 1, number > 0, many)
    if signal.measure in ("trend", "trend_long_run"):
        return _trend(signal, number, many)
    if signal.measure == "count_since":
        return f"{counted(number, one, many)} since the last {than}"
    if signal.measure == "count_after":
        return f"{counted(number, one, many)} within {within} after a {than}"
    if signal.measure == "repeated":
        return f"{counted(number, one, many)} on a {things[0]} of the {within} before"
    if signal.measure == "distinct":
        return f"{many} on {counted(number, *things)}".replace("on no", "on none of the")
    if signal.measure == "calendar":
        return _calendar(signal.column or "", int(number))
    if signal.measure == "favourite":
        return f"{many} mostly {_calendar(signal.column or '', int(number))}"
    return _SAID[signal.measure].format(
        one=one,
        many=many,
        ago=ago(number),
        every=length(number, after_every=True),
        length=length(number),
        times=_times(number),
        share=f"{number:.0%}",
        number=said_number(number),
        half=length(signal.half_life or 1),
        favourite=f"in the favourite {things[0]}",
        fits="on this weekday" if signal.column == "weekday" else "at this hour",
        often="once" if number == 1 else "never" if number == 0 else f"{number:,.0f} times",
        contacts=counted(number, "contact", "contacts"),
        open=counted(number, "open case", "open cases"),
        kept=counted(number, "promise kept", "promises kept"),
        broken=counted(number, "broken promise", "broken promises"),
        known=counted(number, "fact known", "facts known"),
    )


def said_category(signal: Signal, value: str) -> str:
    """Return a phrase for a category."""
    if signal.measure == "stage":
        return f"engagement: {value}"
    how = "by" if signal.column == "channel" else "about"
    return f"mostly {how} {value.replace('_', ' ')}{window_of(signal)}"


def condition_of(where: Comparison) -> str:
    """Return a comparison in words."""
    column, comparison, bound = where
    if column == "resolved":
        return "resolved" if (comparison == "==") == (bound == 1) else "unresolved"
    words = {"<": "under", "<=": "up to", ">": "over", ">=": "of at least", "==": "of", "!=": "not"}
    return f"with {column.replace('_', ' ')} {words[comparison]} {said_number(bound)}"


def _reached(least: int, yes: bool, many: str) -> str:
    if least == 1:
        return f"some {many}" if yes else f"no {many}"
    return f"{least} or more {many}" if yes else f"fewer than {least} {many}"


def _trend(signal: Signal, number: float, many: str) -> str:
    than = "the days before" if signal.measure == "trend" else "usual"
    how = "as many" if abs(number) < 0.1 else "fewer" if number < 0 else "more"
    return f"{how} {many} {'as' if how == 'as many' else 'than'} {than}"


def _calendar(part: str, number: int) -> str:
    if part == "weekday":
        return f"on a {WEEKDAYS[number % 7]}"
    if part == "hour":
        return f"at {number:02d}:00"
    return f"on day {number} of the month" if part == "day_of_month" else _month(number)


def _month(number: int) -> str:
    return f"in {MONTHS.split()[(number - 1) % 12]}"


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


def joined(phrases: list[str]) -> str:
    """Return phrases as one line that begins with a capital.

    >>> joined(["last purchase yesterday", "usually every 3 days"])
    'Last purchase yesterday, usually every 3 days'
    """
    text = ", ".join(phrases)
    return text[:1].upper() + text[1:]


def window_of(signal: Signal) -> str:
    """Return in which window a signal looks, with a space before it."""
    if signal.window is None:
        return ""
    if signal.window == 365:
        return " in the last 12 months"
    return f" in the last {signal.window} days" if signal.window > 1 else " in the last day"


def _times(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def said_number(value: float) -> str:
    """Return a number with as many digits as a person would say."""
    if abs(value) >= 20 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 0.1 else f"{value:.1g}"
