"""What is asked: rows that a history can say little or nothing about."""

from collections.abc import Iterator

import pyarrow.compute as pc

from features import clock
from features.batch import Spine
from features.contents import distinct, first_instant
from features.history import History
from features.identities import owners


def notes(history: History, spine: Spine) -> Iterator[str]:
    """Yield what a person would want to know about the rows asked for, a line each."""
    if len(spine) == 0:
        yield "no rows are asked for"
        return
    customers = spine.customer_id.unique()
    known = owners(history.identities, distinct(history.interactions, "customer_id"))
    asked = owners(history.identities, customers)
    if strange := len(customers) - int(pc.sum(pc.is_in(asked, known)).as_py() or 0):
        yield f"{strange:,} of {len(customers):,} customers have no interaction"
    if late := int((spine.as_of > history.known_until).sum()):
        until = clock.isoformat(history.known_until)
        yield f"{late:,} of {len(spine):,} rows are of a time after all that is known, {until}"
    if spine.offer_id is not None:
        offers = spine.offer_id.drop_null().unique().to_pylist()
        if strange := sum(offer not in history.offers for offer in offers):
            yield f"{strange:,} of {len(offers):,} offers are not in the table of offers"
    first = first_instant(history.interactions)
    if first is not None and (early := int((spine.as_of <= first).sum())):
        yield f"{early:,} of {len(spine):,} rows are of a time before the first interaction"
