"""Phrases: what the value of each measure sounds like to who talks with the customer."""

from features.declaration import Comparison, Signal
from features.degrees import IN_ONE, THINGS, said_by_degree, window_of
from features.english import a, ago, counted, length, often, said_number, span, through
from features.measures import CODES

OF_CASES = tuple(n for n in CODES if CODES["case_contacts"] <= CODES[n] <= CODES["promises_broken"])
NOTHING = {
    "oldest_open_case": "open case",
    "resolution_mean": "case resolved",
    "resolution_longest": "case resolved",
}
"""What there is none of when a measure of cases is missing; else there is no case."""
_STAGES = {
    "new": "a customer for less than 90 days",
    "fading": "a customer who comes less often than before or trusts us little",
    "lapsed": "a customer who has been silent for very long",
    "advocate": "a customer who recommends us",
}
_SAID = {
    "days_since_last": "last {one} {ago}",
    "days_since_first": "first {one} {ago}",
    "gap_mean": "usually every {every}",
    "gap_std": "gaps between {many} vary by {length}",
    "gap_longest": "longest gap between {many} {length}",
    "favourite_share": "{share} of {many} {usual}",
    "fit": "{part} {usual}",
    "case_contacts": "{number} contacts per case",
    "oldest_open_case": "a case open for {length}",
    "resolution_mean": "{length} to resolve a case on average",
    "resolution_longest": "up to {length} to resolve a case",
}
_COUNTED = {
    "cases_open": ("no open case", "1 open case", "{n} open cases"),
    "cases_reopened": ("no case reopened", "1 case reopened", "cases reopened {often}"),
    "case_contacts_most": (
        "no case",
        "at most 1 contact per case",
        "up to {n} contacts in one case",
    ),
    "handovers": (
        "never passed between channels",
        "passed between channels once",
        "passed between channels {often}",
    ),
    "handovers_most": (
        "never passed between channels",
        "passed between channels once in one case",
        "passed between channels {often} in one case",
    ),
    "promises_kept": ("no promise kept", "1 promise kept", "{n} promises kept"),
    "promises_broken": ("no broken promise", "1 broken promise", "{n} broken promises"),
    "known": ("no fact known about them", "1 fact known about them", "{n} facts known about them"),
}
"""None, one and several of what is counted."""


def say_number(signal: Signal, number: float, one: str, many: str, than: str) -> str:
    """Return a phrase for a number, its window included.

    Args:
        signal: the signal.
        number: its value.
        one: one of what is measured.
        many: several of what is measured.
        than: one of what it is compared with.
    """
    special = said_by_degree(signal, number, many)
    if special is not None:
        return special
    lately = window_of(signal)
    if signal.measure in ("count", "count_since", "count_after"):
        return f"{counted(number, one, many)}{_compared(signal, than)}{lately}"
    if signal.measure in _COUNTED:
        said = _COUNTED[signal.measure][int(min(number, 2))]
        return said.format(n=f"{number:,.0f}", often=often(number)) + lately
    things = THINGS.get(signal.column or "", ("", ""))
    how = IN_ONE.get(signal.column or "", "")
    usual = f"{how} {'this' if signal.measure == 'fit' else 'their usual'} {things[0]}"
    return (
        _SAID[signal.measure].format(
            one=one,
            many=many,
            ago=ago(number),
            every=length(number, after_every=True),
            length=length(number),
            share=f"{number:.0%}",
            part=f"{number:.0%} of {many}" if number else f"no {many}",
            number=said_number(number),
            usual=usual,
        )
        + lately
    )


def said_category(signal: Signal, value: str, many: str) -> str:
    """Return a phrase for a category."""
    if signal.measure == "stage":
        return _STAGES.get(value, f"a {value} customer")
    how = through(value) if signal.column == "channel" else f"about {value.replace('_', ' ')}"
    of = f"{many} " if signal.role or signal.kind else ""
    return f"{of}most often {how}{window_of(signal)}"


def condition_of(where: Comparison) -> str:
    """Return a comparison in words.

    >>> condition_of(("rating", "<", 0.5)), condition_of(("wait_minutes", ">", 60.0))
    ('with a low rating', 'with wait minutes over 60')
    """
    column, comparison, bound = where
    if column == "resolved":
        return "resolved" if (comparison == "==") == (bound == 1) else "unresolved"
    words = {"<": "under", "<=": "up to", ">": "over", ">=": "of at least", "==": "of", "!=": "not"}
    if column == "rating":
        low = comparison in ("<", "<=") and bound <= 0.5
        return "with a low rating" if low else f"with a rating {words[comparison]} {rated(bound)}"
    return f"with {column.replace('_', ' ')} {words[comparison]} {said_number(bound)}"


def rated(rating: float) -> str:
    """Return a rating, which is 0 to 1, as people give one.

    >>> rated(0.83)
    '8.3 out of 10'
    """
    return f"{said_number(round(10 * rating, 1))} out of 10"


def _compared(signal: Signal, than: str) -> str:
    if signal.measure == "count_since":
        return f" since the last {than}"
    within = f" within {span(signal.within or 1)} after {a(than)}"
    return within if signal.measure == "count_after" else ""
