"""Snapshots: the rows that ask for every customer at some instants."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.batch import Spine
from features.contents import distinct
from features.history import History
from features.identities import owners, standing


def snapshot_spine(history: History, instants: list[int]) -> Spine:
    """Return every customer at every instant; keys of others are customers until it is known."""
    said, keys = history.identities, distinct(history.interactions, "customer_id")
    met = pc.is_in(owners(said, said["key"]), owners(said, keys))
    customers = pa.concat_arrays([keys, pc.unique(said["customer_id"].filter(met))]).unique().sort()
    n = len(customers)
    rows = customers.take(np.tile(np.arange(n), len(instants)))
    as_of = np.repeat(np.array(instants, dtype=np.int64), n)
    own = standing(said, rows, as_of)
    return Spine(rows.filter(own), as_of[own])
