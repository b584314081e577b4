"""The signals as Polars expressions, derived from the task's steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

DAY = 86_400_000_000.0
CUSTOMER = pl.col("customer_id").cast(pl.Categorical).to_physical()
"""Customers as small numbers, by which Polars groups in half the time that texts take."""


def past(task: Mapping[str, Any]) -> pl.LazyFrame:
    """Return the columns that the signals read, the kind as the small code of its role."""
    columns = sorted({step["column"] for step in task["steps"] if step["column"]})
    codes = task["roles"]
    role = pl.col("kind").replace_strict(
        list(codes), list(codes.values()), default=None, return_dtype=pl.Int8
    )
    return pl.scan_parquet(task["history"]).select(
        CUSTOMER, "occurred_at", "recorded_at", role.alias("role"), *columns
    )


def folds(steps: Sequence[Mapping[str, Any]], as_of: pl.Expr) -> list[pl.Expr]:
    """Return one filtered aggregate a signal.

    Masks by ``when(…).then(…)`` instead of ``filter`` took a third more processor time.
    """
    return [_fold(step, as_of).alias(step["name"]) for step in steps]


def _fold(step: Mapping[str, Any], as_of: pl.Expr) -> pl.Expr:
    at = pl.col("occurred_at")
    mask = pl.lit(True)
    if step["role"] is not None:
        mask = pl.col("role") == step["role"]
    if step["window"] is not None:
        mask = mask & (at >= as_of - step["window"])
    whole = step["role"] is None and step["window"] is None
    if step["measure"] == "count":
        return pl.len() if whole else mask.sum()
    if step["measure"] in ("days_since_last", "days_since_first"):
        silence = (as_of - at).filter(mask)
        return (silence.min() if step["measure"] == "days_since_last" else silence.max()) / DAY
    of = pl.col(step["column"]).filter(mask)
    methods = {"sum": of.sum, "mean": of.mean, "minimum": of.min, "maximum": of.max}
    return methods[step["measure"]]()
