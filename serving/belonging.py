"""What belongs to a customer in the store: under which keys, and since when that is known."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from features import clock
from features.interactions import Attribute, Interaction
from serving.tables import ATTRIBUTES, IDENTITIES, INTERACTIONS

PART = 500
"""How many names one query asks for."""


class Share(NamedTuple):
    """Whose the records under a key are, and since when (microseconds UTC) that is known."""

    customer: str
    since: int


def histories(
    connection: sa.Connection, customers: Iterable[str]
) -> dict[str, tuple[list[Interaction], list[Attribute]]]:
    """Return the interactions and attributes of customers, those under their keys among them."""
    found: dict[str, tuple[list[Interaction], list[Attribute]]] = {
        customer: ([], []) for customer in customers
    }
    columns = [INTERACTIONS.c[name] for name in Interaction.__dataclass_fields__]
    of_key = shares(connection, list(found))
    keys = list(of_key)
    for begin in range(0, len(keys), PART):
        part = keys[begin : begin + PART]
        chosen = sa.select(*columns).where(INTERACTIONS.c.customer_id.in_(part))
        for row in connection.execute(chosen):
            for share in of_key[row[0]]:
                found[share.customer][0].append(_interaction(row, share))
        facts = sa.select(ATTRIBUTES).where(ATTRIBUTES.c.customer_id.in_(part))
        for key, known_at, name, value in connection.execute(facts):
            for customer, since in of_key[key]:
                found[customer][1].append(Attribute(customer, known_at, name, value, since))
    return found


def _interaction(row: Sequence[Any], share: Share) -> Interaction:
    """Build a customer's interaction from a row of its fields in their order, numbers as text."""
    _, occurred_at, recorded_at, *values, numbers = row
    recorded_at = max(recorded_at, share.since)
    further = json.loads(numbers) if numbers else {}
    return Interaction(share.customer, occurred_at, recorded_at, *[*values, further])


def shares(connection: sa.Connection, customers: Sequence[str]) -> dict[str, list[Share]]:
    """Return, by key, whose what is recorded under it is; a customer's name is a key too.

    The rules are those of ``features.identities``.
    """
    found = {customer: [Share(customer, clock.EVER)] for customer in customers}
    newest = {customer: list(own) for customer, own in found.items()}
    while newest:
        names, further = list(newest), dict[str, list[Share]]()
        for begin in range(0, len(names), PART):
            part = names[begin : begin + PART]
            query = sa.select(IDENTITIES).where(IDENTITIES.c.customer_id.in_(part))
            for key, owner, known_at in connection.execute(query):
                of_key = [
                    Share(customer, max(since, known_at)) for customer, since in newest[owner]
                ]
                further.setdefault(key, []).extend(of_key)
        for key, of_key in further.items():
            found.setdefault(key, []).extend(of_key)
        newest = further
    return found


def owners(connection: sa.Connection, keys: Iterable[str]) -> set[str]:
    """Return who keys belong to by all that is known."""
    query = sa.select(IDENTITIES.c.key, IDENTITIES.c.customer_id)
    owner = {key: customer for key, customer in connection.execute(query)}
    return {_last(owner, key) for key in keys}


def _last(owner: dict[str, str], key: str) -> str:
    while key in owner:
        key = owner[key]
    return key
