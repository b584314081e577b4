"""Kinds: what the names of kinds and tables say of what happened."""

from collections.abc import Mapping

from features.sources.profile import singular, words_of
from features.sources.words import GROUP, HAPPENED, MEANINGS, PEOPLE

CALLED = {"value": "purchase", "detail": "item", "negative": "complaint", "contact": "enquiry"}
CALLED |= {"advocacy": "review", "exit": "cancellation"}
OWN = {"return": "return", "returned": "return", "refund": "return", "chargeback": "chargeback"}
OWN |= {"dispute": "dispute", "referral": "referral", "refer": "referral"}
"""Words after which a kind is called, where its role would call it otherwise."""


def role_of(kind: str) -> str | None:
    """Return the role that a kind's name speaks of, ``None`` where it says nothing.

    >>> role_of("purchase"), role_of("Support-Call"), role_of("page_view")
    ('value', 'contact', None)
    """
    words = singular(words_of(kind))
    return next((role for role, names in MEANINGS.items() if words & names), None)


def is_of_people(label: str) -> bool:
    """Whether a table's name speaks of people, and not of what they did.

    >>> is_of_people("customers"), is_of_people("customer_orders"), is_of_people("export")
    (True, False, False)
    """
    called = singular(words_of(label))
    happened = called & (GROUP | HAPPENED) or role_of(label) not in (None, "detail")
    return bool(called & PEOPLE) and not happened


def kind_of(label: str) -> str | None:
    """Return the kind of what a table holds by its name, ``None`` where that says nothing.

    >>> kind_of("returns"), kind_of("refund_2024"), kind_of("Orders"), kind_of("export")
    ('return', 'return', 'purchase', None)
    """
    role = role_of(label)
    if role is None:
        return None
    own = (OWN[word] for word in sorted(singular(words_of(label)) & MEANINGS[role]) if word in OWN)
    return next(own, CALLED.get(role, role))


def roles_of(kinds: Mapping[str, bool]) -> dict[str, list[str]]:
    """Return the roles of kinds by their names; ``kinds`` says of each whether it has amounts.

    Something must carry value: where no name says so, what has amounts, else the first.
    """
    roles: dict[str, list[str]] = {}
    for kind in kinds:
        roles.setdefault(role_of(kind) or "other", []).append(kind)
    if "value" not in roles:
        paid = [
            kind for kind, has_amounts in kinds.items() if has_amounts and role_of(kind) is None
        ]
        chosen = paid or [kind for kind in kinds if role_of(kind) is None][:1] or [*kinds][:1]
        for role in list(roles):
            roles[role] = [kind for kind in roles[role] if kind not in chosen]
        roles["value"] = chosen
    return {role: sorted(found) for role, found in roles.items() if found}
