"""Words: what a signal's value says, with the right unit, number and plural."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from features.declaration import OF_COLUMN, Signal
from features.offers import Value

NOUNS: dict[str, tuple[str, str]] = {
    "value": ("purchase", "purchases"),
    "detail": ("item", "items"),
    "negative": ("bad experience", "bad experiences"),
    "contact": ("contact", "contacts"),
    "advocacy": ("recommendation", "recommendations"),
    "exit": ("cancellation", "cancellations"),
    "offer_shown": ("offer sent", "offers sent"),
    "offer_accepted": ("offer taken", "offers taken"),
    "offer_declined": ("offer declined", "offers declined"),
    "other": ("other contact", "other contacts"),
}
_RHYTHM = {
    "gap_ratio": "silent for {times} the usual gap",
    "gap_std": "gaps differ by {length}",
    "gap_longest": "longest gap {length}",
    "gap_percentile": "longer silent than {share} of their gaps",
    "decayed_count": "lately {number} {many}, halved every {half}",
}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


@dataclass(frozen=True, slots=True)
class Wording:
    """How a deployment calls things: the kinds of each role, and its currency."""

    roles: Mapping[str, tuple[str, ...]]
    currency: str = ""

    def noun(self, role: str | None) -> tuple[str, str]:
        """Return one and many of a role: the name of its only kind, else the role's own.

        >>> Wording({"value": ("policy_renewal",)}).noun("value")
        ('policy renewal', 'policy renewals')
        """
        if role is None:
            return "interaction", "interactions"
        kinds = self.roles.get(role, ())
        if len(kinds) == 1 and not role.startswith("offer"):
            one = kinds[0].replace("_", " ")
            return one, plural(one)
        return NOUNS[role]

    def say(self, signal: Signal, value: Value) -> str:
        """Return a phrase for the value, without a capital or a full stop.

        >>> from features.signals import days, interactions
        >>> (bought,) = interactions(role="value").count(days(28), why="frequency")
        >>> Wording({"value": ("purchase",)}).say(bought, 1.0)
        '1 purchase in the last 28 days'
        """
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        if signal.measure in ("attribute", "offer_attribute"):
            return self._fact(signal, None if missing else value)
        one, many = self.noun(signal.role)
        fits = " that fit the offer" if signal.same else ""
        if missing:
            return self._missing(signal, one, many, fits)
        number = float(value or 0.0)
        if signal.measure == "count":
            fit = fits.replace("fit ", "fits ") if number == 1 else fits
            return f"{counted(number, one, many)}{fit}{_window(signal)}"
        if signal.measure == "sum":
            return self._sum(signal, number, many, fits)
        if signal.measure == "days_since_last":
            return f"last {one}{fits.replace('fit ', 'fits ')} {ago(number)}"
        if signal.measure == "days_since_first":
            return f"first {one} {ago(number)}"
        if signal.measure == "gap_mean":
            return f"usually every {length(number, after_every=True)}"
        if signal.measure in ("trend", "trend_long_run"):
            return self._trend(signal, number, many)
        if signal.measure in OF_COLUMN:
            return self._of_column(signal, number, many)
        return _RHYTHM[signal.measure].format(
            many=many,
            length=length(number),
            times=_times(number),
            share=f"{number:.0%}",
            number=_number(number),
            half=length(signal.half_life or 1),
        )

    def _trend(self, signal: Signal, number: float, many: str) -> str:
        than = "the days before" if signal.measure == "trend" else "usual"
        how = "as many" if abs(number) < 0.1 else "fewer" if number < 0 else "more"
        return f"{how} {many}{_window(signal)} {'as' if how == 'as many' else 'than'} {than}"

    def _of_column(self, signal: Signal, number: float, many: str) -> str:
        column = (signal.column or "").replace("_", " ")
        said = self.money(number) if signal.column == "amount" else f"{_number(number)} {column}"
        if signal.measure == "decayed_sum":
            return f"lately {said} over {many}, halved every {length(signal.half_life or 1)}"
        words = {"mean": "on average", "minimum": "at least", "maximum": "at most", "last": "last"}
        return f"{words[signal.measure]} {said} over {many}{_window(signal)}"

    def _missing(self, signal: Signal, one: str, many: str, fits: str) -> str:
        if signal.measure.startswith(("gap", "trend")):
            return "too few for a rhythm"
        return f"no {one}{fits.replace('fit ', 'fits ')} yet"

    def _sum(self, signal: Signal, number: float, many: str, fits: str) -> str:
        if signal.column == "amount":
            spent = self.money(number) if number else "nothing"
            on = "" if signal.role == "value" and not fits else f" on {many}"
            return f"{spent} spent{on}{fits}{_window(signal)}"
        column = (signal.column or "").replace("_", " ")
        return f"{_number(number)} {column}{' over ' + many if fits else ''}{fits}{_window(signal)}"

    def _fact(self, signal: Signal, value: Value) -> str:
        if signal.measure == "offer_attribute" and signal.column == "days_valid":
            return "open-ended" if value is None else f"valid for {length(float(value))}"
        name = (signal.column or "").replace("_", " ")
        about = "offer " if signal.measure == "offer_attribute" else ""
        if value is None:
            return f"{about}{name} not known"
        return f"{about}{name}: {_number(value) if isinstance(value, float) else value}"

    def money(self, amount: float) -> str:
        """Return an amount in the currency, rounded to what a person says.

        >>> Wording({}, "USD").money(1234.5), Wording({}, "CHF").money(9.5)
        ('$1,234', '9.50 CHF')
        """
        text = f"{abs(amount):,.0f}" if abs(amount) >= 20 else f"{abs(amount):,.2f}"
        text = text if amount == 0 or float(text.replace(",", "")) else f"{abs(amount):.1g}"
        sign = "-" if amount < 0 else ""
        if self.currency in SYMBOLS:
            return f"{sign}{SYMBOLS[self.currency]}{text}"
        return f"{sign}{text} {self.currency}".rstrip()


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
    units = (("hour", 1 / 24, 0.9), ("day", 1, 28), ("week", 7, 84), ("month", 30.44, 730))
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


def _window(signal: Signal) -> str:
    if signal.window is None:
        return ""
    if signal.window == 365:
        return " in the last 12 months"
    return f" in the last {signal.window} days" if signal.window > 1 else " in the last day"


def _times(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def _number(value: float) -> str:
    if abs(value) >= 20 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 0.1 else f"{value:.1g}"
