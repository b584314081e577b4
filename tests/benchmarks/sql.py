"""The signals in DuckDB's SQL, derived from their declarations."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from features import clock
from features.declaration import Signal
from tests.benchmarks.catalogue import Step, role_codes

FOLDS = {"sum": "sum", "mean": "avg", "minimum": "min", "maximum": "max"}


def range_join(signals: Sequence[Signal], history: str, spine: Path, filters: bool = True) -> str:
    """Return the query that joins each row of the spine to its past and folds that once.

    Args:
        signals: what to compute.
        history: the glob of the interactions' Parquet files.
        spine: the Parquet file of the rows: row, customer_id, as_of.
        filters: whether to choose by FILTER, else by CASE (which DuckDB 2.0 runs faster).

    Returns:
        A query for one row a row of the spine that has a past: ``row`` and the signals.
    """
    steps = [Step.of(signal) for signal in signals]
    return (
        f"WITH past AS ({_past(steps, history)}), "
        f"spine AS (SELECT * FROM read_parquet('{spine}')) "
        f"SELECT row, {_folds(steps, 'as_of', filters)} FROM spine JOIN past USING (customer_id) "
        "WHERE occurred_at < as_of AND recorded_at < as_of GROUP BY row, as_of"
    )


def at_instant(signals: Sequence[Signal], history: str, as_of: int, filters: bool = False) -> str:
    """Return the query of all customers at one instant, which needs no join."""
    steps = [Step.of(signal) for signal in signals]
    return (
        f"WITH past AS ({_past(steps, history)}) "
        f"SELECT customer_id, {as_of} AS as_of, {_folds(steps, str(as_of), filters)} FROM past "
        f"WHERE occurred_at < {as_of} AND recorded_at < {as_of} GROUP BY customer_id"
    )


def fold(step: Step, as_of: str, filters: bool) -> str:
    """Return the aggregate of one signal.

    >>> fold(Step("x", "sum", 2, "amount", None), "as_of", filters=True)
    'coalesce(sum(amount) FILTER (role = 2), 0)'
    >>> fold(Step("x", "mean", 2, "amount", 7), "as_of", filters=False)
    'avg(CASE WHEN role = 2 AND occurred_at >= as_of - 7 THEN amount END)'
    """
    conditions = []
    if step.role is not None:
        conditions.append(f"role = {step.role}")
    if step.window is not None:
        conditions.append(f"occurred_at >= {as_of} - {step.window}")
    condition = " AND ".join(conditions)

    def of(function: str, column: str) -> str:
        if not condition:
            return f"{function}({column})"
        if filters:
            return f"{function}({column}) FILTER ({condition})"
        return f"{function}(CASE WHEN {condition} THEN {column} END)"

    match step.measure:
        case "count":
            return of("count", "occurred_at")
        case "days_since_last":
            return f"({as_of} - {of('max', 'occurred_at')}) / {float(clock.DAY)}"
        case "days_since_first":
            return f"({as_of} - {of('min', 'occurred_at')}) / {float(clock.DAY)}"
        case "sum":
            return f"coalesce({of('sum', step.column or '')}, 0)"
        case measure:
            return of(FOLDS[measure], step.column or "")


def _folds(steps: Iterable[Step], as_of: str, filters: bool) -> str:
    return ", ".join(f'{fold(step, as_of, filters)} AS "{step.name}"' for step in steps)


def _past(steps: Iterable[Step], history: str) -> str:
    columns = sorted({step.column for step in steps if step.column})
    cases = " ".join(f"WHEN '{kind}' THEN {code}" for kind, code in role_codes().items())
    return (
        "SELECT customer_id, occurred_at, recorded_at, "
        f"CAST(CASE kind {cases} END AS TINYINT) AS role{''.join(f', {c}' for c in columns)} "
        f"FROM read_parquet('{history}')"
    )
