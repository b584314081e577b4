"""Unseen rows: what happened after a model's training ended, and what the model had said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from features import clock
from features.batch import Spine, compute
from features.errors import DataError
from features.history import History
from features.sections import Roles
from features.snapshots import snapshot_spine
from training.bundle import Bundle
from training.dataset import snapshot_instants
from training.evaluation import Evaluation, Tested, evaluate
from training.money import Stakes
from training.splits import day_blocks
from training.tasks import (
    UNTIL_VALID_TO,
    Churn,
    Int8,
    Int64,
    OfferTask,
    churn_labels,
    offer_examples,
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows with complete labels from instants at or after a model's ``trained_until``.

    ``tested`` is ``None`` where there are none yet; ``when`` says from when there will be.
    """

    tested: Tested | None
    when: str


def unseen(bundle: Bundle, history: History, roles: Roles) -> Unseen:
    """Return what a model says of rows that it has not learned from.

    The task is the model's own, by which it was trained, whatever the settings say now.

    Args:
        bundle: the model.
        history: everything known now.
        roles: what kinds mean.

    Raises:
        DataError: the history cannot carry the task.
    """
    card = bundle.card
    since = clock.to_instant(datetime.fromisoformat(card.trained_until), "UTC")
    if card.task == "churn":
        churn = Churn(**card.settings)
        complete = clock.isoformat(since + churn.gap_us + churn.horizon_us)
        return Unseen(_churn(bundle, history, roles, churn, since), f"from {complete} on")
    offer = OfferTask(**card.settings)
    closed = "ended" if offer.horizon == UNTIL_VALID_TO else f"been shown for {offer.horizon}"
    when = f"once offers shown from {card.trained_until} on have {closed}"
    return Unseen(_offers(bundle, history, roles, offer, since), when)


def measure(bundle: Bundle, tested: Tested) -> Evaluation:
    """Return the metrics of unseen rows.

    Raises:
        DataError: they are all of one kind.
    """
    positives = int(tested.label.sum())
    instants = np.unique(tested.instant)
    both = [0 < tested.label[tested.instant == t].mean() < 1 for t in instants]
    if not any(both):
        raise DataError(
            "unseen rows",
            f"{positives:,} positives in {len(tested.label):,} rows",
            "rows of both kinds at one instant",
            "Evaluate again when more has happened.",
        )
    return evaluate(tested, Stakes.of(bundle.card.costs) if bundle.card.task == "churn" else None)


def plain(evaluation: Evaluation) -> dict[str, Any]:
    """Return metrics as plain data: of all rows, and of each instant by its time."""
    by_instant: dict[str, Mapping[str, float]] = {
        clock.isoformat(t): metrics for t, metrics in sorted(evaluation.by_instant.items())
    }
    return {"metrics": dict(evaluation.metrics), "by_instant": by_instant}


def _churn(
    bundle: Bundle, history: History, roles: Roles, task: Churn, since: int
) -> Tested | None:
    instants = [at for at in snapshot_instants(history, roles, task) if at >= since]
    if not instants:
        return None
    spine = snapshot_spine(history, instants)
    matrix = bundle.encode(compute(bundle.plan, history, spine))
    kept = bundle.in_cohort(matrix)
    spine = Spine(spine.customer_id.filter(kept), spine.as_of[kept])
    if len(spine) == 0:
        return None
    label = churn_labels(history, roles, task, spine)
    return _tested(bundle, matrix[kept], spine, spine.as_of, label)


def _offers(
    bundle: Bundle, history: History, roles: Roles, task: OfferTask, since: int
) -> Tested | None:
    examples = offer_examples(history, roles, task)
    kept = examples.spine.as_of >= since
    if not kept.any():
        return None
    offer_id = examples.spine.offer_id
    assert offer_id is not None  # episodes are of offers
    spine = Spine(
        examples.spine.customer_id.filter(kept), examples.spine.as_of[kept], offer_id.filter(kept)
    )
    matrix = bundle.encode(compute(bundle.plan, history, spine))
    instant = np.empty(len(spine), dtype=np.int64)
    for rows in day_blocks(spine.as_of):
        instant[rows] = spine.as_of[rows].min()
    return _tested(bundle, matrix, spine, instant, examples.label[kept])


def _tested(
    bundle: Bundle,
    matrix: npt.NDArray[np.float64],
    spine: Spine,
    instant: Int64,
    label: Int8,
) -> Tested:
    stakes = Stakes.of(bundle.card.costs) if bundle.card.task == "churn" else None
    customers = spine.customer_id.unique()
    return Tested(
        customer=np.array(pc.index_in(spine.customer_id, customers), dtype=np.int64),
        instant=instant,
        label=label,
        predictions={"model": bundle.score(matrix)},
        amount=stakes.amounts(bundle.plan, matrix) if stakes else None,
    )
