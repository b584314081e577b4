"""Skewed made-up interactions as Parquet, in order of time, at any size.

Activity is lognormal over customers, and a few have 100,000 interactions. Memory is bounded by
one row group and four bytes an interaction. What is there already is not written again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features import clock
from features.history import interactions_schema

BEGIN = 18_262 * clock.DAY
DAYS = 730
END = BEGIN + DAYS * clock.DAY
N_INSTANTS = 6
GROUP, FILE = 500_000, 5_000_000
"""Interactions in a row group and in a file."""
PER_CUSTOMER = 50
BUSIEST = 100_000
ROLES: dict[str, tuple[str, ...]] = {
    "value": ("purchase",),
    "detail": ("item",),
    "negative": ("complaint", "return"),
    "contact": ("enquiry", "service_request"),
    "advocacy": ("referral",),
    "offer_shown": ("offer_shown",),
    "offer_accepted": ("offer_accepted",),
    "offer_declined": ("offer_declined",),
}
SHARES = {
    "purchase": 0.25,
    "item": 0.30,
    "visit": 0.12,
    "offer_shown": 0.12,
    "enquiry": 0.06,
    "service_request": 0.04,
    "offer_declined": 0.03,
    "complaint": 0.02,
    "return": 0.02,
    "referral": 0.02,
    "offer_accepted": 0.02,
}
"""How often each kind comes; a visit has no role."""
HAS = {
    "amount": (("purchase", "item", "return"), 1.0),
    "wait_minutes": (("enquiry", "service_request", "complaint"), 0.9),
    "rating": (("purchase", "service_request", "complaint", "enquiry"), 0.3),
}
"""Which kinds have a number, and how often they have it."""
CHANNELS = ("store", "web", "app", "phone", "email", "chat")
VERSION = 1
"""Raised when other histories are written, so that older files are not taken for them."""

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Size:
    """How many interactions there are, of how many customers, a few of whom are busy.

    >>> Size(10_000_000).customers, Size(10_000_000).busy, Size(10_000_000).busiest
    (200000, 3, 100000)
    """

    n: int
    per_customer: int = PER_CUSTOMER

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return max(2, self.n // self.per_customer)

    @property
    def busiest(self) -> int:
        """How many interactions a busy customer has."""
        return min(BUSIEST, self.n // 20)

    @property
    def busy(self) -> int:
        """How many customers are busy."""
        return max(1, self.n // 3_000_000)


def write(
    size: Size,
    folder: Path,
    progress: Callable[[int], object] = lambda rows: None,
    seed: int = 7,
    exported: bool = False,
) -> Path:
    """Write the interactions into files of a new folder and return it.

    Args:
        size: how many.
        folder: where that folder is made.
        progress: called with the number of interactions written since the last call.
        seed: of all that is random.
        exported: as another system would export them: timestamps, and no empty columns.
    """
    form = "export" if exported else "interactions"
    target = folder / f"{form}-{size.n}-{size.customers}-{seed}-v{VERSION}"
    if target.exists():
        return target
    rng = np.random.default_rng(seed)
    making = target.with_suffix(".part")
    making.mkdir(parents=True, exist_ok=True)
    owners, names = _owners(size, rng), customer_ids(size)
    shaped = _exported if exported else lambda table: table
    schema = shaped(interactions_schema().empty_table()).schema
    for k, first in enumerate(range(0, size.n, FILE)):
        file_end = min(first + FILE, size.n)
        with pq.ParquetWriter(making / f"part-{k:04d}.parquet", schema) as writer:
            for begin in range(first, file_end, GROUP):
                end = min(begin + GROUP, file_end)
                writer.write_table(shaped(_group(size, owners, names, begin, end, rng)))
                progress(end - begin)
    return making.rename(target)


def _exported(table: pa.Table) -> pa.Table:
    columns = ["customer_id", "occurred_at", "kind", "channel", "topic", *HAS]
    happened = table["occurred_at"].cast(pa.timestamp("us", "UTC"))
    return table.set_column(1, "occurred_at", happened).select(columns)


def customer_ids(size: Size) -> pa.Array:
    """Return the ids of all customers; the busy ones come first."""
    return pa.array([f"c{i:08d}" for i in range(size.customers)], pa.string())


def instants() -> Int64:
    """Return the instants that all customers share: the first day of the last months."""
    months = np.arange(N_INSTANTS)[::-1]
    return np.array(END - (1 + 28 * months) * clock.DAY, dtype=np.int64)


def write_shared_spine(size: Size, folder: Path) -> Path:
    """Write every customer at every shared instant."""
    at = instants()
    places = np.repeat(np.arange(size.customers), len(at))
    return _write_spine(size, folder / "spine-shared", places, np.tile(at, size.customers))


def write_own_spine(size: Size, folder: Path, seed: int = 11) -> Path:
    """Write rows that each have an instant of their own: a tenth as many as interactions."""
    rng = np.random.default_rng(seed)
    n = max(10, size.n // 10)
    at = rng.integers(BEGIN + 180 * clock.DAY, END, n)
    return _write_spine(size, folder / "spine-own", rng.integers(0, size.customers, n), at)


def write_sample(
    history: Path, spine: Path, folder: Path, most: int | None = None, part: int = 100
) -> tuple[Path, Path]:
    """Write one customer in ``part`` and what they did: interactions, and ``most`` of the rows."""
    customers = pq.read_table(spine, columns=["customer_id"])["customer_id"].unique()
    wanted = customers.take(np.arange(len(customers) - 1, 0, -min(part, len(customers) - 1)))
    is_wanted = pa.compute.field("customer_id").isin(wanted)
    chosen = folder / "sample-interactions"
    chosen.mkdir(exist_ok=True)
    pq.write_table(pq.read_table(history, filters=is_wanted), chosen / "part-0000.parquet")
    rows = pq.read_table(spine, filters=is_wanted)[:most]
    rows = rows.set_column(0, "row", pa.array(np.arange(len(rows), dtype=np.int64)))
    pq.write_table(rows, folder / "sample-spine.parquet")
    return chosen, folder / "sample-spine.parquet"


def _write_spine(size: Size, stem: Path, places: Int64, at: Int64) -> Path:
    path = stem.with_name(f"{stem.name}-{size.n}-v{VERSION}.parquet")
    table = {
        "row": np.arange(len(at), dtype=np.int64),
        "customer_id": customer_ids(size).take(pa.array(places)),
        "as_of": at,
    }
    pq.write_table(pa.table(table), path)
    return path


def _owners(size: Size, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Return the customer of each interaction, in random order."""
    counts = np.full(size.customers, size.busiest, dtype=np.int64)
    ordinary = size.customers - size.busy
    left = size.n - size.busy * size.busiest
    weights = rng.lognormal(0.0, 1.2, ordinary)
    edges = np.cumsum(weights / weights.sum() * left).round().astype(np.int64)
    edges[-1] = left
    counts[size.busy :] = np.diff(edges, prepend=0)
    owners = np.repeat(np.arange(size.customers, dtype=np.int32), counts)
    rng.shuffle(owners)
    return owners


