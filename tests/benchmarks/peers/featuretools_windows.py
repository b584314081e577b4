"""featuretools: a feature matrix for each window, merged; the roles are ``where`` clauses."""

import sys
from pathlib import Path
from typing import Any

import featuretools as ft
import pandas as pd
import pyarrow as pa
from featuretools.primitives import Count, Max, Mean, Min, Sum

from tests.benchmarks.peers.session import Session

PRIMITIVES = {"count": Count, "sum": Sum, "mean": Mean, "minimum": Min, "maximum": Max}


def main(session: Session) -> None:
    """Compute the matrices and give the rows back in the spine's order."""
    task = session.task
    with session.timed():
        spine = pd.read_parquet(task["spine"])
        entities = _entities(task, spine)
        cutoffs = pd.DataFrame(
            {"customer_id": spine["customer_id"], "time": pd.to_datetime(spine["as_of"], unit="us")}
        )
        matrices = []
        for window in sorted({step["window"] for step in task["steps"]}, key=str):
            steps = [step for step in task["steps"] if step["window"] == window]
            features = [_feature(entities, step) for step in steps]
            matrix = ft.calculate_feature_matrix(
                features,
                entities,
                cutoff_time=cutoffs,
                training_window=None if window is None else f"{window // 86_400_000_000} days",
                include_cutoff_time=False,
                cutoff_time_in_index=True,
            )
            matrix.columns = [step["name"] for step in steps]
            matrices.append(matrix)
        result = pd.concat(matrices, axis=1).reset_index()
    result["as_of"] = result.pop("time").astype("datetime64[us]").astype("int64")
    sample = pd.read_parquet(task["sample"])[["row", "customer_id", "as_of"]]
    found = sample.merge(result, on=["customer_id", "as_of"], how="left").astype(
        {step["name"]: "float64" for step in task["steps"]}
    )
    session.finish(pa.Table.from_pandas(found.drop(columns="customer_id"), preserve_index=False))


def _entities(task: dict[str, Any], spine: pd.DataFrame) -> Any:
    columns = sorted({step["column"] for step in task["steps"] if step["column"]})
    read = ["customer_id", "occurred_at", "kind", *columns]
    history = pd.read_parquet(Path(task["history"]).parent, columns=read)
    history["occurred_at"] = pd.to_datetime(history["occurred_at"], unit="us")
    history["role"] = history.pop("kind").map(task["roles"]).fillna(-1).astype("int64")
    history["interaction"] = range(len(history))
    entities = ft.EntitySet("histories")
    customers = pd.DataFrame({"customer_id": spine["customer_id"].unique()})
    entities.add_dataframe(customers, "customers", index="customer_id")
    entities.add_dataframe(history, "interactions", index="interaction", time_index="occurred_at")
    entities.add_relationship("customers", "customer_id", "interactions", "customer_id")
    return entities


def _feature(entities: Any, step: dict[str, Any]) -> Any:
    columns = entities["interactions"].ww
    chosen = None if step["role"] is None else ft.Feature(columns["role"]) == step["role"]
    return ft.Feature(
        columns[step["column"] or "interaction"],
        parent_dataframe_name="customers",
        primitive=PRIMITIVES[step["measure"]],
        where=chosen,
    )


if __name__ == "__main__":
    main(Session.of(sys.argv[1]))
