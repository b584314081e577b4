"""What a person is told of rows that a history can say little about."""

import numpy as np
import pyarrow as pa

from features.asked import notes
from features.batch import Spine
from features.history import History, attributes_table, interactions_table
from features.identities import IDENTITIES_SCHEMA
from features.offers import Offer
from tests.engines import at
from tests.strategies import AS_OF, DAY

HISTORY = History(
    interactions_table([at(AS_OF - DAY), at(AS_OF - 2 * DAY)]),
    attributes_table([]),
    {"o": Offer("o")},
    known_until=AS_OF,
    identities=pa.Table.from_pylist(
        [{"key": "cookie", "customer_id": "c", "known_at": AS_OF}], schema=IDENTITIES_SCHEMA
    ),
)


def told(customers: list[str], instants: list[int], offers: list[str | None]) -> list[str]:
    spine = Spine(
        pa.array(customers, pa.string()),
        np.array(instants, dtype=np.int64),
        pa.array(offers, pa.string()) if any(offers) else None,
    )
    return list(notes(HISTORY, spine))


def test_ordinary_rows_need_no_words() -> None:
    assert told(["c", "cookie"], [AS_OF, AS_OF - DAY], ["o", None]) == []


def test_what_is_strange_is_counted() -> None:
    got = told(["c", "ghost", "ghost"], [AS_OF + 1, AS_OF - 2 * DAY, AS_OF], ["o", "nix", None])
    assert [note.split(" of ")[0] for note in got] == ["1", "1", "1", "1"]
    assert got[0] == "1 of 2 customers have no interaction"
    assert "after all that is known" in got[1]
    assert got[2] == "1 of 2 offers are not in the table of offers"
    assert got[3] == "1 of 3 rows are of a time before the first interaction"


def test_no_rows_are_told() -> None:
    assert told([], [], []) == ["no rows are asked for"]
