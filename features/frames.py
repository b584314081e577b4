"""Frames: a history and its signals as pandas tables, for notebooks."""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from features.batch import Spine, compute
from features.categories import Categories
from features.errors import DataError, nearest
from features.excerpts import excerpt, in_memory
from features.history import History
from features.identities import standing
from features.interactions import INSTANTS
from features.listing import COLUMNS, Entry, entry_of
from features.plan import Plan
from features.snapshots import snapshot_spine
from features.values import SignalValues
from features.wording import Wording

ORDERED = ("occurred_at", "customer_id", "recorded_at", "kind", "interaction_id", "topic")
"""By what interactions are ordered, so that a table is the same each time."""


class Signals(pd.DataFrame):
    """Signals of customers, a row each, whose columns explain themselves.

    A pandas table in all else: what is chosen from it still knows what its columns mean. The
    index names the customer, and the instant and the offer where several were asked for. A missing
    value is NaN, a category is text.

    Attributes:
        plan: the signals as declared.
        wording: how the deployment calls things.
    """

    plan: Plan
    wording: Wording
    _metadata = ("plan", "wording")  # what pandas hands on to the tables that it makes of this one

    @property
    def _constructor(self) -> type["Signals"]:
        return Signals

    def explain(self, name: str) -> Entry:
        """Return what a signal measures, in which unit, and why it matters.

        Raises:
            DataError: no signal has this name.
        """
        names = self.plan.names
        if name not in names:
            raise DataError("signal", f"'{name}'", "one of the table", nearest(name, names))
        return entry_of(self.plan.signals[names.index(name)], self.wording)

    def catalogue(self) -> pd.DataFrame:
        """Return what every column measures, a row each, those of one meaning together."""
        kept = [signal for signal in self.plan.signals if signal.name in self.columns]
        return catalogue_frame([entry_of(signal, self.wording) for signal in kept])

    def in_words(self, row: Hashable) -> pd.DataFrame:
        """Return what the signals say of one row, in words, those of one meaning together.

        Args:
            row: its label: the customer, and the instant and the offer where the index has them.

        Raises:
            DataError: no row has this label, or several have.
        """
        found = self.loc[[row]] if row in self.index else self.iloc[:0]
        if len(found) != 1:
            raise DataError(
                "row in words",
                f"{len(found)} rows labelled {row!r}",
                f"one row, by its {' and '.join(str(name) for name in self.index.names)}",
                "Name every level of the index.",
            )
        listed = self.catalogue()
        places = {signal.name: signal for signal in self.plan.signals}
        rows = []
        for name in listed.index:
            value = found.iloc[0][name]
            said = self.wording.say(places[name], None if pd.isna(value) else value)
            rows.append((listed["group"][name], value, said))
        return pd.DataFrame(rows, listed.index, ["group", "value", "in words"])


def signals_frame(
    plan: Plan,
    wording: Wording,
    history: History,
    instants: Sequence[int],
    customers: Iterable[str] | None = None,
    offers: Sequence[str] = (),
    dated: bool = False,
) -> Signals:
    """Compute signals of customers at some instants, by the engine that models are trained with.

    Args:
        plan: the signals.
        wording: how the deployment calls things.
        history: what is known.
        instants: microseconds since 1970 UTC; only what was known before each counts.
        customers: by default all.
        offers: a row for each of them, by their ids; by default none.
        dated: whether the index names the instant.

    Returns:
        A row for each customer, instant and offer; the index names the customer, and the offer
        where any are given.
    """
    if customers is None:
        spine = snapshot_spine(history, list(instants))
    else:
        names = list(dict.fromkeys(customers))
        history = excerpt(history, names)
        spine = _spine(history, names, instants)
    if offers:
        spine = _with_offers(spine, offers)
    values = compute(plan, history, spine)
    return framed(values, wording, _index(spine, dated, history.timezone))


