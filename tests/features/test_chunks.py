"""The batch engine's ways of reading: in chunks, from files, into files, a block at a time."""

import itertools
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from features import batch, chunks, kernel, ordering, reading
from features.batch import Spine
from features.errors import DataError
from features.history import History, attributes_table, interactions_table
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.plan import Plan, compile_plan
from features.signals import days, interactions, ratio
from features.values import SignalValues
from tests import dice
from tests.engines import Asked, at, bits, history_of, spine_of
from tests.strategies import AS_OF, DAY, ROLES, SIGNALS

PLAN = compile_plan(SIGNALS, ROLES, "America/New_York")
Known = dict[str, tuple[list[Interaction], list[Attribute]]]


def made() -> tuple[Known, list[Asked]]:
    """Customers with short and long histories and with none, before, between and after them."""
    rng = Random(11)
    customers: Known = {f"c{n:02d}": (dice.history(rng, f"c{n:02d}"), []) for n in range(30)}
    customers |= {name: ([], []) for name in ("a nobody", "c10 nobody", "z nobody")}
    crowd = [dice.interaction(rng, "c15") for _ in range(200)]
    customers = {name: (items, dice.facts(rng, name)) for name, (items, _) in customers.items()}
    customers["c15"] = (crowd, customers["c15"][1])
    rows: list[Asked] = [
        (name, dice.instant(rng), dice.offer(rng)) for name in customers for _ in range(3)
    ]
    rng.shuffle(rows)
    return customers, rows


CUSTOMERS, ROWS = made()
HISTORY, SPINE = history_of(CUSTOMERS, ROWS), spine_of(ROWS)
OFFERS_ASKED: pa.Array = SPINE.offer_id


@pytest.fixture(scope="module")
def whole() -> SignalValues:
    return batch.compute(PLAN, HISTORY, SPINE)


def same(one: SignalValues, other: SignalValues) -> bool:
    """Whether two results are equal to the bit, categories by their texts."""
    found = one.vocabularies()
    return (
        found == other.vocabularies()
        and one.encode(found).tobytes() == other.encode(found).tobytes()
    )


@pytest.mark.parametrize("size", [4, 5, 16, 64, 300])
def test_chunks_of_any_size_give_the_same_bits(
    whole: SignalValues, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", size)
    assert same(batch.compute(PLAN, HISTORY, SPINE), whole)


@pytest.mark.parametrize("size", [1, 5, 64, 300])
@pytest.mark.parametrize("most_texts", [0, 3, reading.MOST_TEXTS])
def test_parts_of_any_size_and_texts_of_any_number_give_the_same_bits(
    whole: SignalValues, size: int, most_texts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HELD", size)
    monkeypatch.setattr(reading, "MOST_TEXTS", most_texts)
    assert same(batch.compute(PLAN, HISTORY, SPINE), whole)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_ties_settled_a_few_at_a_time_come_in_the_same_order(
    whole: SignalValues, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "SETTLED", size)
    assert same(batch.compute(PLAN, HISTORY, SPINE), whole)


@pytest.mark.parametrize("named", ["quo'te", "br[1]", "st*ar"])
def test_parts_may_lie_in_a_folder_of_any_name(
    whole: SignalValues, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / named).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / named))
    monkeypatch.setattr(reading, "HELD", 100)
    assert same(batch.compute(PLAN, HISTORY, SPINE), whole)
    assert not list((tmp_path / named).iterdir())


def test_parts_that_do_not_fit_on_the_disk_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # A disk cannot be filled in a test; to DuckDB a folder in a file is as good.
    monkeypatch.setattr(reading, "HELD", 100)
    write = reading._write_parts
    inside = Path(__file__) / "parts"
    monkeypatch.setattr(reading, "_write_parts", lambda c, q, folder: write(c, q, inside))
    with pytest.raises(DataError, match="room on disk"):
        batch.compute(PLAN, HISTORY, SPINE)


