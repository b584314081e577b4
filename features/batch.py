"""The batch engine: the signals of many customers at many instants, in bounded memory."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import arrays, chunks, facts, kernel, ordering, reading
from features.categories import Categories
from features.columns import check_instants, check_read
from features.encoding import calendar_of, offer_table
from features.history import History
from features.identities import shares
from features.offers import Offer
from features.plan import Plan
from features.values import SignalValues

Int64 = npt.NDArray[np.int64]
Progress = Callable[[int], object]
MEMORY = "1200MB"
"""What DuckDB may hold while it joins, parts and settles ties; the rest waits on disk."""
BLOCKS = 4
"""Into how many blocks a thread's share of a chunk is cut, for even work and for progress."""


@dataclass(frozen=True, slots=True)
class Spine:
    """The rows asked for: a customer, an instant (microseconds UTC) and, if any, an offer."""

    customer_id: pa.Array
    as_of: Int64
    offer_id: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.as_of)

    def rows(self, places: Int64) -> "Spine":
        """Return some of the rows."""
        taken = pa.array(places)
        offers = None if self.offer_id is None else self.offer_id.take(taken)
        return Spine(self.customer_id.take(taken), self.as_of[places], offers)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some customers as the kernel reads them; ``asked`` are their rows of the spine."""

    histories: arrays.Histories
    facts: arrays.Facts
    rows: arrays.Rows
    offers: arrays.OfferTable
    asked: Int64


def compute(
    plan: Plan,
    history: History,
    spine: Spine,
    progress: Progress = lambda rows: None,
    threads: int | None = None,
) -> SignalValues:
    """Compute the signals of every row of a spine.

    Args:
        plan: the compiled signals.
        history: the interactions, attributes and offers; rows in any order.
        spine: the rows asked for, in any order; a customer without history gets a row too.
        progress: called with the number of rows done since the last call.
        threads: how many run the kernel; by default one a processor.

    Returns:
        One row for each row of the spine, in its order.

    Raises:
        DataError: a column that signals read is not there, or an instant is missing.
    """
    categories = Categories(plan.named)
    matrix = np.empty((len(spine), len(plan.signals)))
    for _ in _computed(plan, history, spine, categories, lambda chunk: matrix, progress, threads):
        pass
    return SignalValues(plan, matrix, categories)


def write_parquet(
    plan: Plan,
    history: History,
    spine: Spine,
    path: str | Path,
    progress: Progress = lambda rows: None,
) -> None:
    """Compute the signals of every row of a spine into a Parquet file, customers by customers.

    Its columns are ``customer_id``, ``as_of``, ``offer_id`` (if the spine has one) and the signals
    by name; its rows are ordered by customer. The arguments are those of ``compute``.
    """
    writer: pq.ParquetWriter | None = None
    unfinished = Path(path).with_name(f"{Path(path).name}.unfinished")
    try:
        for asked, values in stream(plan, history, spine, progress):
            table = as_table(spine, asked, values)
            writer = writer or pq.ParquetWriter(unfinished, table.schema)
            writer.write_table(table)
        if writer is None:
            nothing = np.empty((0, len(plan.signals)))
            values = SignalValues(plan, nothing, Categories(plan.named))
            pq.write_table(as_table(spine, np.empty(0, dtype=np.int64), values), unfinished)
        else:
            writer.close()
        unfinished.replace(path)
    finally:
        if writer:
            writer.close()
        unfinished.unlink(missing_ok=True)


def stream(
    plan: Plan,
    history: History,
    spine: Spine,
    progress: Progress = lambda rows: None,
    threads: int | None = None,
) -> Iterator[tuple[Int64, SignalValues]]:
    """Compute the signals of every row of a spine, customers by customers in order of their ids.

    The arguments are those of ``compute``; while some customers are looked at, the next ones are
    computed.

    Yields:
        Places of rows of the spine, and their values; together all rows. Categories are the same
        object throughout.
    """
    categories = Categories(plan.named)

    def own_matrix(chunk: Chunk) -> npt.NDArray[np.float64]:
        chunk.rows.place[:] = np.arange(len(chunk.asked))
        return np.empty((len(chunk.asked), len(plan.signals)))

    chunks_ = _computed(plan, history, spine, categories, own_matrix, progress, threads)
    for chunk, matrix in chunks_:
        yield chunk.asked, SignalValues(plan, matrix, categories)


def as_table(spine: Spine, asked: Int64, values: SignalValues) -> pa.Table:
    """Return the rows ``asked`` of a spine with their values; categories are text."""
    rows = spine.rows(asked)
    columns: dict[str, pa.Array] = {
        "customer_id": rows.customer_id,
        "as_of": pa.array(rows.as_of).cast(pa.timestamp("us", tz="UTC")),
    }
    if rows.offer_id is not None:
        columns["offer_id"] = rows.offer_id
    texts = pa.array(values.categories.values, pa.string())
    for j, (name, category) in enumerate(
        zip(values.plan.names, values.plan.categories, strict=True)
    ):
        column = values.matrix[:, j]
        if category:
            missing = np.isnan(column)
            places = np.where(missing, 0, column).astype(np.int64)
            columns[name] = texts.take(pa.array(places, mask=missing))
        else:
            columns[name] = pa.array(column)
    return pa.table(columns)


def _computed(
    plan: Plan,
    history: History,
    spine: Spine,
    categories: Categories,
    into: Callable[[Chunk], npt.NDArray[np.float64]],
    progress: Progress,
    threads: int | None = None,
) -> Iterator[tuple[Chunk, npt.NDArray[np.float64]]]:
    """Run the kernel over one chunk while the next one is read."""
    program = plan.program
    n_threads = threads or os.cpu_count() or 1

    def block(chunk: Chunk, matrix: npt.NDArray[np.float64], first: int, last: int) -> int:
        kernel.evaluate(
            program, chunk.histories, chunk.facts, chunk.rows, chunk.offers, first, last, matrix
        )
        return int(chunk.rows.start[last] - chunk.rows.start[first])

    def finish(
        chunk: Chunk, matrix: npt.NDArray[np.float64], blocks: list[Future[int]]
    ) -> tuple[Chunk, npt.NDArray[np.float64]]:
        for done in blocks:
            progress(done.result())
        return chunk, matrix

    running: tuple[Chunk, npt.NDArray[np.float64], list[Future[int]]] | None = None
    with ThreadPoolExecutor(n_threads) as pool:
        for chunk in _chunks(plan, history, spine, categories):
            matrix = into(chunk)
            edges = _blocks(chunk.histories.start, chunk.rows.start, n_threads * BLOCKS)
            started = [
                pool.submit(block, chunk, matrix, first, last)
                for first, last in itertools.pairwise(edges)
            ]
            if running:
                yield finish(*running)
            running = chunk, matrix, started
        if running:
            yield finish(*running)


def _chunks(plan: Plan, history: History, spine: Spine, categories: Categories) -> Iterator[Chunk]:
    check_read(plan.numbers, history.interactions.schema.names)
    customers, customer = _numbered(spine.customer_id)
    asked_at = np.array(spine.as_of, dtype=np.int64)
    row_start, order, instants = ordering.by_customer(customer, len(customers), asked_at)
    named = None if spine.offer_id is None else spine.offer_id.drop_null().unique()
    offers = [] if named is None else [history.offers.get(o, Offer(o)) for o in named.to_pylist()]
    offer = np.full(len(spine), -1, dtype=np.int64)
    if named is not None and spine.offer_id is not None:
        offer = np.array(pc.index_in(spine.offer_id, named).fill_null(-1), dtype=np.int64)
    with (
        tempfile.TemporaryDirectory() as scratch,
        duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": scratch}) as connection,
    ):
        wanted = shares(history.identities, customers)
        connection.register("wanted", wanted)
        facts.stage(plan, history.attributes, connection)
        source = connection.cursor()
        reading.open_interactions(source, history.interactions)
        check_instants(history.interactions, source, "interactions")
        parts = reading.parts(source, plan, wanted, len(customers), Path(scratch))
        for begin, end, held in parts:
            known = ordering.canonical(held, end - begin, source)
            rows_before = row_start[begin : end + 1]
            edges = chunks.edges_of((known.start, chunks.CHUNK), (rows_before, chunks.CHUNK_ROWS))
            for first, last in itertools.pairwise(edges):
                histories, own = chunks.histories_of(plan, held, known, first, last, categories)
                own_rows = slice(rows_before[first], rows_before[last])
                asked, as_of = order[own_rows], instants[own_rows].copy()
                yield Chunk(
                    histories=histories,
                    facts=facts.facts_of(plan, connection, begin + first, begin + last, categories),
                    rows=arrays.Rows(
                        start=rows_before[first : last + 1] - rows_before[first],
                        as_of=as_of,
                        offer=offer[asked],
                        place=asked.copy(),
                        calendar=calendar_of(plan, as_of),
                    ),
                    offers=offer_table(plan, offers, categories, own, histories.codes),
                    asked=asked,
                )
            del held, known


def _numbered(names: pa.Array) -> tuple[pa.Array, Int64]:
    """Return the distinct names in order, and the place of each among them."""
    coded = names.dictionary_encode(null_encoding="encode")
    ascending = pc.sort_indices(coded.dictionary)
    place = np.empty(len(ascending), dtype=np.int64)
    place[np.asarray(ascending)] = np.arange(len(ascending))
    return coded.dictionary.take(ascending), place[np.asarray(coded.indices)]


def _blocks(history_start: Int64, row_start: Int64, n_blocks: int) -> list[int]:
    """Return the edges of blocks of customers that hold about equal work."""
    n = len(history_start) - 1
    work = np.cumsum(np.diff(history_start) + 20) + np.cumsum(np.diff(row_start) * 20)
    cuts = np.searchsorted(work, np.linspace(0, work[-1] if n else 0, n_blocks + 1)[1:-1])
    return sorted({0, *cuts.tolist(), n})
