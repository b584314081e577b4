"""Polars where each row has an instant of its own: join the past, filter, fold; by pieces."""

import sys

import polars as pl

from tests.benchmarks.peers.expressions import CUSTOMER, folds, past
from tests.benchmarks.peers.session import Session

MOST_PAIRS = 10_000_000
"""How many pairs of row and interaction one piece may join, so that it fits in memory."""


def main(session: Session) -> None:
    """Cut the rows by customers into pieces of about equal work."""
    task = session.task
    with session.timed():
        history = past(task).collect(engine="streaming")
        spine = pl.read_parquet(task["spine"]).with_columns(CUSTOMER)
        work = (
            spine.group_by("customer_id")
            .agg(rows=pl.len())
            .join(history.group_by("customer_id").agg(n=pl.len()), on="customer_id")
            .sort("customer_id")
            .select(
                "customer_id",
                piece=(pl.col("rows").cast(pl.Int64) * pl.col("n")).cum_sum() // MOST_PAIRS,
            )
        )
        pasts = history.join(work, on="customer_id").partition_by(
            "piece", as_dict=True, include_key=False
        )
        rows = spine.join(work, on="customer_id").partition_by(
            "piece", as_dict=True, include_key=False
        )
        frames = []
        for piece, asked in rows.items():
            pairs = asked.lazy().join(pasts[piece].lazy(), on="customer_id")
            seen = pairs.filter(
                pl.col("occurred_at") < pl.col("as_of"), pl.col("recorded_at") < pl.col("as_of")
            )
            folded = seen.group_by("row").agg(folds(task["steps"], pl.col("as_of")))
            frames.append(folded.collect(engine="streaming"))
        result = pl.concat(frames)
    sample = pl.read_parquet(task["sample"])
    session.finish(sample.join(result, on="row", how="left").to_arrow())


if __name__ == "__main__":
    main(Session.of(sys.argv[1]))