@pytest.mark.parametrize("held", [100, reading.HELD])
def test_further_columns_may_have_the_names_that_queries_use(
    whole: SignalValues, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HELD", held)
    table = HISTORY.interactions
    for name in ("c", "n", "since", "i", "w", "customer"):
        table = table.append_column(name, pa.array(np.zeros(len(table))))
    known = pa.table({"key": ["stranger"], "customer_id": ["c1"], "known_at": [AS_OF + DAY]})
    wider = History(table, HISTORY.attributes, HISTORY.offers, 0, identities=known)
    assert same(batch.compute(PLAN, wider, SPINE), whole)


@pytest.mark.parametrize("name", ["case_id", "topic", "due_at", "amount", "resolved"])
def test_a_column_of_nothing_needs_no_type(name: str) -> None:
    table = HISTORY.interactions
    place, kind = table.schema.get_field_index(name), table.schema.field(name).type
    empty = table.set_column(place, name, pa.nulls(len(table)))
    typed = table.set_column(place, name, pa.nulls(len(table), kind))
    one, other = (
        batch.compute(PLAN, History(t, HISTORY.attributes, HISTORY.offers, 0), SPINE)
        for t in (empty, typed)
    )
    assert same(one, other)


@pytest.mark.parametrize("name", ["occurred_at", "recorded_at", "due_at"])
def test_instants_of_another_type_are_refused(name: str) -> None:
    table = HISTORY.interactions
    place = table.schema.get_field_index(name)
    times = table.set_column(place, name, table[name].cast(pa.timestamp("us")))
    with pytest.raises(DataError, match=f"'{name}'.*timestamp.*int64"):
        History(times, HISTORY.attributes, HISTORY.offers, 0)


def test_many_rows_of_few_interactions_make_many_chunks(
    whole: SignalValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    assert same(batch.compute(PLAN, HISTORY, SPINE), whole)


def test_the_order_of_interactions_attributes_and_rows_changes_nothing(
    whole: SignalValues,
) -> None:
    rng = np.random.default_rng(3)
    mixed = History(
        HISTORY.interactions.take(rng.permutation(len(HISTORY.interactions))),
        HISTORY.attributes.take(rng.permutation(len(HISTORY.attributes))),
        dict(sorted(HISTORY.offers.items(), reverse=True)),
        HISTORY.known_until,
    )
    order = rng.permutation(len(SPINE))
    spine = Spine(SPINE.customer_id.take(order), SPINE.as_of[order], OFFERS_ASKED.take(order))
    values = batch.compute(PLAN, mixed, spine)
    back = np.argsort(order)
    assert same(SignalValues(PLAN, values.matrix[back], values.categories), whole)


def test_other_instants_and_customers_beside_a_row_change_nothing(whole: SignalValues) -> None:
    for i in range(0, len(ROWS), 7):
        alone = Spine(
            SPINE.customer_id.slice(i, 1),
            SPINE.as_of[i : i + 1],
            OFFERS_ASKED.slice(i, 1),
        )
        assert bits(batch.compute(PLAN, HISTORY, alone).row(0)) == bits(whole.row(i))


def test_many_instants_of_one_customer_each_start_afresh() -> None:
    # All scratch is left as it was found: forward, backward and alone are the same.
    items = CUSTOMERS["c15"][0]
    instants = sorted({item.occurred_at + d for item in items for d in (0, 1)})
    forward = [("c15", as_of, None) for as_of in instants]
    customers = {"c15": CUSTOMERS["c15"]}
    ahead = batch.compute(PLAN, history_of(customers), spine_of(forward))
    back = batch.compute(PLAN, history_of(customers), spine_of(forward[::-1]))
    assert same(SignalValues(PLAN, back.matrix[::-1], back.categories), ahead)


def test_data_in_several_files_are_the_table_in_memory(
    whole: SignalValues, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = HISTORY.interactions
    order = np.random.default_rng(5).permutation(len(table))
    for n, part in enumerate(np.array_split(order, 3)):
        pq.write_table(table.take(part), tmp_path / f"{n}.parquet", row_group_size=17)
    stored = History(
        ds.dataset(tmp_path, format="parquet"),
        HISTORY.attributes,
        HISTORY.offers,
        HISTORY.known_until,
    )
    assert same(batch.compute(PLAN, stored, SPINE), whole)
    monkeypatch.setattr(chunks, "CHUNK", 40)
    assert same(batch.compute(PLAN, stored, SPINE), whole)


def rows_of(table: pa.Table) -> list[list[object]]:
    columns = [table[name].to_pylist() for name in PLAN.names]
    nothing = [None if category else float("nan") for category in PLAN.categories]
    return [
        bits([n if v is None else v for v, n in zip(row, nothing, strict=True)])
        for row in zip(*columns, strict=True)
    ]


@pytest.mark.parametrize("size", [chunks.CHUNK, 24])
def test_a_file_holds_what_is_computed_ordered_by_customer(
    whole: SignalValues, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", size)
    batch.write_parquet(PLAN, HISTORY, SPINE, tmp_path / "signals.parquet")
    table = pq.read_table(tmp_path / "signals.parquet")
    order = sorted(range(len(ROWS)), key=lambda i: ROWS[i][0])
    assert table.column_names == ["customer_id", "as_of", "offer_id", *PLAN.names]
    assert table["customer_id"].to_pylist() == [ROWS[i][0] for i in order]
    assert table["as_of"].cast(pa.int64()).to_pylist() == [ROWS[i][1] for i in order]
    assert table["offer_id"].to_pylist() == [str(i) if ROWS[i][2] else None for i in order]
    assert rows_of(table) == [bits(whole.row(i)) for i in order]
    # What is missing in the file is missing, not a number that is none.
    texts = [name for name, category in zip(PLAN.names, PLAN.categories, strict=True) if category]
    assert {str(table.schema.field(name).type) for name in texts} == {"string"}


def test_a_spine_without_rows_makes_an_empty_file(tmp_path: Path) -> None:
    empty = Spine(pa.array([], pa.string()), np.array([], dtype=np.int64))
    assert len(batch.compute(PLAN, HISTORY, empty)) == 0
    batch.write_parquet(PLAN, HISTORY, empty, tmp_path / "signals.parquet")
    table = pq.read_table(tmp_path / "signals.parquet")
    assert (len(table), table.column_names) == (0, ["customer_id", "as_of", *PLAN.names])


@pytest.mark.parametrize("size", [chunks.CHUNK, 24])
def test_progress_adds_up_to_the_number_of_rows(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", size)
    computed: list[int] = []
    written: list[int] = []
    batch.compute(PLAN, HISTORY, SPINE, computed.append)
    batch.write_parquet(PLAN, HISTORY, SPINE, tmp_path / "signals.parquet", written.append)
    assert sum(computed) == sum(written) == len(ROWS)
    assert min(computed) >= 0
    assert len(computed) > 1


class BrokenError(Exception):
    """What a block raises."""


@pytest.mark.parametrize("size", [chunks.CHUNK, 24])
def test_an_error_in_a_block_surfaces(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(*args: Any) -> None:
        first, last = args[5], args[6]
        histories = args[1]
        assert isinstance(histories, tuple)
        # only the block with the customer of the longest history fails
        if (np.diff(histories[0])[first:last] > 50).any():
            raise BrokenError
        real(*args)

    real = kernel.evaluate
    monkeypatch.setattr(kernel, "evaluate", evaluate)
    monkeypatch.setattr(chunks, "CHUNK", size)
    with pytest.raises(BrokenError):
        batch.compute(PLAN, HISTORY, SPINE)
    with pytest.raises(BrokenError):
        batch.write_parquet(PLAN, HISTORY, SPINE, tmp_path / "signals.parquet")


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("most_rows", [1, 3, 100])
def test_a_cut_keeps_customers_whole_and_leaves_none_out(most: int, most_rows: int) -> None:
    # customers 0, 3 and 8 have no interactions, customer 4 has more than a chunk
    interactions_of = np.array([0, 1, 2, 0, 9, 1, 2, 1, 0])
    rows_of = np.array([1, 1, 2, 5, 1, 0, 1, 1, 1])
    before, rows_before = (np.concatenate(([0], np.cumsum(n))) for n in (interactions_of, rows_of))
    edges = chunks.edges_of((before, most), (rows_before, most_rows))
    assert edges == sorted(set(edges))
    assert (edges[0], edges[-1]) == (0, 9)
    for first, last in itertools.pairwise(edges):
        small = before[last] - before[first] <= most
        small &= rows_before[last] - rows_before[first] <= most_rows
        assert small or last == first + 1


def test_nobody_makes_no_chunk() -> None:
    assert chunks.edges_of((np.array([0]), 5)) == [0]


def test_a_customer_with_more_than_a_chunk_is_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 4)
    history = [at(AS_OF - k * DAY, amount=1.0) for k in range(1, 101)]
    plan = compile_plan(interactions().sum("amount", days(50, 200), why="w"), ROLES)
    values = batch.compute(plan, history_of({"c": (history, [])}), spine_of([("c", AS_OF, None)]))
    assert values.row(0) == [50.0, 100.0]


def test_a_category_met_first_in_a_later_chunk_keeps_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 4)
    channels = {f"c{n}": f"channel {9 - n}" for n in range(9)}
    customers = {
        name: (
            [
                Interaction(name, AS_OF - k, AS_OF - k, "visit", channel=channel, topic="TEA")
                for k in (1, 2, 3)
            ],
            [Attribute(name, AS_OF - 1, "city", f"city of {name}")],
        )
        for name, channel in channels.items()
    }
    plan: Plan = compile_plan(SIGNALS, ROLES)
    tea = Offer("o1", topics=frozenset({"TEA"}), attributes={"type": "A"})
    rows: list[Asked] = [(name, AS_OF, tea) for name in sorted(channels)]
    values = batch.compute(plan, history_of(customers, rows), spine_of(rows))
    assert values.column("any_favourite_channel") == [channels[name] for name in sorted(channels)]
    assert values.column("attribute_city") == [f"city of {name}" for name in sorted(channels)]
    assert values.column("any_days_since_last_same_topic") == [1 / DAY] * 9


def test_rows_come_back_in_the_order_asked_for() -> None:
    rows: list[Asked] = [("b", AS_OF, None), ("a", AS_OF, None), ("b", AS_OF - DAY, None)]
    customers: Known = {
        name: ([Interaction(name, AS_OF - n * DAY, 0, "visit") for n in range(1, many)], [])
        for name, many in (("a", 2), ("b", 6))
    }
    plan = compile_plan(interactions().count(why="w"), ROLES)
    counts: npt.NDArray[np.float64] = batch.compute(
        plan, history_of(customers), spine_of(rows)
    ).matrix
    assert counts.ravel().tolist() == [5.0, 1.0, 4.0]


def test_a_filtered_data_set_stays_filtered(tmp_path: Path) -> None:
    items = [Interaction("c", at, at, "purchase") for at in (1, 5)]
    pq.write_table(interactions_table(items), tmp_path / "all.parquet")
    early = ds.dataset(tmp_path).filter(ds.field("occurred_at") < 5)
    history = History(early, attributes_table([]), {}, known_until=10)
    plan = compile_plan(interactions().count(why="w"), {})
    spine = Spine(pa.array(["c"]), np.array([10]))
    assert batch.compute(plan, history, spine).row(0) == [1.0]


def test_files_that_grew_a_column_are_read_with_it(tmp_path: Path) -> None:
    old = interactions_table([Interaction("c", 1, 1, "purchase")])
    new = interactions_table(
        [Interaction("c", 2, 2, "purchase", numbers={"items": 5.0})], ["items"]
    )
    pq.write_table(old, tmp_path / "a.parquet")
    pq.write_table(new, tmp_path / "b.parquet")
    both = ds.dataset(tmp_path, schema=new.schema)
    history = History(both, attributes_table([]), {}, known_until=10)
    plan = compile_plan(interactions().sum("items", why="w"), {})
    assert batch.compute(plan, history, Spine(pa.array(["c"]), np.array([10]))).row(0) == [5.0]


def test_a_ratio_to_nothing_is_missing_and_fails_no_one() -> None:
    refund = Interaction("c", 1, 1, "purchase", amount=-5.0)
    spent = interactions().sum("amount", why="w")
    plan = compile_plan(ratio(spent, spent, prior=(0.1, 5.0), why="w"), {})
    history = History(interactions_table([refund]), attributes_table([]), {}, known_until=10)
    (value,) = batch.compute(plan, history, Spine(pa.array(["c"]), np.array([10]))).row(0)
    assert value != value
