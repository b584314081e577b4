"""Words: what a signal's value says, with the right unit, number and plural."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from features.declaration import OF_COLUMN, Signal
from features.degrees import half_of, window_of
from features.english import ago, length, often, plural, said_number, span, through
from features.offers import Value
from features.phrases import NOTHING, OF_CASES, condition_of, rated, said_category, say_number

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
_DONE = {"offer_shown": "sent", "offer_accepted": "taken", "offer_declined": "declined"}
_EXTREME = {"mean": "on average", "minimum": "at worst", "maximum": "at best", "last": "last time"}
DECIMALS = {
    "CLP": 0,
    "ISK": 0,
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "BHD": 3,
    "JOD": 3,
    "KWD": 3,
    "TND": 3,
}
"""Of currencies whose smallest coin is no hundredth, ISO 4217."""
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
            return said_category(signal, str(value), self.things(signal)[1])
        number = float(value or 0.0)
        if signal.same == "offer" and signal.role in _DONE:
            return self._this_offer(signal, number)
        if signal.measure == "sum":
            return self._sum(signal, number)
        if signal.measure in (*OF_COLUMN, "decayed_sum"):
            return self._of_column(signal, number)
        if signal.measure == "ratio":
            return self._ratio(signal, number)
        one, many = self.things(signal)
        than = self.noun(signal.than)[0] if signal.than else ""
        return say_number(signal, number, one, many, than)

    def things(self, signal: Signal) -> tuple[str, str]:
        """Return one and many of what a signal measures.

        >>> from features.signals import interactions
        >>> (low,) = interactions("contact", where=("rating", "<", 0.5)).count(why="w")
        >>> Wording({}).things(low)
        ('contact with a low rating', 'contacts with a low rating')
        """
        one, many = self.noun(signal.role)
        if signal.kind:
            one = signal.kind.replace("_", " ")
            many = plural(one)
        said = f" {through(signal.channel)}" if signal.channel else ""
        said += f" about {signal.topic}" if signal.topic else ""
        condition = condition_of(signal.where) if signal.where else ""
        if condition == "with a low rating" and not (signal.role or signal.kind):
            one, many = "low rating", "low ratings"
        elif condition:
            said += f" {condition}"
        fits = {"topic": (" that fits the offer", " that fit the offer")}
        if signal.role not in (None, "value", "detail"):
            fits["topic"] = (" about what is offered",) * 2
        fits["offer"] = (" of this offer",) * 2
        one_fits, many_fit = fits.get(signal.same or "", ("", ""))
        return one + said + one_fits, many + said + many_fit

    def _this_offer(self, signal: Signal, number: float) -> str:
        done = _DONE[signal.role or ""]
        if signal.measure == "count":
            return f"this offer {f'{done} {often(number)}' if number else f'not {done}'}" + (
                window_of(signal)
            )
        if signal.measure == "days_since_last":
            return f"this offer last {done} {ago(number)}"
        one, many = self.things(signal)
        return say_number(signal, number, one, many, "")

    def _of_column(self, signal: Signal, number: float) -> str:
        column, how, lately = signal.column or "", signal.measure, window_of(signal)
        one, many = self.things(signal)
        if how == "decayed_sum":
            return f"{self._spent(signal, number)} {half_of(signal)}"
        told_apart = signal.role or signal.kind or signal.where or signal.same
        whose = f" over {many}" if told_apart else ""
        if column == "wait_minutes":
            return _waited(how, number) + whose + lately
        if column == "rating":
            return f"rated us {rated(number)} {_EXTREME[how]}{whose}{lately}"
        said = self._amount(column, number)
        if column == "amount" and how in ("minimum", "maximum", "last"):
            which = {"minimum": "smallest", "maximum": "largest", "last": "last"}[how]
            return f"{which} {one} {said}{lately}"
        each = {"mean": f"per {one} on average", "last": f"in the last {one}"}
        each |= {"minimum": f"or more in each {one}", "maximum": f"at most in one {one}"}
        return f"{said} {each[how]}{lately}"

    def _amount(self, column: str, number: float, in_all: str = "") -> str:
        if column == "amount":
            return self.money(number)
        if column == "wait_minutes":
            return f"{length(number / 1440)} of waiting" if number else "no waiting"
        if column == "rating":
            return f"ratings of {rated(number)} in all"
        name, much = column.replace("_", " "), said_number(number)
        # What is called by a plural is counted: "3 items", but "quantity 3".
        return f"{much} {name}" if name.endswith("s") else f"{name} {much}{in_all}"

    def _missing(self, signal: Signal) -> str:
        one, many = self.things(signal)
        lately = window_of(signal) or " yet"
        if signal.measure.startswith("gap"):
            return f"too few {many} to see a rhythm"
        if signal.measure == "trend":
            return f"no {many} in the last {span(2 * (signal.window or 1))}"
        if signal.measure == "trend_long_run":
            return f"too early to compare {many}"
        if signal.measure == "stage":
            return "not a customer yet"
        if signal.measure in OF_CASES:
            return f"no {NOTHING.get(signal.measure, 'case')}{window_of(signal)}"
        if signal.measure == "ratio":
            return "nothing to compare with"
        known = {
            "wait_minutes": "waiting recorded",
            "rating": "rating",
            "amount": f"{one} with an amount",
        }
        if signal.measure in OF_COLUMN:
            thing = known.get(
                signal.column or "", f"{(signal.column or '').replace('_', ' ')} known"
            )
            return f"no {thing}{lately}"
        if signal.same == "offer" and signal.role in _DONE:
            return f"this offer never {_DONE[signal.role]}"
        return f"no {one}{lately}"

    def _ratio(self, signal: Signal, number: float) -> str:
        above, below = signal.parts
        if (above.role, below.role) == ("offer_accepted", "offer_shown"):
            return f"takes an estimated {number:.0%} of offers sent{window_of(below)}"
        many, one = self.things(above)[1], self.things(below)[0]
        return f"an estimated {said_number(number)} {many} per {one}{window_of(below)}"

    def _sum(self, signal: Signal, number: float) -> str:
        return self._spent(signal, number) + window_of(signal)

    def _spent(self, signal: Signal, number: float) -> str:
        many = self.things(signal)[1]
        plain = self.noun(signal.role)[1] == many
        if signal.column == "amount":
            hardly = 0 < number < 0.05 and signal.measure == "decayed_sum"
            spent = "hardly anything" if hardly else self.money(number) if number else "nothing"
            return f"{spent} spent{'' if signal.role == 'value' and plain else f' on {many}'}"
        in_all = " in all" if signal.measure == "sum" else ""
        return self._amount(signal.column or "", number, in_all) + (
            "" if plain else f" over {many}"
        )

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
        return self._in_currency(amount, text)

    def exact(self, amount: float) -> str:
        """Return an amount as a receipt has it, to the currency's smallest coin.

        >>> Wording({}, "USD").exact(-111.5), Wording({}, "JPY").exact(980.0)
        ('-$111.50', '¥980')
        """
        return self._in_currency(amount, f"{abs(amount):,.{DECIMALS.get(self.currency, 2)}f}")

    def _in_currency(self, amount: float, text: str) -> str:
        sign = "-" if amount < 0 else ""
        if self.currency in SYMBOLS:
            return f"{sign}{SYMBOLS[self.currency]}{text}"
        return f"{sign}{text} {self.currency}".rstrip()


def _waited(how: str, minutes: float) -> str:
    long = length(minutes / 1440)
    if minutes < 0.5:
        said = {"mean": "hardly waited", "minimum": "did not wait once", "last": "did not wait"}
        return said.get(how, "hardly ever waited") + (" last time" if how == "last" else "")
    said = {"mean": f"{long} on average", "last": f"{long} last time", "maximum": f"up to {long}"}
    return f"waited {said.get(how, f'at least {long}')}"
