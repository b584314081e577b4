"""Unseen rows: what happened after a model's training ended, and what the model had said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
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
    Examples,
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
    card, since = bundle.card, learned_until(bundle)
    if card.task == "churn":
        churn = Churn.model_validate(card.settings)
        when = f"from {clock.isoformat(since + churn.gap_us + churn.horizon_us)} on"
    else:
        offer = OfferTask.model_validate(card.settings)
        ended = offer.horizon == UNTIL_VALID_TO
        closed = "ended" if ended else f"been shown for {offer.horizon}"
        when = f"once offers shown from {card.trained_until} on have {closed}"
    examples, instant = examples_since(history, roles, bundle, since)
    matrix = bundle.encode(compute(bundle.plan, history, examples.spine))
    kept = bundle.in_cohort(matrix)
    if not kept.any():
        return Unseen(None, when)
    stakes = Stakes.of(card.costs) if card.task == "churn" else None
    tested = Tested(
        customer=customers_of(examples)[kept],
        instant=instant[kept],
        label=examples.label[kept],
        predictions={"model": bundle.score(matrix[kept])},
        amount=stakes.amounts(bundle.plan, matrix[kept]) if stakes else None,
    )
    return Unseen(tested, when)


def learned_until(bundle: Bundle) -> int:
    """Return the end of the last label window that a model knows, microseconds UTC."""
    return clock.to_instant(datetime.fromisoformat(bundle.card.trained_until), "UTC")


def examples_since(
    history: History, roles: Roles, bundle: Bundle, since: int
) -> tuple[Examples, Int64]:
    """Return the labelled rows of a model's task at or after an instant, and each one's test.

    A test is an instant at which customers are looked at, or the first of a block of days in
    which offers were shown.
    """
    if bundle.card.task == "churn":
        task = Churn.model_validate(bundle.card.settings)
        instants = [t for t in snapshot_instants(history, roles, task) if t >= since]
        spine = snapshot_spine(history, instants)
        ends = spine.as_of + task.gap_us + task.horizon_us
        return Examples(spine, churn_labels(history, roles, task, spine), ends, {}), spine.as_of
    shown = offer_examples(history, roles, OfferTask.model_validate(bundle.card.settings))
    late = shown.spine.as_of >= since
    as_of, offers = shown.spine.as_of[late], shown.spine.offer_id
    spine = Spine(shown.spine.customer_id.filter(late), as_of, offers and offers.filter(late))
    instant = np.zeros(len(as_of), dtype=np.int64)
    for block in day_blocks(as_of, np.ones(len(as_of), dtype=np.bool_)):
        instant[block] = as_of[block].min()
    return Examples(spine, shown.label[late], shown.ends[late], {}), instant


def customers_of(examples: Examples) -> Int64:
    """Return a code of the customer of each row, shape ``(n,)``."""
    who = examples.spine.customer_id
    return np.array(pc.index_in(who, who.unique()), dtype=np.int64)


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
