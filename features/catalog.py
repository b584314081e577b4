"""The catalogue: the list of signals, as a function of what the data has."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from features.composites import TRUST_HALF_LIFE, exchange, knowledge, stage, trust
from features.declaration import Signal
from features.errors import DeclarationError
from features.signals import (
    attribute,
    calendar,
    days,
    interactions,
    offer_attribute,
    ratio,
)

RECENCY = "value_days_since_last"
"""The one signal that every catalogue has: missing for who never was a customer."""
TREATMENT_COLUMNS = (
    "channel",
    "topic",
    "case_id",
    "offer_id",
    "wait_minutes",
    "rating",
    "resolved",
    "due_at",
)
"""Columns of interactions that a data set may lack, and that signals are built on."""
_EVERYTHING, _VALUE = interactions(), interactions(role="value")


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a data set has: roles, columns, attributes and offers that occur.

    ``numbers`` are the columns of numbers that value interactions hold, ``detail_numbers`` those
    of their parts. ``attributes`` and ``offer_attributes`` say of each name whether it is a number;
    ``columns``
    are those of ``TREATMENT_COLUMNS`` that hold anything, ``topics`` is whether offers have any.
    ``trust_half_life`` (days) and ``offer_prior`` (acceptance rate, weight) are the settings'.
    """

    roles: frozenset[str]
    numbers: tuple[str, ...] = ("amount",)
    detail_numbers: tuple[str, ...] = ("amount",)
    attributes: Mapping[str, bool] = field(default_factory=dict)
    offer_attributes: Mapping[str, bool] = field(default_factory=dict)
    topics: bool = False
    columns: frozenset[str] = frozenset()
    trust_half_life: int = TRUST_HALF_LIFE
    offer_prior: tuple[float, float] = (0.1, 5.0)


def customer_signals(shape: DataShape) -> tuple[Signal, ...]:
    """Return the signals that describe a customer at an instant."""
    signals = [*_rhythm(shape), *_spend(shape), *_roles(shape), *_habits(shape)]
    signals += [*_treatment(shape), *_journeys(shape), *_offers(shape), *_relationship(shape)]
    for name, number in sorted(shape.attributes.items()):
        signals += attribute(name, number=number, why="who they are shapes what they need")
    return _distinct(signals)


def offer_signals(shape: DataShape) -> tuple[Signal, ...]:
    """Return the signals that describe a customer and an offer at an instant."""
    signals = list(customer_signals(shape))
    if shape.topics:
        topical = interactions(role="detail" if "detail" in shape.roles else "value")
        why = "an offer fits who already buys in its topics"
        signals += topical.count(days(28, 90, 365), same="topic", why=why)
        signals += topical.days_since_last(same="topic", why=why)
        signals += topical.decayed_count(days(90), same="topic", why=why)
        for column in shape.detail_numbers if "detail" in shape.roles else shape.numbers:
            signals += topical.sum(column, days(90, 365), same="topic", why=why)
        if "negative" in shape.roles:
            signals += interactions(role="negative").count(
                days(90), same="topic", why="no one wants more of what went wrong"
            )
    if {"offer_id"} <= shape.columns and "offer_shown" in shape.roles:
        shown = interactions(role="offer_shown")
        signals += shown.count(days(90), same="offer", why="the same again is noise")
        signals += shown.days_since_last(same="offer", why="the same again is noise")
    for column in ("weekday", "hour"):
        signals += _EVERYTHING.fit(column, why="the right moment is their own")
    signals += calendar("month", why="some offers have a season")
    for name, number in sorted(shape.offer_attributes.items()):
        signals += offer_attribute(name, number=number, why="some offers are taken more often")
    return _distinct(signals)


