"""The trial: the rows that neither champion nor challenger has learned from, predicted by both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow.compute as pc

from features import clock
from features.batch import Spine, compute
from features.errors import DataError
from features.history import History
from features.sections import Roles
from features.snapshots import snapshot_spine
from training.bundle import Bundle
from training.dataset import first_value
from training.evaluation import Float64, Tested
from training.promotion import CHAMPION, Mask
from training.slices import cut
from training.splits import day_blocks, snapshots
from training.tasks import Churn, Examples, Int64, OfferTask, churn_labels, offer_examples


@dataclass(frozen=True, slots=True)
class Trial:
    """Predictions of rows at or after ``since`` (microseconds UTC), and their slices by name."""

    since: int
    tested: Tested
    slices: Mapping[str, Mask]


def try_both(
    history: History,
    roles: Roles,
    champion: Bundle,
    challenger: Bundle,
    begin: Callable[[str], object] = lambda step: None,
) -> Trial:
    """Let both models predict the rows after all that either was trained, stopped or calibrated on.

    Each model computes its own signals; rows count that both speak for.

    Args:
        history: everything known.
        roles: what the kinds of interaction mean.
        champion: the model that serves.
        challenger: one of the same task and settings.
        begin: called when a step begins, with its name.

    Raises:
        DataError: there are no such rows; it says from when there will be.
    """
    since = max(_learned_until(champion), _learned_until(challenger))
    examples, instant = _unseen(history, roles, champion, since)
    if not examples:
        raise _nothing_unseen(history, roles, champion, challenger, since)
    matrices = {}
    kept = np.ones(len(examples), dtype=np.bool_)
    for name, bundle in ((CHAMPION, champion), ("model", challenger)):
        begin("champion" if name == CHAMPION else "challenger")
        matrices[name] = bundle.encode(compute(bundle.plan, history, examples.spine))
        kept &= bundle.in_cohort(matrices[name])
    who = examples.spine.customer_id
    customer = np.array(pc.index_in(who, who.unique()), dtype=np.int64)
    tested = Tested(
        customer=customer[kept],
        instant=instant[kept],
        label=examples.label[kept],
        predictions={
            CHAMPION: champion.score(matrices[CHAMPION][kept]),
            "model": challenger.score(matrices["model"][kept]),
        },
    )
    slices = _slices(champion, matrices[CHAMPION][kept])
    return Trial(since, tested, slices | _slices(challenger, matrices["model"][kept]))


def _slices(bundle: Bundle, matrix: Float64) -> dict[str, Mask]:
    parts = cut(bundle.plan, matrix, bundle.vocabularies) if len(matrix) else ()
    return {f"{signal}: {of}": rows for signal, of, rows in parts}


def _learned_until(bundle: Bundle) -> int:
    """Return the end of the last label window that the model knows."""
    return clock.to_instant(datetime.fromisoformat(bundle.card.trained_until), "UTC")


def _unseen(history: History, roles: Roles, bundle: Bundle, since: int) -> tuple[Examples, Int64]:
    """Return the labelled rows at or after an instant, and the test instant of each."""
    if bundle.card.task == "churn":
        task = Churn.model_validate(bundle.card.settings)
        instants = snapshots(first_value(history, roles), history.known_until, task)
        spine = snapshot_spine(history, [t for t in instants if t >= since])
        ends = spine.as_of + task.gap_us + task.horizon_us
        return Examples(spine, churn_labels(history, roles, task, spine), ends, {}), spine.as_of
    offer = OfferTask.model_validate(bundle.card.settings)
    shown = offer_examples(history, roles, offer)
    late = shown.spine.as_of >= since
    as_of, offers = shown.spine.as_of[late], shown.spine.offer_id
    spine = Spine(shown.spine.customer_id.filter(late), as_of, offers and offers.filter(late))
    instant = np.zeros(len(as_of), dtype=np.int64)
    for block in day_blocks(as_of, np.ones(len(as_of), dtype=np.bool_)):
        instant[block] = as_of[block].min()
    return Examples(spine, shown.label[late], shown.ends[late], {}), instant


def _nothing_unseen(
    history: History, roles: Roles, champion: Bundle, challenger: Bundle, since: int
) -> DataError:
    known = clock.isoformat(history.known_until)
    if champion.card.task == "churn":
        task = Churn.model_validate(champion.card.settings)
        begins = clock.isoformat(since + task.gap_us + task.horizon_us)
        when = f"There will be some when the history reaches {begins}"
    else:
        when = f"There will be some when offers shown from {clock.isoformat(since)} on have ended"
    until = champion.card.trained_until
    earlier, _ = _unseen(history, roles, champion, _learned_until(champion))
    remedy = (
        f"or now: train the challenger again with `--until {until}`, and what came after is unseen."
        if earlier
        else "the champion itself has learned from all before; a model trained with `--until` "
        "leaves something to be compared on."
    )
    return DataError(
        f"{champion.card.task} models",
        f"nothing to compare them on: together they have learned from all until "
        f"{clock.isoformat(since)}, and the history ends at {known}",
        "labelled rows that neither has learned from",
        f"{when}; {remedy}",
    )
