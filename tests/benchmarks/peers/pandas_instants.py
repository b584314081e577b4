"""pandas where each row has an instant of its own: cumulative columns and ``merge_asof``.

Counts and sums over a window are the difference of two places in cumulative columns. It reads
histories whose interactions were recorded as they occurred: the trick knows one time only.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.benchmarks.peers.session import Session


def main(session: Session) -> None:
    """Find each edge of each window once, then take differences."""
    task = session.task
    pa.set_cpu_count(task["threads"])
    pa.set_io_thread_count(task["threads"])
    with session.timed():
        result = _differences(task)
    sample = pd.read_parquet(task["sample"])
    found = sample[["row"]].merge(result, on="row", how="left")
    session.finish(pa.Table.from_pandas(found, preserve_index=False))


def _differences(task: dict[str, Any]) -> pd.DataFrame:
    steps = task["steps"]
    columns = sorted({step["column"] for step in steps if step["column"]})
    folder = Path(task["history"]).parent
    read = ["customer_id", "occurred_at", "kind", *columns]
    history = pd.read_parquet(folder, columns=read, engine="pyarrow")
    spine = pd.read_parquet(task["spine"])
    ids = pd.Index(spine["customer_id"].unique())
    customer = ids.get_indexer(history.pop("customer_id"))
    role = history.pop("kind").map(task["roles"]).fillna(-1).to_numpy(dtype=np.int8)
    spine["c"] = ids.get_indexer(spine["customer_id"])
    order = np.lexsort((history["occurred_at"].to_numpy(), customer))
    by_time = pd.DataFrame({"c": customer[order], "at": history["occurred_at"].to_numpy()[order]})
    by_time["place"] = np.arange(1, len(order) + 1)
    by_time = by_time.sort_values("at", kind="stable")
    edges = {
        window: _places(spine, by_time, window) for window in {None, *(s["window"] for s in steps)}
    }
    values: dict[str, Any] = {"row": spine["row"].to_numpy()}
    cumulative: dict[tuple[Any, Any], Any] = {}
    for step in steps:
        key = (step["role"], step["column"])
        if key not in cumulative:
            mask = np.ones(len(order)) if step["role"] is None else role == step["role"]
            of = mask if step["column"] is None else np.where(mask, history[step["column"]], 0.0)
            ordered = pd.Series(np.nan_to_num(np.asarray(of, dtype=np.float64)[order]))
            sums = ordered.groupby(customer[order]).cumsum().to_numpy()
            cumulative[key] = np.concatenate([[0.0], sums])
        value = cumulative[key][edges[None]]
        if step["window"] is not None:
            value = value - cumulative[key][edges[step["window"]]]
        values[step["name"]] = value
    return pd.DataFrame(values)


def _places(spine: pd.DataFrame, by_time: pd.DataFrame, window: int | None) -> Any:
    """Return how many places lie before each row's edge; 0 where its customer has none."""
    left = pd.DataFrame({"c": spine["c"], "at": spine["as_of"] - (window or 0)})
    left["i"] = np.arange(len(left))
    merged = pd.merge_asof(
        left.sort_values("at", kind="stable"),
        by_time,
        on="at",
        by="c",
        allow_exact_matches=False,
    )
    places = np.zeros(len(left), dtype=np.int64)
    places[merged["i"].to_numpy()] = merged["place"].fillna(0).to_numpy(dtype=np.int64)
    return places


if __name__ == "__main__":
    main(Session.of(sys.argv[1]))
