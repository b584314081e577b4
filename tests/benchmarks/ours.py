"""Rapport as one of the contestants: the one place of the benchmarks that knows its engine.

``python -m tests.benchmarks.ours TASK`` runs the batch engine alone in its process.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from features import batch, online
from features.declaration import Signal
from features.history import ATTRIBUTES_SCHEMA, History
from features.interactions import Interaction
from features.plan import Plan
from features.values import SignalValues
from tests.benchmarks.catalogue import plan_of
from tests.benchmarks.histories import END
from tests.benchmarks.peers.session import Session


def history_of(folder: Path) -> History:
    """Return the interactions of a folder of Parquet files as a history."""
    return History(pyarrow.dataset.dataset(folder), ATTRIBUTES_SCHEMA.empty_table(), {}, END)


def spine_of(table: pa.Table) -> batch.Spine:
    """Return a spine of the columns ``customer_id`` and ``as_of``."""
    customers = table["customer_id"].combine_chunks()
    return batch.Spine(customers, np.array(table["as_of"], dtype=np.int64))


def signal_frame(plan: Plan, history: Path, spine: Path) -> pa.Table:
    """Return all rows of a spine with their signals."""
    rows = pq.read_table(spine)
    values = batch.compute(plan, history_of(history), spine_of(rows))
    columns = {name: values.matrix[:, j] for j, name in enumerate(plan.names)}
    return pa.table({"row": rows["row"], **columns})


def encoded(plan: Plan, items: Sequence[Interaction], as_of: int) -> Callable[[], SignalValues]:
    """Return the computing of one customer's row from arrays made beforehand."""
    made = online.encode(plan, items, as_of)
    return lambda: online.run(plan, made)


def from_records(plan: Plan, items: Sequence[Interaction], as_of: int) -> Callable[[], object]:
    """Return the computing of one customer's row from Python records."""
    return lambda: online.evaluate(plan, items, as_of)


def main(session: Session) -> None:
    """Run one task: the signals of a spine over a history, in memory or into a file."""
    task: dict[str, Any] = session.task
    plan = plan_of([Signal.from_dict(plain) for plain in task["declarations"]])
    online.warm_up(plan)
    written = task["output"]
    matrix = None
    with session.timed():
        history, rows = history_of(Path(task["history"])), pq.read_table(task["spine"])
        spine = spine_of(rows)
        if written:
            batch.write_parquet(plan, history, spine, written)
        else:
            matrix = batch.compute(plan, history, spine).matrix
    wanted = pq.read_table(task["sample"])
    places = pa.compute.index_in(wanted["row"], rows["row"].combine_chunks())
    asked = rows.take(places).select(["customer_id", "as_of", "row"])
    if matrix is None:
        found = _of_rows(written, asked)
    else:
        at = np.array(places, dtype=np.int64)
        found = pa.table({name: matrix[at, j] for j, name in enumerate(plan.names)})
    session.finish(found.append_column("row", asked["row"]))


def _of_rows(written: str, asked: pa.Table) -> pa.Table:
    """Return the signals of some rows, in their order, from a file of all."""
    customers = pa.compute.field("customer_id").isin(asked["customer_id"].unique())
    found = pyarrow.dataset.dataset(written).to_table(filter=customers).to_pandas()
    found["as_of"] = found["as_of"].astype("int64")
    keys = asked.to_pandas()
    keys["as_of"] = keys["as_of"].astype("int64")
    merged = keys.merge(found, on=["customer_id", "as_of"], how="left", validate="one_to_one")
    return pa.Table.from_pandas(merged.drop(columns=[*asked.column_names]), preserve_index=False)


if __name__ == "__main__":
    main(Session.of(sys.argv[1]))
