"""The trial: the rows that neither champion nor challenger has learned from, predicted by both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from features import clock
from features.batch import compute
from features.errors import DataError
from features.history import History
from features.sections import Roles
from training.bundle import Bundle
from training.evaluation import Float64, Tested
from training.promotion import CHAMPION, Mask
from training.slices import cut
from training.tasks import Churn
from training.unseen import customers_of, examples_since, learned_until

UNCOMPARED = (
    "Where its sources were mended, so that it must be right to replace the champion: "
    "`python -m training promote --anyway`, which compares nothing."
)


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
    since = max(learned_until(champion), learned_until(challenger))
    examples, instant = examples_since(history, roles, champion, since)
    if not examples:
        raise _nothing_unseen(history, roles, champion, challenger, since)
    matrices = {}
    kept = np.ones(len(examples), dtype=np.bool_)
    for name, bundle in ((CHAMPION, champion), ("model", challenger)):
        begin("champion" if name == CHAMPION else "challenger")
        matrices[name] = bundle.encode(compute(bundle.plan, history, examples.spine))
        kept &= bundle.in_cohort(matrices[name])
    tested = Tested(
        customer=customers_of(examples)[kept],
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
    earlier, _ = examples_since(history, roles, champion, learned_until(champion))
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
        f"{when}; {remedy} {UNCOMPARED}",
    )
