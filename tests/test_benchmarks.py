"""The benchmarks compare like with like: DuckDB's SQL, derived, says what the engine says."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import online
from features.interactions import Interaction
from tests.benchmarks import catalogue, histories, ours, race, sql
from tests.benchmarks.histories import Size

SIGNALS = catalogue.shared_signals()
SIZE = Size(2_000)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return histories.write(SIZE, tmp_path_factory.mktemp("benchmarks"))


@pytest.fixture(scope="module")
def spine(history: Path) -> Path:
    return histories.write_own_spine(SIZE, history.parent)


@pytest.fixture(scope="module")
def found(history: Path, spine: Path) -> pa.Table:
    return ours.signal_frame(catalogue.plan_of(SIGNALS), history, spine)


@pytest.mark.parametrize("filters", [True, False])
def test_the_range_join_agrees(history: Path, spine: Path, found: pa.Table, filters: bool) -> None:
    query = sql.range_join(SIGNALS, f"{history}/*.parquet", spine, filters)
    theirs = _table(
        f"SELECT s.row, r.* EXCLUDE (row) FROM read_parquet('{spine}') s "
        f"LEFT JOIN ({query}) r USING (row)"
    )
    assert race.disagreement(SIGNALS, found, theirs) is None


def test_one_group_by_an_instant_agrees(history: Path, tmp_path: Path) -> None:
    spine = histories.write_shared_spine(SIZE, tmp_path)
    found = ours.signal_frame(catalogue.plan_of(SIGNALS), history, spine)
    union = " UNION ALL ".join(
        f"({sql.at_instant(SIGNALS, f'{history}/*.parquet', as_of)})"
        for as_of in histories.instants().tolist()
    )
    theirs = _table(
        f"SELECT s.row, r.* EXCLUDE (customer_id, as_of) FROM read_parquet('{spine}') s "
        f"LEFT JOIN ({union}) r USING (customer_id, as_of)"
    )
    assert race.disagreement(SIGNALS, found, theirs) is None


@pytest.mark.parametrize("signal", ["value_count_90d", "value_sum_amount_365d"])
def test_a_difference_is_found(found: pa.Table, signal: str) -> None:
    values = np.array(found[signal]).copy()
    values[7] += 1e-6
    place = found.column_names.index(signal)
    theirs = found.set_column(place, signal, pa.array(values))
    assert str(race.disagreement(SIGNALS, found, theirs)).startswith(signal)


def test_a_missing_value_is_no_number(found: pa.Table) -> None:
    name = "value_days_since_last"
    place = found.column_names.index(name)
    theirs = found.set_column(place, name, pa.nulls(len(found), pa.float64()))
    assert str(race.disagreement(SIGNALS, found, theirs)).startswith(name)


def test_encoded_arrays_give_what_records_give() -> None:
    from tests.benchmarks.online import AT, customer, default_plan

    plan, items = default_plan(), customer(50)
    from_arrays = ours.encoded(plan, items, AT)()
    np.testing.assert_array_equal(from_arrays.matrix, online.evaluate(plan, items, AT).matrix)


def test_histories_are_skewed_and_in_order_of_time(history: Path) -> None:
    table = pq.read_table(history)
    assert len(table) == SIZE.n
    assert np.all(np.diff(np.array(table["occurred_at"])) >= 0)
    counts = table["customer_id"].value_counts().to_pylist()
    assert {"values": "c00000000", "counts": SIZE.busiest} in counts
    assert Interaction.__dataclass_fields__.keys() >= set(table.column_names)


def _table(query: str) -> pa.Table:
    with duckdb.connect() as connection:
        relation = connection.sql(query)
        assert relation is not None
        return relation.to_arrow_table()
