"""The shape of the data: what a history has, and all that one could have."""

from features.catalog import TREATMENT_COLUMNS, DataShape
from features.contents import distinct, filled
from features.declaration import ROLES
from features.history import History
from features.sections import Roles

FULL = DataShape(
    roles=frozenset(ROLES),
    numbers=("amount", "items"),
    detail_numbers=("amount", "items"),
    attributes={"age": True, "city": False},
    offer_attributes={"days_valid": True, "type": False},
    topics=True,
    columns=frozenset(TREATMENT_COLUMNS),
)
"""All roles and columns; its further column (items) and its attributes stand for any others."""


def shape_of(history: History, roles: Roles) -> DataShape:
    """Return what a history has, from which the catalogue follows."""
    kinds = set(distinct(history.interactions, "kind").to_pylist())
    has = filled(history.interactions, TREATMENT_COLUMNS)
    columns = ("amount", *history.numbers)
    of_value = filled(history.interactions, columns, roles.kinds("value"))
    of_detail = filled(history.interactions, columns, roles.kinds("detail"))
    return DataShape(
        roles=frozenset(role for role in ROLES if kinds & set(roles.kinds(role))),
        numbers=tuple(name for name in columns if name in of_value),
        detail_numbers=tuple(name for name in columns if name in of_detail),
        attributes=history.attribute_numbers,
        offer_attributes=history.offer_numbers,
        topics="topic" in has and any(offer.topics for offer in history.offers.values()),
        columns=frozenset(has),
        trust_half_life=history.constants.half_life_days,
        offer_prior=(history.constants.offer_rate, history.constants.offer_weight),
    )
