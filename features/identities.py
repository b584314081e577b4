"""Identities: keys of source systems that turned out to be a customer's, joined as known.

The rules, which every engine, label and list keeps because it asks here:

- An identity says that ``key`` belongs to ``customer_id`` from ``known_at`` on; one without a date
  is known since ever. Keys and customers share one space of names.
- What is recorded under a key counts for the customer once both are known: for that customer it
  was recorded (a fact: counts) after the later of the two times. A fact stays as old as it is:
  of those that count, the latest is the one that was known last, whenever its key was.
- At an instant after ``known_at`` the key is no customer of its own any more; before, it was one,
  with its own history, and stays one in every row about that time.
- A key belongs to one customer: the first known stays, as with interactions of one id; nothing
  that is known is unsaid later. Those known at once are taken in order of key and customer.
- Keys may lead on: K to L and L to C make K's interactions C's once both are known. An identity
  that would lead a key back to itself is left out.
- A label looks at what came later under all keys that were known to be the same customer's: of
  churn before its window closed, of an offer when it was accepted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import clock

Int64 = npt.NDArray[np.int64]
EVERMORE = 2**63 - 1
IDENTITIES_SCHEMA = pa.schema(
    [("key", pa.string()), ("customer_id", pa.string()), ("known_at", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Identities that agree: each key once, none leading back to itself.

    ``late`` of those given are from after the time asked for, ``contested`` give a key to a
    second customer, and ``circular`` lead back.
    """

    identities: pa.Table
    late: int = 0
    contested: int = 0
    circular: int = 0


def resolve(identities: pa.Table, known_until: int = EVERMORE) -> Resolved:
    """Keep the identities that are known before an instant and agree.

    Whether one is kept depends on those known before it alone, so that a later one changes
    nothing about the past.
    """
    early = identities.filter(pc.less(identities["known_at"], known_until))
    order = [(name, "ascending") for name in ("known_at", "key", "customer_id")]
    owner: dict[str, str] = {}
    kept, contested, circular = [], 0, 0
    rows = early.select(IDENTITIES_SCHEMA.names).sort_by(order)
    for place, (key, customer) in enumerate(
        zip(rows["key"].to_pylist(), rows["customer_id"].to_pylist(), strict=True)
    ):
        if customer in (key, owner.get(key)):
            continue
        if key in owner:
            contested += 1
        elif _last(owner, customer) == key:
            circular += 1
        else:
            owner[key] = customer
            kept.append(place)
    agreed = rows.take(pa.array(kept, pa.int64())).cast(IDENTITIES_SCHEMA)
    return Resolved(agreed, len(identities) - len(early), contested, circular)


def _last(owner: dict[str, str], customer: str) -> str:
    while customer in owner:
        customer = owner[customer]
    return customer


def owners(
    identities: pa.Table, customers: pa.Array | pa.ChunkedArray, instants: Int64 | None = None
) -> pa.Array:
    """Return whose each key was known to be just before an instant: often nobody else's.

    Args:
        identities: resolved ones.
        customers: customers or keys, shape ``(n,)``.
        instants: microseconds since 1970 UTC, shape ``(n,)``; by default after all is known.
    """
    customers = _whole(customers)
    if len(identities) == 0:
        return customers
    names, owner, since = _forest(identities)
    at = np.array(pc.index_in(customers, names).fill_null(-1), dtype=np.int64)
    moving = np.flatnonzero(at >= 0)
    while len(moving):
        moving = moving[owner[at[moving]] >= 0]
        if instants is not None:
            moving = moving[since[at[moving]] < instants[moving]]
        at[moving] = owner[at[moving]]
    return pc.coalesce(names.take(pa.array(at, mask=at < 0)), customers)


def standing(identities: pa.Table, customers: pa.Array, instants: Int64) -> npt.NDArray[np.bool_]:
    """Return who was a customer of their own just before an instant, and no other's key."""
    if len(identities) == 0:
        return np.ones(len(customers), dtype=bool)
    own = pc.equal(owners(identities, customers, instants), customers).fill_null(True)
    return np.array(own, dtype=bool)


def shares(identities: pa.Table, customers: pa.Array) -> pa.Table:
    """Return under which keys what belongs to customers is recorded, and since when it does.

    Args:
        identities: resolved ones.
        customers: distinct customers.

    Returns:
        ``customer_id`` (the key, or the customer's own name), ``c`` (the customer's place) and
        ``since``, ``clock.EVER`` for the customer's own name.
    """
    own = pa.table(
        {
            "customer_id": customers,
            "c": np.arange(len(customers), dtype=np.int32),
            "since": np.full(len(customers), clock.EVER, dtype=np.int64),
        }
    )
    if len(identities) == 0:
        return own
    names, owner, since = _forest(identities)
    key = np.flatnonzero(owner >= 0)
    to, at = owner[key], since[key]
    tables = [own]
    while len(key):
        c = pc.index_in(names.take(to), customers)
        further = pa.table({"customer_id": names.take(key), "c": c, "since": at})
        tables.append(further.filter(pc.is_valid(c)).cast(own.schema))
        on = owner[to] >= 0
        key, at, to = key[on], np.maximum(at, since[to])[on], owner[to][on]
    return pa.concat_tables(tables)


def _forest(identities: pa.Table) -> tuple[pa.Array, Int64, Int64]:
    """Return the names, the place of each one's owner (-1: none), and since when it is known."""
    keys, customers = _whole(identities["key"]), _whole(identities["customer_id"])
    names = pa.concat_arrays([keys, customers]).unique()
    at = np.array(pc.index_in(keys, names), dtype=np.int64)
    owner = np.full(len(names), -1, dtype=np.int64)
    since = np.full(len(names), clock.EVER, dtype=np.int64)
    owner[at] = np.array(pc.index_in(customers, names), dtype=np.int64)
    since[at] = np.array(identities["known_at"], dtype=np.int64)
    return names, owner, since


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
