"""Datasets: rows of (customer, instant[, offer]) with their signals and labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.batch import Spine, compute
from features.catalog import customer_signals, offer_signals
from features.declaration import ROLES, Signal
from features.errors import DataError
from features.history import History
from features.plan import Plan, compile_plan
from features.sections import Roles
from features.shape import shape_of
from features.signals import days, interactions
from features.snapshots import snapshot_spine
from features.values import SignalValues
from training import cohort
from training.splits import snapshots
from training.tasks import Churn, Examples, Int8, Int64, OfferTask, churn_labels, offer_examples


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from: signals, label, and the time that each row needs.

    ``customer`` is the place of the row's customer in ``customers``; ``as_of`` and ``ends`` are
    microseconds UTC.
    """

    values: SignalValues
    label: Int8
    customer: Int64
    as_of: Int64
    ends: Int64
    left_out: dict[str, int]
    customers: pa.Array

    def __len__(self) -> int:
        return len(self.label)


def churn_plan(history: History, roles: Roles, task: Churn) -> Plan:
    """Return the plan of the churn model: the catalogue, and the signal of the cohort."""
    signals = list(customer_signals(shape_of(history, roles)))
    signals += [s for s in cohort_signals(task) if s.name not in {x.name for x in signals}]
    return compile_plan(signals, {role: roles.kinds(role) for role in ROLES}, history.timezone)


def cohort_signals(task: Churn) -> tuple[Signal, ...]:
    """Return the signals that say of a customer: active, known at all, and not gone."""
    value = interactions(role="value")
    active = value.count(days(task.active_days), why="whether they are a customer now")
    gone = interactions(role="exit").count(why="whether they have left")
    return (*active, *interactions().count(why="how much is known"), *gone)


def cohort_names(task: Churn) -> tuple[str, str | None]:
    """Return the names of the signals that say who is active, and (if any) who is gone."""
    gone = "exit_count" if task.definition == "exit" else None
    return f"value_count_{task.active_days}d", gone


def in_cohort(values: SignalValues, task: Churn) -> npt.NDArray[np.bool_]:
    """Return which rows the churn model speaks for, from the signals of ``cohort_signals``."""
    return cohort.in_cohort(values.plan.names, values.matrix, *cohort_names(task))


def snapshot_instants(history: History, roles: Roles, task: Churn) -> list[int]:
    """Return the instants at which a history's customers are looked at, newest last.

    Raises:
        DataError: there is no value interaction, or the history is too short.
    """
    return snapshots(first_value(history, roles), history.known_until, task)


def churn_dataset(
    history: History, roles: Roles, task: Churn, instants: list[int] | None = None
) -> Dataset:
    """Look at every customer at some instants, and label those in the cohort.

    Args:
        history: the interactions and attributes.
        roles: what kinds mean.
        task: the cohort and the label.
        instants: whose labels are complete; by default those of ``snapshot_instants``.

    Raises:
        DataError: there is no value interaction, or the history is too short.
    """
    if instants is None:
        instants = snapshot_instants(history, roles, task)
    spine = snapshot_spine(history, instants)
    plan = churn_plan(history, roles, task)
    values = compute(plan, history, spine)
    kept = in_cohort(values, task)
    spine = Spine(spine.customer_id.filter(kept), spine.as_of[kept])
    customers = spine.customer_id.unique()
    return Dataset(
        values=SignalValues(plan, values.matrix[kept], values.categories),
        label=churn_labels(history, roles, task, spine),
        customer=np.array(pc.index_in(spine.customer_id, customers), dtype=np.int64),
        as_of=spine.as_of,
        ends=spine.as_of + task.gap_us + task.horizon_us,
        left_out={"outside the cohort at the instant": int((~kept).sum())},
        customers=customers,
    )


def offers_dataset(history: History, roles: Roles, task: OfferTask) -> Dataset:
    """Take every offer shown, at the instant it was shown, labelled by whether it was accepted."""
    examples: Examples = offer_examples(history, roles, task)
    plan = compile_plan(
        offer_signals(shape_of(history, roles)),
        {role: roles.kinds(role) for role in ROLES},
        history.timezone,
    )
    spine = examples.spine
    customers = spine.customer_id.unique()
    return Dataset(
        values=compute(plan, history, spine),
        label=examples.label,
        customer=np.array(pc.index_in(spine.customer_id, customers), dtype=np.int64),
        as_of=spine.as_of,
        ends=examples.ends,
        left_out=examples.left_out,
        customers=customers,
    )


def first_value(history: History, roles: Roles) -> int:
    """Return the instant of the first value interaction; raises when there is none."""
    value = history.interactions.filter(pc.field("kind").isin(roles.kinds("value")))
    if len(value) == 0:
        raise DataError(
            "churn model",
            "no interaction of the role value",
            f"interactions of a kind among {', '.join(roles.kinds('value'))}",
            "Name the kinds in the data that carry value under [roles] value.",
        )
    return int(pc.min(value["occurred_at"]).as_py())
