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
from training.baselines import BASELINES
from training.bundle import Bundle
from training.dataset import snapshot_instants
from training.evaluation import Evaluation, Float64, Tested, evaluate
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

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows with complete labels from instants at or after a model's ``trained_until``.

    ``tested`` is ``None`` where there are none yet; ``when`` says from when there will be.
    """

    tested: Tested | None
    when: str


def unseen(bundle: Bundle, history: History, roles: Roles) -> Unseen:
    """Return what a model says of rows that it has not learned from, and what baselines say.

    The task is the model's own, by which it was trained, whatever the settings say now. Baselines
    are fitted on labels that were complete when the model was trained.

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
    own = {"model": bundle.score(matrix[kept])}
    tested = Tested(
        customer=customers_of(examples)[kept],
        instant=instant[kept],
        label=examples.label[kept],
        predictions=own | _baselines(bundle, history, roles, since, matrix[kept]),
        amount=stakes.amounts(bundle.plan, matrix[kept]) if stakes else None,
    )
    return Unseen(tested, when)


def _baselines(
    bundle: Bundle, history: History, roles: Roles, until: int, test: Float64
) -> dict[str, Float64]:
    """Return what each baseline says of encoded rows; nothing where there is no both kinds."""
    known = _examples_known(history, roles, bundle, until)
    matrix = bundle.encode(compute(bundle.plan, history, known.spine))
    kept = bundle.in_cohort(matrix)
    matrix, label = matrix[kept], known.label[kept]
    if len(np.unique(label)) < 2:
        return {}
    return {name: fit(bundle.plan, matrix, label, test) for name, fit in BASELINES.items()}


def _examples_known(history: History, roles: Roles, bundle: Bundle, until: int) -> Examples:
    """Return the rows of a model's task whose labels were complete at an instant, oldest first."""
    if bundle.card.task == "churn":
        task = Churn.model_validate(bundle.card.settings)
        span = task.gap_us + task.horizon_us
        instants = [t for t in snapshot_instants(history, roles, task) if t + span <= until]
        return _snapshots(history, roles, task, instants)
    shown = offer_examples(history, roles, OfferTask.model_validate(bundle.card.settings))
    return _some(shown, shown.ends <= until)


def _snapshots(history: History, roles: Roles, task: Churn, instants: list[int]) -> Examples:
    spine = snapshot_spine(history, instants)
    ends = spine.as_of + task.gap_us + task.horizon_us
    return Examples(spine, churn_labels(history, roles, task, spine), ends, {})


def _some(shown: Examples, kept: Mask) -> Examples:
    offers = shown.spine.offer_id
    who, as_of = shown.spine.customer_id.filter(kept), shown.spine.as_of[kept]
    spine = Spine(who, as_of, offers and offers.filter(kept))
    return Examples(spine, shown.label[kept], shown.ends[kept], {})


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
        examples = _snapshots(history, roles, task, instants)
        return examples, examples.spine.as_of
    shown = offer_examples(history, roles, OfferTask.model_validate(bundle.card.settings))
    examples = _some(shown, shown.spine.as_of >= since)
    as_of = examples.spine.as_of
    instant = np.zeros(len(as_of), dtype=np.int64)
    for block in day_blocks(as_of, np.ones(len(as_of), dtype=np.bool_)):
        instant[block] = as_of[block].min()
    return examples, instant


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
    """Return metrics as plain data: of all rows, of each instant, and AUC gained over others."""
    by_instant: dict[str, Mapping[str, float]] = {
        clock.isoformat(t): metrics for t, metrics in sorted(evaluation.by_instant.items())
    }
    return {
        "metrics": dict(evaluation.metrics),
        "by_instant": by_instant,
        "gain": {
            name: dict(zip(("mean", "low", "high"), gain, strict=True))
            for name, gain in evaluation.gain.items()
        },
    }