def _rhythm(shape: DataShape) -> list[Signal]:
    signals = [
        *_VALUE.days_since_last(why="silence is the first sign"),
        *_VALUE.gap_mean(why="everyone has a rhythm of their own"),
        *_VALUE.gap_ratio(why="silence, measured by their own rhythm"),
        *_VALUE.gap_std(why="who is regular and stops, means it"),
        *_VALUE.gap_longest(why="they may have come back from a longer silence before"),
        *_VALUE.gap_percentile(why="silence, among the silences they came back from"),
        *_VALUE.decayed_count(days(7, 28, 90), why="what was recent counts most"),
        *_VALUE.trend(days(28, 56, 90), why="less than before is the way out"),
        *_VALUE.trend_long_run(days(28, 90), why="less than ever is the way out"),
        *_VALUE.days_since_first(why="the first months are the most fragile"),
        *_VALUE.count(days(7, 14, 28, 56, 90, 180, 365), why="how often they come"),
    ]
    if shape.roles != {"value"}:  # else they would say again what was said, as further reasons
        signals += _EVERYTHING.count(days(28, 90, 365), why="how much there is between us")
        signals += _EVERYTHING.days_since_last(why="any sign of life")
    signals += _EVERYTHING.distinct(
        "day", days(28, 90, 365), why="on how many days they deal with us"
    )
    return signals


def _spend(shape: DataShape) -> list[Signal]:
    signals: list[Signal] = []
    if "amount" in shape.numbers:
        signals += _VALUE.sum("amount", days(14, 28, 90, 365), why="how much they spend")
        signals += _VALUE.mean("amount", days(90), why="small baskets are for what others lack")
        signals += _VALUE.maximum("amount", days(90), why="whether theirs is the main shop")
        signals += _VALUE.last("amount", why="how the latest one went")
        signals += _VALUE.decayed_sum("amount", days(28), why="what was recent counts most")
    for column in shape.numbers:
        if column != "amount":
            signals += _VALUE.sum(column, days(28, 90, 365), why=f"how much {column} they have")
            signals += _VALUE.mean(column, days(90, 365), why=f"how much {column} each time")
    if "detail" in shape.roles:
        signals += interactions("detail").count(days(28, 90, 365), why="how broadly they buy")
    return signals


def _roles(shape: DataShape) -> list[Signal]:
    signals: list[Signal] = []
    for role, why in (
        ("contact", "who has to ask again is about to leave"),
        ("advocacy", "who recommends stays"),
        ("offer_shown", "too many offers tire"),
        ("offer_accepted", "who takes offers is engaged"),
        ("offer_declined", "a refusal is an answer"),
    ):
        if role in shape.roles:
            signals += interactions(role=role).count(days(28, 90, 365), why=why)
            signals += interactions(role=role).days_since_last(why=why)
    return signals


def _habits(shape: DataShape) -> list[Signal]:
    why = "habits hold, until they break"
    signals = [
        *_VALUE.favourite("weekday", why=why),
        *_VALUE.favourite_share("weekday", why=why),
        *_VALUE.favourite("hour", why=why),
        *_VALUE.favourite_share("hour", why=why),
    ]
    if "channel" in shape.columns:
        own = "nine in ten want their own channel"
        signals += _EVERYTHING.distinct("channel", days(90, 365), why="how broadly they reach us")
        signals += _EVERYTHING.favourite("channel", days(365), why=own)
        signals += _EVERYTHING.favourite_share("channel", days(365), why=own)
        if "contact" in shape.roles:
            signals += interactions("contact").favourite_share("channel", days(365), why=own)
    if "topic" in shape.columns:
        signals += _EVERYTHING.distinct("topic", days(90, 365), why="how broad the interest is")
    return signals


