"""Checks: data that cannot carry a model are refused, data that weaken one are told of."""

from collections.abc import Sequence

import numpy as np

from features import clock
from features.errors import DataError
from training.dataset import Dataset, cohort_signals
from training.registry import Task
from training.splits import Mask, Split
from training.tasks import Churn

TITLES: dict[Task, str] = {"churn": "churn", "offers": "offer acceptance"}
FEWEST_CUSTOMERS = 200
MOST_NAMED = 8


def check_rows(task: Task, dataset: Dataset) -> None:
    """Refuse rows that nothing can be learned from.

    Raises:
        DataError: too few customers, or all labels are alike.
    """
    customers, positives = len(np.unique(dataset.customer)), int(dataset.label.sum())
    if customers < FEWEST_CUSTOMERS:
        raise DataError(
            f"{TITLES[task]} model",
            f"{customers} customers with a label",
            f"at least {FEWEST_CUSTOMERS}",
            "Bring the history of more customers; for few, a rule by hand is the better model."
            + (" A longer [churn] active takes more of them in." if task == "churn" else ""),
        )
    if positives in (0, len(dataset)):
        raise DataError(
            f"{TITLES[task]} model",
            f"{positives} positives in {len(dataset)} rows",
            "rows of both kinds",
            "Look at the roles and the horizon in the settings.",
        )


def sound_tests(
    task: Task, dataset: Dataset, tests: Sequence[tuple[int, Split]], final: Split | None
) -> tuple[list[tuple[int, Split]], list[str]]:
    """Return the tests that a model can be trained for, and what is to be told of the others.

    A test whose own rows are of one kind is kept: it counts in the pooled metrics.

    Raises:
        DataError: there is no test with rows of both kinds, or no split for the final fit.
    """
    kept = [(t, split) for t, split in tests if both(dataset, split.refit)]
    sound = [t for t, split in kept if both(dataset, split.test)]
    if final is None or not sound:
        raise DataError(
            f"{TITLES[task]} model",
            "no instant at which a model trained before it can be tested",
            "at least one, with rows of both kinds",
            "Bring a longer history.",
        )
    untrained = [t for t, _ in tests if t not in {t for t, _ in kept}]
    alike = [t for t, _ in kept if t not in sound]
    notes = []
    if untrained:
        notes.append(
            f"no test at {_dates(untrained)}: the rows known by then are all positive or all "
            "negative; a longer history would test more often"
        )
    if alike:
        notes.append(
            f"left out of the mean AUC: {_dates(alike)}, when rows were all positive or all "
            "negative; a longer horizon or more customers would mend it"
        )
    return kept, notes


def weak_signals(dataset: Dataset) -> list[str]:
    """Return what is to be told of signals that are missing or the same in every row."""
    # Reductions without copies: the matrix may fill much of the memory.
    matrix = dataset.values.matrix
    missing = np.isnan(np.fmin.reduce(matrix, axis=0))
    constant = np.minimum.reduce(matrix, axis=0) == np.maximum.reduce(matrix, axis=0)
    # Those of the cohort are there whatever the data hold; nothing about them is to be mended.
    meant = ~np.isin(dataset.values.plan.names, [s.name for s in cohort_signals(Churn())])
    return [
        f"signals {what} in every row teach nothing: {_named(dataset.values.plan.names, found)}. "
        f"Look whether {remedy}"
        for found, what, remedy in (
            (missing & meant, "missing", "their columns are mapped and filled"),
            (constant & meant, "of one value", "the data could hold more; often they do not"),
        )
        if found.any()
    ]


def both(dataset: Dataset, rows: Mask) -> bool:
    """Whether some rows hold both kinds of label."""
    label = dataset.label[rows]
    return bool(0 < label.sum() < len(label))


def _dates(instants: Sequence[int]) -> str:
    return ", ".join(f"{clock.to_datetime(t):%d %b %Y}" for t in instants)


def _named(names: Sequence[str], found: Mask) -> str:
    chosen = [name for name, one in zip(names, found, strict=True) if one]
    more = len(chosen) - MOST_NAMED
    return ", ".join(chosen[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
