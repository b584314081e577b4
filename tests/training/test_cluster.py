"""Scoring on Spark: the rows that one machine writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import spark
from features.history import History
from features.settings import Settings
from features.sources.reader import read_history
from training import cluster, destinations
from training.cluster import packed, unpacked
from training.models import require_model
from training.registry import Task
from training.scoring import Scoring, scored, scoring_of

# told wherever pandas is installed; nothing here goes through it
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """A session of two workers."""
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    options = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.session.timeZone": "Asia/Kathmandu",  # must not matter
    }
    started = spark.session("tests", {**options, **cluster.SETTINGS})
    yield started
    started.stop()


def asked(shop: Settings, history: History, task: Task) -> Scoring:
    return scoring_of(require_model(shop, task), history, shop.roles, history.known_until, 3)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["churn", "offers"])
@pytest.mark.parametrize("in_files", [True, False])
def test_spark_writes_what_one_machine_writes(
    session: Any, shop: Settings, tmp_path: Path, task: Task, in_files: bool
) -> None:
    (tmp_path / "kept").mkdir()
    history = read_history(shop, kept=tmp_path / "kept" if in_files else None)
    scoring = asked(shop, history, task)
    out = tmp_path / "scores.parquet"
    for _ in range(2):  # a later run takes the place of an earlier one
        destinations.write_folder(cluster.scored(session, scoring), str(out))
    found = pq.read_table(out).cast(scoring.form.schema)
    here = pa.concat_tables(scored(scoring, scoring.parts, lambda rows: None))
    order = [(name, "ascending") for name in scoring.form.keys]
    assert len(here) > 200
    assert found.sort_by(order).equals(here.sort_by(order))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "scores.parquet"]


def test_a_worker_unpacks_a_model_once(shop: Settings) -> None:
    form = asked(shop, read_history(shop), "churn").form
    parcel = packed(form)
    first, again = unpacked(parcel), unpacked(packed(form))
    assert first.model.bundle is again.model.bundle
    assert first.model.bundle is not form.model.bundle
    assert (first.as_of, first.schema) == (form.as_of, form.schema)