def framed(values: SignalValues, wording: Wording, index: pd.Index | None = None) -> Signals:
    """Return computed signals as a table."""
    columns = {
        name: pd.Series(values.column(name), dtype="str" if category else "float64")
        for name, category in zip(values.plan.names, values.plan.categories, strict=True)
    }
    made = Signals(columns)
    if index is not None:
        made.index = index
    made.plan, made.wording = values.plan, wording
    return made


def values_of(table: pd.DataFrame, plan: Plan) -> SignalValues:
    """Return the rows of a table as models take them, bit for bit.

    Raises:
        DataError: the table lacks a signal of the plan.
    """
    missing = [name for name in plan.names if name not in table.columns]
    if missing:
        raise DataError(
            "signals",
            f"a table without {', '.join(missing[:5])}",
            f"all {len(plan.names)} signals of the model",
            "Ask for the signals of the model: study.signals(model).",
        )
    categories = Categories(plan.named)
    matrix = np.empty((len(table), len(plan.names)))
    for j, (name, category) in enumerate(zip(plan.names, plan.categories, strict=True)):
        column = table[name]
        matrix[:, j] = (
            [categories.encode(None if pd.isna(text) else text, number=False) for text in column]
            if category
            else column.to_numpy(dtype=np.float64)
        )
    return SignalValues(plan, matrix, categories)


def catalogue_frame(listed: Sequence[Entry]) -> pd.DataFrame:
    """Return signals in words as a table by name, those of one group together."""
    groups = list(dict.fromkeys(entry.group for entry in listed))
    ordered = sorted(listed, key=lambda entry: groups.index(entry.group))
    rows = [[getattr(entry, name) for name in COLUMNS] for entry in ordered]
    return pd.DataFrame(rows, columns=list(COLUMNS)).set_index("name")


def interactions_frame(history: History, customers: Iterable[str] | None = None) -> pd.DataFrame:
    """Return interactions as a table in order of time, without columns that hold nothing.

    Args:
        history: what is known.
        customers: whose; by default everybody's.

    Returns:
        A row an interaction; its times are those of the project's time zone.
    """
    chosen = history if customers is None else excerpt(history, customers)
    table = in_memory(chosen).sort_by([(name, "ascending") for name in ORDERED])
    filled = [name for name in table.column_names if table[name].null_count < len(table)]
    found: pd.DataFrame = table.select(filled).to_pandas()
    for name in {*INSTANTS, "due_at"} & set(filled):
        found[name] = _local(found[name], history.timezone)
    return found


def _local(instants: pd.Series, zone: str) -> pd.Series:
    moments = pd.to_datetime(instants.astype("Int64"), unit="us", utc=True)
    return moments.dt.tz_convert(zone).dt.as_unit("us")


def _spine(history: History, customers: Sequence[str], instants: Sequence[int]) -> Spine:
    """Return the rows of some customers, in order of instant; keys of others are none then."""
    rows = pa.array(list(customers) * len(instants), pa.string())
    as_of = np.repeat(np.array(instants, dtype=np.int64), len(customers))
    own = standing(history.identities, rows, as_of)
    return Spine(rows.filter(own), as_of[own])


def _with_offers(spine: Spine, offers: Sequence[str]) -> Spine:
    n = np.repeat(np.arange(len(spine)), len(offers))
    offered = pa.array(list(offers) * len(spine), pa.string())
    return Spine(spine.customer_id.take(n), spine.as_of[n], offered)


def _index(spine: Spine, dated: bool, zone: str) -> pd.Index:
    levels = {"customer_id": pd.Series(spine.customer_id.to_pandas())}
    if dated:
        levels["as_of"] = _local(pd.Series(spine.as_of), zone)
    if spine.offer_id is not None:
        levels["offer_id"] = pd.Series(spine.offer_id.to_pandas())
    if len(levels) == 1:
        return pd.Index(levels["customer_id"], name="customer_id")
    return pd.MultiIndex.from_frame(pd.DataFrame(levels))
