"""Spark computes what the batch engine computes, to the bit."""

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features import batch, spark
from features.errors import DataError
from features.history import History, attributes_table, interactions_table
from features.identities import IDENTITIES_SCHEMA, resolve
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.plan import Plan, compile_plan
from features.signals import days, interactions
from tests import dice, oracle
from tests.histories import DAY, ROLES, START, history_of, shoppers, spine_of
from tests.strategies import ROLES as KINDS
from tests.strategies import SIGNALS

PLAN = compile_plan(SIGNALS, KINDS)
EXAMPLES, JOB = int(os.environ.get("RAPPORT_EXAMPLES", "2000")), 5_000
"""How many histories are held to the law, and up to how many are the customers of one job."""
# told wherever pandas is installed; nothing here goes through it
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
Example = tuple[list[Interaction], list[Attribute], int, Offer | None]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """A session of two workers."""
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    options = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.session.timeZone": "Asia/Kathmandu",  # must not matter
    }
    started = spark.session("tests", options)
    yield started
    started.stop()


def examples(job: int, n: int) -> list[Example]:
    """Thrown histories, each of a customer of its own, with an instant to ask for."""
    rng = Random(f"spark {job}")
    names = [f"customer {i}" for i in range(n)]
    return [
        (dice.history(rng, name), dice.facts(rng, name), dice.instant(rng), dice.offer(rng))
        for name in names
    ]


def bits(columns: dict[str, list[Any]]) -> list[list[str]]:
    """The rows of a table, floats to the bit: NaN equals NaN, negative zero is not zero."""
    exact = [[v.hex() if isinstance(v, float) else str(v) for v in c] for c in columns.values()]
    return sorted(map(list, zip(*exact, strict=True)))


