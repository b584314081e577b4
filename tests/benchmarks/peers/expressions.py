"""The signals as Polars expressions, derived from the task's steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

DAY = 86_400_000_000.0


def past(task: Mapping[str, Any]) -> pl.LazyFrame:
    """Return the columns that the signals read, the kind as the small code of its role."""
    columns = sorted({step["column"] for step in task["steps"] if step["column"]})
    codes = task["roles"]
    role = pl.col("kind").replace_strict(
        list(codes), list(codes.values()), default=None, return_dtype=pl.Int8
    )
    return pl.scan_parquet(task["history"]).select(
        "customer_id", "occurred_at", "recorded_at", role.alias("role"), *columns
    )


def folds(steps: Sequence[Mapping[str, Any]], as_of: pl.Expr) -> list[pl.Expr]:
    """Return one aggregate a signal; inside are only masks that the engine can stream."""
    return [_fold(step, as_of).alias(step["name"]) for step in steps]


def _fold(step: Mapping[str, Any], as_of: pl.Expr) -> pl.Expr:
    at = pl.col("occurred_at")
    conditions = []
    if step["role"] is not None:
        conditions.append(pl.col("role") == step["role"])
    if step["window"] is not None:
        conditions.append(at >= as_of - step["window"])
    mask = conditions[0] if conditions else pl.lit(True)
    for condition in conditions[1:]:
        mask = mask & condition
    if step["measure"] == "count":
        return mask.sum() if conditions else pl.len()
    if step["measure"].startswith("days_since"):
        of = pl.when(mask).then(as_of - at)
        return (of.min() if step["measure"] == "days_since_last" else of.max()) / DAY
    of = pl.when(mask).then(pl.col(step["column"]))
    methods = {"sum": of.sum, "mean": of.mean, "minimum": of.min, "maximum": of.max}
    return methods[step["measure"]]()