def _treatment(shape: DataShape) -> list[Signal]:
    signals: list[Signal] = []
    if "negative" in shape.roles:
        bad, why = interactions(role="negative"), "one bad experience loses some, three lose most"
        signals += bad.count(days(30, 90, 365), why=why)
        signals += [*bad.reached(1, days(365), why=why), *bad.reached(3, days(365), why=why)]
        signals += bad.days_since_last(why="trust comes back slowly")
        signals += bad.decayed_count(days(90), why="what was recent counts most")
    if "wait_minutes" in shape.columns:
        why = "almost everyone thinks less of slow answers"
        signals += _EVERYTHING.mean("wait_minutes", days(90, 365), why=why)
        signals += _EVERYTHING.maximum("wait_minutes", days(90, 365), why=why)
        signals += _EVERYTHING.last("wait_minutes", why=why)
    if "rating" in shape.columns:
        low, why = interactions(where=("rating", "<", 0.5)), "they said so themselves"
        signals += _EVERYTHING.mean("rating", days(365), why=why)
        signals += _EVERYTHING.minimum("rating", days(365), why=why)
        signals += _EVERYTHING.last("rating", why=why)
        signals += [*low.count(days(90, 365), why=why), *low.days_since_last(why=why)]
    if "due_at" in shape.columns:
        for measure in ("promises_kept", "promises_broken"):
            why = "trust is promises kept, again and again"
            signals += _EVERYTHING.of_cases(measure, days(90, 365), why=why)
    return signals


def _journeys(shape: DataShape) -> list[Signal]:
    signals: list[Signal] = []
    if "topic" in shape.columns and "contact" in shape.roles:
        why = "nine in ten resent repeating themselves"
        for within in (7, 30):
            signals += interactions("contact").repeated("topic", within, days(90, 365), why=why)
    if "case_id" not in shape.columns:
        return signals
    why = "failing over the whole journey angers most"
    signals += _EVERYTHING.distinct("case_id", days(90, 365), why=why)
    signals += _EVERYTHING.of_cases("case_contacts", days(365), why=why)
    signals += _EVERYTHING.of_cases("case_contacts_most", days(90, 365), why=why)
    if "channel" in shape.columns:
        handed = "two hand-overs, and almost half give up"
        signals += _EVERYTHING.of_cases("handovers", days(90, 365), why=handed)
        signals += _EVERYTHING.of_cases("handovers_most", days(365), why=handed)
    if "resolved" in shape.columns:
        unsolved = "what is not solved is not over"
        for measure in ("cases_open", "oldest_open_case"):
            signals += _EVERYTHING.of_cases(measure, why=unsolved)
        for measure in (
            "cases_reopened",
            "unresolved_share",
            "resolution_mean",
            "resolution_longest",
        ):
            signals += _EVERYTHING.of_cases(measure, days(365), why=unsolved)
    return signals


def _offers(shape: DataShape) -> list[Signal]:
    if "offer_shown" not in shape.roles:
        return []
    shown, taken = interactions(role="offer_shown"), interactions(role="offer_accepted")
    signals: list[Signal] = []
    if "offer_accepted" in shape.roles:
        why = "who took offers takes offers"
        signals += ratio(
            taken.count(days(90, 365), why=why),
            shown.count(days(90, 365), why=why),
            prior=shape.offer_prior,
            why=why,
        )
        signals += shown.count_since("offer_accepted", why="ignored in a row, they tire")
    if "negative" in shape.roles:
        why = "no sales call after a complaint"
        signals += shown.count_after("negative", 30, days(90, 365), why=why)
    return signals


def _relationship(shape: DataShape) -> list[Signal]:
    knowing = knowledge(dict(shape.attributes), why="who has told much wants to be known")
    trusting = trust(
        half_life=shape.trust_half_life, why="trust is lost at once and regained slowly"
    )
    exchanging = exchange(why="a relationship gives in both directions")
    staged = stage(knowing, trusting, exchanging, why="every relationship has its stages")
    treated = {"negative"} & shape.roles or {"due_at"} & shape.columns
    return [*knowing, *(trusting if treated else ()), *exchanging, *staged]


def _distinct(signals: list[Signal]) -> tuple[Signal, ...]:
    names: dict[str, Signal] = {}
    for signal in signals:
        if signal.name in names:
            raise DeclarationError(
                "signal name",
                repr(signal.name),
                "a name of its own",
                f"Rename the column '{signal.column}' in the source's mapping.",
            )
        names[signal.name] = signal
    return tuple(signals)
