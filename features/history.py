"""A history: the interactions, attributes and offers of a data set, as Arrow tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.dataset

from features.columns import check_filled, check_further, check_names, check_types
from features.identities import IDENTITIES_SCHEMA
from features.interactions import INSTANTS, NUMBERS, ORDER, STRINGS, Attribute, Interaction
from features.offers import Offer
from features.sections import SignalConstants
from features.sources.report import Report


def interactions_schema(numbers: Iterable[str] = ()) -> pa.Schema:
    """Return the Arrow schema of interactions; instants are int64 microseconds, UTC.

    Args:
        numbers: the further numeric columns.

    Raises:
        DataError: one cannot have its name.
    """
    further = sorted(set(numbers))
    check_further(further)
    fields = [("customer_id", pa.string())]
    fields += [(name, pa.int64()) for name in ("occurred_at", "recorded_at")]
    fields += [(name, pa.string()) for name in STRINGS]
    fields += [(name, pa.float64()) for name in NUMBERS]
    fields += [("resolved", pa.bool_()), ("due_at", pa.int64())]
    fields += [(name, pa.float64()) for name in further]
    return pa.schema(fields)


ATTRIBUTES_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("known_at", pa.int64()),
        ("name", pa.string()),
        ("value", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class History:
    """What is known of all customers.

    ``interactions`` (a table in memory, or a data set of files that are streamed) and
    ``attributes`` have the schemas of this module, in any order;
    ``attribute_numbers`` says of each attribute whether it is a number. ``known_until`` is the
    instant from which nothing more can be known: every interaction lies before it. ``report``
    says what reading the sources found; ``timezone`` and ``constants`` are the settings', for
    signals. Interactions and attributes stand under the keys that they were recorded under;
    ``identities``, resolved, say whose these are.

    Raises:
        DataError: a column of the interactions is missing or cannot have its name, or a table in
            memory lacks an instant. Those of files are looked at when they are read.
    """

    interactions: pa.Table | pa.dataset.Dataset
    attributes: pa.Table
    offers: Mapping[str, Offer]
    known_until: int
    numbers: tuple[str, ...] = ()
    attribute_numbers: Mapping[str, bool] = field(default_factory=dict)
    offer_numbers: Mapping[str, bool] = field(default_factory=dict)
    timezone: str = "UTC"
    constants: SignalConstants = field(default_factory=SignalConstants)
    report: Report | None = None
    identities: pa.Table = field(default_factory=IDENTITIES_SCHEMA.empty_table)

    def __post_init__(self) -> None:
        check_names(self.interactions.schema.names)
        check_types(self.interactions.schema)
        if isinstance(self.interactions, pa.Table):
            check_filled(self.interactions, "interactions", INSTANTS)
        check_filled(self.attributes, "attributes", ["known_at"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was rejected or left out when the sources were read, a line each."""
        return self.report.notes if self.report else ()


def interactions_table(items: Iterable[Interaction], numbers: Iterable[str] = ()) -> pa.Table:
    """Return interactions as an Arrow table with the given further numeric columns."""
    schema = interactions_schema(numbers)
    rows = []
    for item in items:
        row = {name: getattr(item, name) for name in ("customer_id", *ORDER)}
        rows.append(row | {name: item.numbers.get(name) for name in schema.names[len(row) :]})
    return pa.Table.from_pylist(rows, schema=schema)


def attributes_table(items: Iterable[Attribute]) -> pa.Table:
    """Return attributes, under the keys that they were recorded under, as an Arrow table."""
    rows = [
        {"customer_id": a.customer_id, "known_at": a.known_at, "name": a.name, "value": a.value}
        for a in items
    ]
    return pa.Table.from_pylist(rows, schema=ATTRIBUTES_SCHEMA)