def _group(
    size: Size,
    owners: npt.NDArray[np.int32],
    names: pa.Array,
    begin: int,
    end: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Return the interactions ``begin`` to ``end``, whose instants lie in a slice of the time."""
    n = end - begin
    low, high = (BEGIN + np.array([begin, end]) / size.n * (END - BEGIN)).astype(np.int64)
    occurred = np.sort(rng.integers(low // 1_000_000, high // 1_000_000 + 1, n)) * 1_000_000
    kinds = tuple(SHARES)
    kind = rng.choice(len(kinds), n, p=list(SHARES.values()))
    numbers = {
        "amount": rng.lognormal(3.0, 1.0, n).round(2),
        "wait_minutes": rng.exponential(12.0, n).round(1),
        "rating": rng.integers(0, 11, n) / 10.0,
    }
    columns = {
        "customer_id": names.take(pa.array(owners[begin:end])),
        "occurred_at": occurred,
        "recorded_at": occurred,
        "kind": pa.array(kinds).take(pa.array(kind)),
        "channel": pa.array(CHANNELS).take(pa.array(rng.integers(0, len(CHANNELS), n))),
        "topic": pa.array([f"t{i}" for i in range(40)]).take(pa.array(rng.integers(0, 40, n))),
    }
    for name, values in numbers.items():
        has, share = HAS[name]
        missing = ~np.isin(kind, [kinds.index(k) for k in has]) | (rng.random(n) > share)
        columns[name] = pa.array(values, mask=missing)
    schema = interactions_schema()
    return pa.table([columns.get(f.name, pa.nulls(n, f.type)) for f in schema], schema=schema)
