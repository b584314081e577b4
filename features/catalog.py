"""The catalogue: the list of signals, as a function of what the data has."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from features.declaration import Signal
from features.errors import DeclarationError
from features.signals import attribute, days, interactions, offer_attribute

RECENCY = "value_days_since_last"
"""The one signal that every catalogue has: missing for who never was a customer."""


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a data set has: the roles that occur, its numeric columns, attributes and offers.

    ``attributes`` and ``offer_attributes`` say of each name whether it is a number.
    """

    roles: frozenset[str]
    numbers: tuple[str, ...] = ("amount",)
    attributes: Mapping[str, bool] = field(default_factory=dict)
    offer_attributes: Mapping[str, bool] = field(default_factory=dict)
    topics: bool = False


def customer_signals(shape: DataShape) -> tuple[Signal, ...]:
    """Return the signals that describe a customer at an instant."""
    value, detail = interactions(role="value"), interactions(role="detail")
    signals = [
        *value.days_since_last(why="silence is the first sign"),
        *value.gap_mean(why="everyone has a rhythm of their own"),
        *value.gap_ratio(why="silence, measured by their own rhythm"),
        *value.gap_std(why="who is regular and stops, means it"),
        *value.gap_longest(why="they may have come back from a longer silence before"),
        *value.gap_percentile(why="silence, among the silences they came back from"),
        *value.decayed_count(days(7, 28, 90), why="what was recent counts most"),
        *value.trend(days(28, 56), why="less than before is the way out"),
        *value.trend_long_run(days(28, 90), why="less than ever is the way out"),
        *value.days_since_first(why="the first months are the most fragile"),
        *value.count(days(7, 14, 28, 56, 90, 180, 365), why="how often they come"),
    ]
    if "amount" in shape.numbers:
        signals += value.sum("amount", days(14, 28, 90, 365), why="how much they spend")
        signals += value.mean("amount", days(90), why="small baskets are for what others lack")
        signals += value.maximum("amount", days(90), why="whether theirs is the main shop")
        signals += value.last("amount", why="how the latest one went")
        signals += value.decayed_sum("amount", days(28), why="what was recent counts most")
    for column in shape.numbers:
        if column != "amount":
            signals += value.sum(column, days(28, 90, 365), why=f"how much {column} they have")
    if "detail" in shape.roles:
        signals += detail.count(days(28, 90, 365), why="how broadly they buy")
    for role, why in (
        ("negative", "one bad experience loses some, three lose most"),
        ("contact", "who has to ask again is about to leave"),
        ("advocacy", "who recommends stays"),
        ("offer_shown", "too many offers tire"),
        ("offer_accepted", "who takes offers is engaged"),
        ("offer_declined", "a refusal is an answer"),
    ):
        if role in shape.roles:
            signals += interactions(role=role).count(days(28, 90, 365), why=why)
            signals += interactions(role=role).days_since_last(why=why)
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
        if "amount" in shape.numbers:
            signals += topical.sum("amount", days(90, 365), same="topic", why=why)
    for name, number in sorted(shape.offer_attributes.items()):
        signals += offer_attribute(name, number=number, why="some offers are taken more often")
    return _distinct(signals)


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
