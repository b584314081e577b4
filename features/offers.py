"""Offers: what can be proposed to a customer, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from features import clock

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to propose.

    ``value`` is what the business gains when it is accepted, ``cost`` what proposing it costs,
    ``customer_value`` what the customer gains: money in the project's currency. It can be
    accepted in ``[valid_from, valid_to)``, microseconds since 1970 UTC, ``stock`` times in all
    (``None``: as often as anybody likes). No channels means any.
    """

    offer_id: str
    topics: frozenset[str] = frozenset()
    value: float = 0.0
    customer_value: float = 0.0
    cost: float = 0.0
    channels: frozenset[str] = frozenset()
    valid_from: int = clock.EVER
    valid_to: int = 2**63 - 1
    stock: int | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)

    def open_at(self, instant: int) -> bool:
        """Whether it can be accepted at an instant, microseconds since 1970 UTC."""
        return self.valid_from <= instant < self.valid_to

    def worth(self, probability: float) -> float:
        """Return what proposing it is expected to bring the business, its cost deducted.

        >>> Offer("1", value=10.0, cost=0.5).worth(0.25)
        2.0
        """
        return probability * self.value - self.cost

    def attribute(self, name: str) -> Value:
        """Return one attribute; ``days_valid`` and ``topics`` (their number) are derived.

        >>> Offer("1", topics=frozenset({"TEA", "MILK"})).attribute("topics")
        2.0
        """
        if name == "topics":
            return float(len(self.topics))
        if name == "stock":
            return None if self.stock is None else float(self.stock)
        if name == "days_valid":
            undated = self.valid_from == clock.EVER or self.valid_to == 2**63 - 1
            return None if undated else (self.valid_to - self.valid_from) / clock.DAY
        return self.attributes.get(name)


DERIVED_ATTRIBUTES = ("days_valid", "topics")
