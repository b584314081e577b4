"""Rapport as one of the contestants: the one place of the benchmarks that knows its engine.

``python -m tests.benchmarks.ours TASK`` runs the batch engine alone in its process.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from features import arrays, batch, kernel, online
from features.declaration import Signal
from features.history import ATTRIBUTES_SCHEMA, History
from features.interactions import Interaction
from features.plan import Plan
from tests.benchmarks.catalogue import plan_of
from tests.benchmarks.histories import END
from tests.benchmarks.peers.session import Session

write_parquet: Callable[..., object] | None = getattr(batch, "write_parquet", None)
STREAMS = write_parquet is not None
"""Whether the batch engine reads files by pieces and writes its rows as it goes."""


def history_of(folder: Path) -> History:
    """Return the interactions of a folder of Parquet files as a history."""
    dataset = pyarrow.dataset.dataset(folder)
    interactions = dataset if STREAMS else dataset.to_table()
    return History(interactions, ATTRIBUTES_SCHEMA.empty_table(), {}, END)


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


def encoded(plan: Plan, items: Sequence[Interaction], as_of: int) -> Callable[[], object]:
    """Return the computing of one customer's row from arrays made beforehand."""
    n = len(items)
    codes, other = plan.kind_codes, len(plan.kinds)
    numbers = [[getattr(item, name) for item in items] for name in plan.numbers]
    histories = arrays.Histories(
        start=np.array([0, n], dtype=np.int64),
        occurred=np.array([item.occurred_at for item in items], dtype=np.int64),
        recorded=np.array([item.recorded_at for item in items], dtype=np.int64),
        kind=np.array([codes.get(item.kind, other) for item in items], dtype=np.int64),
        topic=np.zeros(n, dtype=np.int64),
        numbers=np.array(numbers, dtype=np.float64).reshape(len(plan.numbers), n),
    )
    none = np.zeros(0, dtype=np.int64)
    facts = arrays.Facts(np.zeros(2, dtype=np.int64), none, none, none.astype(np.float64))
    rows = arrays.Rows(np.array([0, 1]), np.array([as_of]), np.array([-1]))
    offers = arrays.OfferTable(np.zeros((0, 0)), np.zeros((0, 2), dtype=np.uint8))
    out = np.empty((1, len(plan.signals)))
    program = plan.program

    def run() -> npt.NDArray[np.float64]:
        kernel.evaluate(program, histories, facts, rows, offers, 0, 1, out)
        return out

    return run


def from_records(plan: Plan, items: Sequence[Interaction], as_of: int) -> Callable[[], object]:
    """Return the computing of one customer's row from Python records."""
    return lambda: online.evaluate(plan, items, as_of)


def main(session: Session) -> None:
    """Run one task: the signals of a spine over a history, in memory or into a file."""
    task: dict[str, Any] = session.task
    plan = plan_of([Signal.from_dict(plain) for plain in task["declarations"]])
    online.warm_up(plan)
    written = task["output"]
    with session.timed():
        history, rows = history_of(Path(task["history"])), pq.read_table(task["spine"])
        spine = spine_of(rows)
        if written and write_parquet:
            write_parquet(plan, history, spine, Path(written), lambda rows: None)
        else:
            values = batch.compute(plan, history, spine)
            if written:
                columns = {name: values.matrix[:, j] for j, name in enumerate(plan.names)}
                pq.write_table(pa.table(columns), written)
    wanted = pq.read_table(task["sample"])
    places = pa.compute.index_in(wanted["row"], rows["row"].combine_chunks())
    if written:
        found = pq.read_table(written, columns=plan.names).take(places)
    else:
        matrix = values.matrix[np.array(places, dtype=np.int64)]
        found = pa.table({name: matrix[:, j] for j, name in enumerate(plan.names)})
    session.finish(found.append_column("row", wanted["row"]))


if __name__ == "__main__":
    main(Session.of(sys.argv[1]))