@pytest.mark.slow
@pytest.mark.parametrize("job", range(-(-EXAMPLES // JOB)))
def test_spark_equals_the_oracle_and_batch(session: Any, job: int) -> None:
    cases = examples(job, min(JOB, EXAMPLES - job * JOB))
    history = History(
        interactions_table([i for items, *_ in cases for i in items], ["points", "stars"]),
        attributes_table([fact for _, facts, *_ in cases for fact in facts]),
        {str(n): offer for n, (*_, offer) in enumerate(cases) if offer},
        known_until=0,
    )
    spine = batch.Spine(
        pa.array([f"customer {n}" for n in range(len(cases))], pa.string()),
        np.array([as_of for *_, as_of, _ in cases], dtype=np.int64),
        pa.array([str(n) if case[-1] else None for n, case in enumerate(cases)], pa.string()),
    )
    found = by_spark(session, PLAN, history, spine)
    values = batch.compute(PLAN, history, spine)
    in_batch = batch.as_table(spine, np.arange(len(spine)), values)
    assert bits(found.to_pydict()) == bits(in_batch.to_pydict())
    place = {customer: n for n, customer in enumerate(found["customer_id"].to_pylist())}
    rows = found.select(PLAN.names).to_pylist()
    for n, (items, facts, as_of, offer) in enumerate(cases):
        expected = oracle.values(SIGNALS, KINDS, items, as_of, facts, offer)
        row = rows[place[f"customer {n}"]]
        assert bits({k: [v] for k, v in row.items()}) == bits(
            {k: [v] for k, v in zip(PLAN.names, expected, strict=True)}
        )


def by_spark(session: Any, plan: Plan, history: History, spine: batch.Spine) -> pa.Table:
    """Compute by Spark from the tables of a history."""
    columns = {"customer_id": spine.customer_id, "as_of": pa.array(spine.as_of)}
    if spine.offer_id is not None:
        columns["offer_id"] = spine.offer_id
    asked = session.createDataFrame(pa.table(columns))
    facts = session.createDataFrame(history.attributes) if len(history.attributes) else None
    items = session.createDataFrame(history.interactions)
    found = spark.compute(plan, items, asked, facts, history.offers, history.identities)
    return found.toArrow()


@pytest.mark.slow
def test_keys_meet_their_customers(session: Any) -> None:
    items, facts = shoppers(60, 100)
    names = sorted({item.customer_id for item in items})
    chained = [(one, two, START + 50 * DAY) for one, two in itertools.pairwise(names[:30])]
    said = [*chained, *((name, f"account {name[-1]}", START + 60 * DAY) for name in names[30:50])]
    rows = [dict(zip(IDENTITIES_SCHEMA.names, row, strict=True)) for row in said]
    facts += [Attribute(name, START + n * DAY, "city", "Zeal") for n, name in enumerate(names[::3])]
    facts += [Attribute("account 1", START + 65 * DAY, "city", "Ayr")]
    history = replace(
        history_of(items, START + 100 * DAY, facts),
        interactions=interactions_table(items, ["points", "stars"]),
        identities=resolve(pa.Table.from_pylist(rows, IDENTITIES_SCHEMA)).identities,
    )
    at = [(name, START + day * DAY) for day in (40, 55, 90) for name in (*names, "account 1")]
    values = batch.compute(PLAN, history, spine_of(*at))
    right = batch.as_table(spine_of(*at), np.arange(len(at)), values)
    found = by_spark(session, PLAN, history, spine_of(*at))
    assert bits(found.to_pydict()) == bits(right.to_pydict())


@pytest.mark.slow
def test_what_is_no_number_is_missing_and_orders_nothing(session: Any) -> None:
    signals = tuple(
        signal
        for column in ("amount", "rating", "points")
        for signal in (
            *interactions().last(column, why="w"),
            *interactions().sum(column, why="w"),
        )
    )
    plan = compile_plan(signals, {})
    pairs = itertools.product(itertools.product([None, math.nan, 1.0, 2.0], repeat=3), repeat=2)
    customers = {
        f"customer {n}": [
            Interaction(f"customer {n}", 5, 5, "item", amount=a, rating=r, numbers=numbers)
            for a, r, p in values
            for numbers in [{} if p is None else {"points": p}]
        ]
        for n, values in enumerate(pairs)
    }
    history = History(
        interactions_table([item for items in customers.values() for item in items], ["points"]),
        attributes_table([]),
        {},
        known_until=0,
    )
    found = by_spark(session, plan, history, spine_of(*((name, 9) for name in customers)))
    for row in found.to_pylist():
        right = oracle.values(signals, {}, customers[row["customer_id"]], 9)
        assert [repr(row[name]) for name in plan.names] == list(map(repr, right))


@pytest.mark.slow
def test_timestamps_and_absent_columns_are_understood(session: Any) -> None:
    signals = interactions(role="value").count(days(7), why="how often")
    plan = compile_plan(signals, {"value": ROLES.value})
    items, _ = shoppers(40, 60)
    history = history_of(items, START + 60 * DAY)
    spine = spine_of(*((c, START + 50 * DAY + 1) for c in {i.customer_id for i in items}), ("x", 0))
    times = pa.array([i.occurred_at for i in items]).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {
            "customer_id": [i.customer_id for i in items],
            "occurred_at": times,
            "kind": [i.kind for i in items],
        }
    )
    as_of = pa.array(spine.as_of).cast(pa.timestamp("us", tz="UTC"))
    asked = session.createDataFrame(pa.table({"customer_id": spine.customer_id, "as_of": as_of}))
    found = spark.compute(plan, session.createDataFrame(table), asked)
    in_batch = batch.as_table(
        spine, np.arange(len(spine)), batch.compute(plan, history, spine)
    ).to_pydict()
    again = found.toArrow().to_pydict()
    again["as_of"] = [t.astimezone(in_batch["as_of"][0].tzinfo) for t in again["as_of"]]
    assert bits(again) == bits(in_batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"kind": ["item"], "points": [1]}, "no column 'occurred_at'"),
        ({"kind": ["item"], "points": [1], "occurred_at": ["2020"]}, "the type string"),
        ({"kind": ["item"], "points": ["x"], "occurred_at": [1]}, "'points': got the type string"),
        ({"kind": ["item"], "occurred_at": [1]}, "no column 'points'"),
        ({"kind": ["item"], "occurred_at": [1], "Points": [1.0]}, "'Points': got this name"),
        ({"kind": ["item"], "occurred_at": [1], "a`b": [1.0]}, "'a`b': got this name"),
    ],
)
def test_what_is_no_interaction_is_refused(
    session: Any, columns: dict[str, list[object]], said: str
) -> None:
    frame = session.createDataFrame(pa.table({"customer_id": ["c"], **columns}))
    spine = session.createDataFrame(pa.table({"customer_id": ["c"], "as_of": [5]}))
    with pytest.raises(DataError, match=said):
        spark.compute(PLAN, frame, spine)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("held", [1, 2, 5, 1000])
def test_tables_hold_whole_customers(size: int, held: int) -> None:
    sizes = {"a": 3, "b": 1, "c": 17, "d": 2, "e": 2}
    column = [name for name, n in sizes.items() for _ in range(n)]
    table = pa.table({spark.OF: column, "n": range(len(column))})
    cut = list(spark.whole_customers(iter(table.to_batches(size)), held))
    assert pa.concat_tables(cut).equals(table)
    names = [set(part[spark.OF].to_pylist()) for part in cut]
    assert sum(map(len, names)) == len(sizes)
    assert all(len(part) <= 2 * max(held, 17) + size for part in cut)
