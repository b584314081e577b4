"""What a history has, and whom it asks for: alike for a table in memory and for files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from features import batch
from features.catalog import customer_signals
from features.history import History, attributes_table, interactions_table
from features.identities import IDENTITIES_SCHEMA
from features.interactions import Interaction
from features.offers import Offer
from features.plan import compile_plan
from features.sections import Roles
from features.shape import shape_of
from features.snapshots import snapshot_spine

ROLES = Roles(value=("purchase",), negative=("complaint",))
ITEMS = [
    Interaction("b", 1, 1, "purchase", topic="TEA", amount=1.0),
    Interaction("a", 2, 2, "purchase", channel="web"),
    Interaction("key", 4, 4, "complaint", rating=0.5, resolved=False),
    Interaction("b", 3, 3, "unheard_of", due_at=9),
]
IDENTITIES = pa.Table.from_pylist(
    [{"key": "key", "customer_id": "whose", "known_at": 5}], schema=IDENTITIES_SCHEMA
)
TABLE = interactions_table(ITEMS)


def history_of(interactions: pa.Table | ds.Dataset) -> History:
    """A history of these interactions with an offer and an identity."""
    offers = {"o": Offer("o", topics=frozenset({"TEA"}))}
    return History(
        interactions, attributes_table([]), offers, known_until=10, identities=IDENTITIES
    )


def files_of(folder: Path) -> ds.Dataset:
    """The interactions in two Parquet files of several row groups."""
    pq.write_table(TABLE.slice(0, 3), folder / "1.parquet", row_group_size=1)
    pq.write_table(TABLE.slice(3), folder / "2.parquet")
    return ds.dataset(folder)


def test_a_history_in_files_has_the_shape_of_the_table(tmp_path: Path) -> None:
    shape = shape_of(history_of(TABLE), ROLES)
    assert shape.roles == {"value", "negative"}
    assert shape.columns == {"topic", "channel", "rating", "resolved", "due_at"}
    assert (shape.numbers, shape.topics) == (("amount",), True)
    assert shape_of(history_of(files_of(tmp_path)), ROLES) == shape


def test_a_filtered_history_has_the_shape_of_what_is_left(tmp_path: Path) -> None:
    early = files_of(tmp_path).filter(ds.field("occurred_at") < 3)
    shape = shape_of(history_of(early), ROLES)
    assert shape.roles == {"value"}
    assert shape.columns == {"topic", "channel"}


def test_texts_in_the_names_of_folders_are_texts(tmp_path: Path) -> None:
    pq.write_to_dataset(TABLE, tmp_path, partition_cols=["kind"])
    kinds = ds.HivePartitioning.discover(infer_dictionary=True)
    stored = ds.dataset(tmp_path, partitioning=kinds)
    assert shape_of(history_of(stored), ROLES).roles == {"value", "negative"}


def test_no_interactions_have_no_shape(tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "1.parquet")
    for interactions in (TABLE.slice(0, 0), ds.dataset(tmp_path)):
        shape = shape_of(history_of(interactions), ROLES)
        assert (shape.roles, shape.columns, shape.numbers) == (frozenset(), frozenset(), ())
        assert len(snapshot_spine(history_of(interactions), [5])) == 0


@pytest.mark.parametrize(
    ("instants", "rows"),
    [
        ([5], ["a", "b", "key", "whose"]),
        ([5, 6], ["a", "b", "key", "whose", "a", "b", "whose"]),
    ],
)
def test_a_history_in_files_asks_for_the_same_rows(
    instants: list[int], rows: list[str], tmp_path: Path
) -> None:
    for interactions in (TABLE, files_of(tmp_path)):
        spine = snapshot_spine(history_of(interactions), instants)
        assert spine.customer_id.to_pylist() == rows
        assert sorted(set(spine.as_of.tolist())) == instants


def test_the_catalogue_is_computed_from_files_alone(tmp_path: Path) -> None:
    found = []
    for interactions in (TABLE, files_of(tmp_path)):
        history = history_of(interactions)
        plan = compile_plan(customer_signals(shape_of(history, ROLES)), {"value": ("purchase",)})
        values = batch.compute(plan, history, snapshot_spine(history, [5, 10]))
        found.append((plan, values.matrix.tobytes()))
    assert found[0] == found[1]
