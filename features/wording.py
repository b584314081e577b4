"""Words: what a signal's value says, with the right unit, number and plural."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from features.declaration import OF_COLUMN, Signal
from features.offers import Value
from features.phrases import (
    NOTHING,
    OF_CASES,
    condition_of,
    length,
    plural,
    said_category,
    said_number,
    say_number,
    window_of,
)

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
        if missing:
            return self._missing(signal)
        if signal.unit == "category":
            return said_category(signal, str(value))
        number = float(value or 0.0)
        if signal.measure == "sum":
            return self._sum(signal, number)
        if signal.measure in (*OF_COLUMN, "decayed_sum"):
            return self._of_column(signal, number)
        if signal.measure == "ratio":
            return self._ratio(signal, number)
        one, many = self.things(signal)
        than = self.noun(signal.than)[0] if signal.than else ""
        return say_number(signal, number, one, many, than) + window_of(signal)

    def things(self, signal: Signal) -> tuple[str, str]:
        """Return one and many of what a signal measures.

        >>> from features.signals import interactions
        >>> (low,) = interactions("contact", where=("rating", "<", 0.5)).count(why="w")
        >>> Wording({}).things(low)
        ('contact with rating under 0.5', 'contacts with rating under 0.5')
        """
        one, many = self.noun(signal.role)
        if signal.kind:
            one = signal.kind.replace("_", " ")
            many = plural(one)
        said = f" by {signal.channel}" if signal.channel else ""
        said += f" about {signal.topic}" if signal.topic else ""
        said += " " + condition_of(signal.where) if signal.where else ""
        fits = {"topic": (" that fits the offer", " that fit the offer")}
        fits["offer"] = (" of this offer", " of this offer")
        one_fits, many_fit = fits.get(signal.same or "", ("", ""))
        return one + said + one_fits, many + said + many_fit

    def _of_column(self, signal: Signal, number: float) -> str:
        many = self.things(signal)[1]
        said = self._amount(signal.column or "", number)
        if signal.measure == "decayed_sum":
            return f"lately {said} over {many}, halved every {length(signal.half_life or 1)}"
        words = {"mean": "on average", "minimum": "at least", "maximum": "at most", "last": "last"}
        return f"{words[signal.measure]} {said} over {many}{window_of(signal)}"

    def _amount(self, column: str, number: float) -> str:
        if column == "amount":
            return self.money(number)
        if column == "wait_minutes":
            return f"{length(number / 1440)} of waiting"
        return f"{said_number(number)} {column.replace('_', ' ')}"

    def _missing(self, signal: Signal) -> str:
        if signal.measure.startswith(("gap", "trend")):
            return "too few for a rhythm"
        if signal.measure == "stage":
            return "not a customer yet"
        if signal.measure in OF_CASES:
            return f"no {NOTHING.get(signal.measure, 'case')}{window_of(signal)}"
        if signal.measure == "ratio":
            return "no offer to compare with"
        return f"no {self.things(signal)[0]} yet"

    def _ratio(self, signal: Signal, number: float) -> str:
        above, below = signal.parts
        said = f"{number:.0%}" if number <= 1 else said_number(number)
        return f"{self.things(above)[1]} per {self.things(below)[0]}: {said}{window_of(below)}"

    def _sum(self, signal: Signal, number: float) -> str:
        many = self.things(signal)[1]
        plain = self.noun(signal.role)[1] == many
        if signal.column == "amount":
            spent = self.money(number) if number else "nothing"
            on = "" if signal.role == "value" and plain else f" on {many}"
            return f"{spent} spent{on}{window_of(signal)}"
        said = self._amount(signal.column or "", number)
        return f"{said}{'' if plain else ' over ' + many}{window_of(signal)}"

    def _fact(self, signal: Signal, value: Value) -> str:
        if signal.measure == "offer_attribute" and signal.column == "days_valid":
            return "open-ended" if value is None else f"valid for {length(float(value))}"
        name = (signal.column or "").replace("_", " ")
        about = "offer " if signal.measure == "offer_attribute" else ""
        if value is None:
            return f"{about}{name} not known"
        return f"{about}{name}: {said_number(value) if isinstance(value, float) else value}"

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
