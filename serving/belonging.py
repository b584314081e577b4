"""What belongs to a customer in the store: under which keys, and since when that is known."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from features import clock
from features.interactions import ORDER, Attribute, Interaction
from features.timeline import Timeline
from serving.records import SELECTED, TEXTS, interaction, is_storable, numbers_of
from serving.tables import IDENTITIES

# One statement for any number of names is prepared once; PostgreSQL's drivers write %s.
AMONG = {"sqlite": "IN (SELECT value FROM json_each(?))", "postgresql": "= ANY(%s)"}
# Canonical order but for further numbers, which only tell apart what is the same in all else.
EXACT = {"sqlite": "", "postgresql": ' COLLATE "C"'}
ORDERED = ("customer_id", *ORDER)
EVERYBODY = """
WITH RECURSIVE names(name) AS (
  SELECT min(customer_id) FROM interactions
  UNION ALL
  SELECT (SELECT min(customer_id) FROM interactions WHERE customer_id > name)
  FROM names WHERE name IS NOT NULL)
SELECT name FROM names WHERE name IS NOT NULL"""
"""Steps from name to name along the key, and passes over the rows between."""


Histories = dict[str, tuple[Sequence[Interaction], list[Attribute]]]
"""Of each customer the interactions, in canonical order, and the attributes."""


class Share(NamedTuple):
    """Whose the records under a key are, and since when (microseconds UTC) that is known."""

    customer: str
    since: int


class Belongings:
    """What a store holds of customers, read in one transaction.

    Args:
        cursor: the driver's cursor.
        dialect: the database's, ``sqlite`` or ``postgresql``.
    """

    def __init__(self, cursor: Any, dialect: str) -> None:
        self._cursor, self._sqlite = cursor, dialect == "sqlite"
        among = AMONG[dialect]
        columns = ", ".join(SELECTED)
        ordered = ", ".join(
            f"{name}{EXACT[dialect] if name in TEXTS else ''} NULLS FIRST" for name in ORDERED
        )
        self._interactions = (
            f"SELECT {columns} FROM interactions WHERE customer_id {among} ORDER BY {ordered}"
        )
        self._attributes = (
            f"SELECT customer_id, known_at, name, value FROM attributes WHERE customer_id {among}"
        )
        self._identities = (
            f"SELECT key, customer_id, known_at FROM identities WHERE customer_id {among}"
        )
        self._owners = f"SELECT key, customer_id, known_at FROM identities WHERE key {among}"

    def histories(self, customers: Iterable[str]) -> Histories:
        """Return the interactions and attributes of customers, those under their keys too."""
        names = list(dict.fromkeys(customers))
        of_key = self.shares(names)
        keys = list(of_key)
        several = {name: list[Interaction]() for name in _of_several(of_key)}
        whole = dict[str, Timeline]()
        for key, recorded in groupby(self._rows(self._interactions, keys), itemgetter(0)):
            rows = list(recorded)
            for customer, since in of_key[key]:
                if customer in several:
                    several[customer] += [interaction(customer, since, row) for row in rows]
                else:
                    whole[customer] = _timeline(customer, rows)
        facts = {name: list[Attribute]() for name in names}
        for key, known_at, name, value in self._rows(self._attributes, keys):
            for customer, since in of_key[key]:
                facts[customer].append(Attribute(customer, known_at, name, value, since))
        whole |= {name: Timeline.of(items) for name, items in several.items()}
        return {name: (whole.get(name) or Timeline.of(()), facts[name]) for name in names}

    def shares(self, customers: Sequence[str]) -> dict[str, list[Share]]:
        """Return, by key, whose what is recorded under it is; a customer's name is a key too.

        The rules are those of ``features.identities``.
        """
        found = {customer: [Share(customer, clock.EVER)] for customer in customers}
        newest = {customer: list(own) for customer, own in found.items()}
        while newest:
            further = dict[str, list[Share]]()
            for key, owner, known_at in self._rows(self._identities, list(newest)):
                of_key = [
                    Share(customer, max(since, known_at)) for customer, since in newest[owner]
                ]
                further.setdefault(key, []).extend(of_key)
            for key, of_key in further.items():
                found.setdefault(key, []).extend(of_key)
            newest = further
        return found

    def whose(self, names: Sequence[str], at: int) -> list[str]:
        """Return of each name whose it is by what was known before an instant, or the name."""
        owner = {name: name for name in names}
        known = list(owner)
        while known:
            step = {key: of for key, of, since in self._rows(self._owners, known) if since < at}
            owner = {name: step.get(last, last) for name, last in owner.items()}
            known = list(set(step.values()))
        return [owner[name] for name in names]

    def _rows(self, query: str, names: list[str]) -> Iterable[Sequence[Any]]:
        # What cannot be stored is nobody's name, and PostgreSQL's driver fails at it.
        storable = [name for name in names if is_storable(name)]
        if not storable:
            return []
        self._cursor.execute(query, (json.dumps(storable) if self._sqlite else storable,))
        rows: Iterable[Sequence[Any]] = self._cursor
        return rows


def _of_several(of_key: Mapping[str, Sequence[Share]]) -> set[str]:
    """Return the customers who are recorded under further keys than their own name."""
    return {share.customer for key, of in of_key.items() for share in of if share.customer != key}


def _timeline(customer: str, rows: list[Sequence[Any]]) -> Timeline:
    """Return a customer's timeline from all of their rows, which came in order.

    No source and id is stored twice. Of rows that are the same but for further numbers, the
    order is not that of the database, which keeps these as text.
    """

    def make() -> list[Interaction]:
        return [interaction(customer, clock.EVER, row) for row in rows]

    if any(a[1] == b[1] and a[1:-1] == b[1:-1] and a[-1] != b[-1] for a, b in pairwise(rows)):
        return Timeline.of(make())
    *columns, numbers = zip(*rows, strict=True)
    return Timeline([*columns, numbers_of(numbers)], make)


def last_recorded(cursor: Any) -> int:
    """Return the committed recording clock."""
    cursor.execute("SELECT last_recorded FROM clock")
    return int(cursor.fetchone()[0])


def owners(connection: sa.Connection, keys: Iterable[str]) -> set[str]:
    """Return who keys belong to by all that is known."""
    query = sa.select(IDENTITIES.c.key, IDENTITIES.c.customer_id)
    owner = {key: customer for key, customer in connection.execute(query)}
    return {_last(owner, key) for key in keys}


def owner_of(connection: sa.Connection, key: str) -> str:
    """Return whose a key is by all that is known; a name that is no key is its own."""
    query = sa.select(IDENTITIES.c.customer_id)
    while (found := connection.scalar(query.where(IDENTITIES.c.key == key))) is not None:
        key = found
    return key


def keys_of(connection: sa.Connection, customer: str) -> list[str]:
    """Return the names that a customer is recorded under, their own first."""
    found = [customer]
    for name in found:
        query = sa.select(IDENTITIES.c.key).where(IDENTITIES.c.customer_id == name)
        found += sorted(connection.scalars(query))  # no identity leads back: this ends
    return found


def _last(owner: dict[str, str], key: str) -> str:
    while key in owner:
        key = owner[key]
    return key
