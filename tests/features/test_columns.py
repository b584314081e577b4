"""Columns: what a history's may be called, which must be there, and which must be filled."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from features import batch
from features.batch import Spine
from features.errors import DataError
from features.history import History, attributes_table, interactions_schema, interactions_table
from features.interactions import Attribute, Interaction
from features.plan import compile_plan
from features.signals import interactions

ITEMS = [Interaction("c", at, at, "purchase", amount=1.0, numbers={"points": 1.0}) for at in (1, 5)]
TABLE = interactions_table(ITEMS, ["points"])
FACTS = attributes_table([])
SPINE = Spine(pa.array(["c"]), np.array([10]))
STRANGE = ["Amount", "AMOUNT", "Points", "my points", 'a"b', "a`b", "1st", "", "größe", "_x", "x\n"]


def history(table: pa.Table | ds.Dataset) -> History:
    return History(table, FACTS, {}, known_until=10)


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, name, pa.array(values, table.schema.field(name).type))


@pytest.mark.parametrize("name", STRANGE)
def test_names_that_some_sql_would_read_otherwise_are_refused(name: str) -> None:
    said = r"interactions, column .*: got this name; wanted .*lower case.* Rename it"
    with pytest.raises(DataError, match=said):
        interactions_schema([name])
    strange = TABLE.rename_columns([n if n != "points" else name for n in TABLE.column_names])
    with pytest.raises(DataError, match=said):
        history(strange)


@pytest.mark.parametrize("name", ["kind", "due_at", "resolved", "customer_id", "amount"])
def test_a_further_column_is_no_standard_one(name: str) -> None:
    said = f"interactions, column '{name}': got a further column .*; wanted .* Rename it"
    with pytest.raises(DataError, match=said):
        interactions_schema([name])


def test_a_column_stands_once() -> None:
    with pytest.raises(DataError, match=r"column 'points': got 2 of this name"):
        history(TABLE.append_column("points", TABLE["points"]))


@pytest.mark.parametrize("name", ["recorded_at", "amount", "interaction_id"])
def test_a_history_has_all_standard_columns(name: str) -> None:
    with pytest.raises(DataError, match=f"interactions: got no column '{name}'"):
        history(TABLE.drop_columns([name]))
    strange = TABLE.rename_columns([n if n != name else name.title() for n in TABLE.column_names])
    with pytest.raises(DataError, match=f"interactions: got no column '{name}'"):
        history(strange)


@pytest.mark.parametrize("of_files", [False, True])
def test_a_column_that_signals_read_is_there(of_files: bool, tmp_path: Path) -> None:
    plan = compile_plan(interactions().sum("point", why="w"), {})
    pq.write_table(TABLE, tmp_path / "a.parquet")
    known = history(ds.dataset(tmp_path) if of_files else TABLE)
    said = r"interactions: got no column 'point', which signals read; .* Did you mean 'points'\?"
    with pytest.raises(DataError, match=said):
        batch.compute(plan, known, SPINE)
    with pytest.raises(DataError, match=said):
        batch.write_parquet(plan, known, SPINE, tmp_path / "out.parquet")
    compared = compile_plan(interactions(where=("stars", ">", 1.0)).count(why="w"), {})
    with pytest.raises(DataError, match="no column 'stars', which signals read"):
        batch.compute(compared, known, SPINE)


@pytest.mark.parametrize("name", ["occurred_at", "recorded_at"])
@pytest.mark.parametrize("kept", ["in memory", "in files", "in filtered files"])
def test_an_instant_that_is_missing_is_told(name: str, kept: str, tmp_path: Path) -> None:
    table = with_column(pa.concat_tables([TABLE] * 2), name, [1, None, None, 5])
    pq.write_table(table, tmp_path / "a.parquet")
    plan = compile_plan(interactions().count(why="w"), {})
    said = f"interactions, column '{name}': got nothing in 2 rows; wanted .* Drop or mend the rows"
    with pytest.raises(DataError, match=said):
        if kept == "in memory":
            history(table)
        else:
            files = ds.dataset(tmp_path)
            filtered = files.filter(ds.field("kind") == "purchase")
            batch.compute(plan, history(files if kept == "in files" else filtered), SPINE)
    without = ds.dataset(tmp_path).filter(ds.field(name).is_valid())
    assert batch.compute(plan, history(without), SPINE).row(0) == [2.0]


def test_a_fact_without_the_time_it_was_known_is_told() -> None:
    facts = with_column(attributes_table([Attribute("c", 1, "city", "Ayr")]), "known_at", [None])
    said = "attributes, column 'known_at': got nothing in 1 row; wanted a value"
    with pytest.raises(DataError, match=said):
        History(TABLE, facts, {}, known_until=10)
