"""Splits in time: what may teach, stop, calibrate and test, each purged of the next one's past."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features import clock
from features.errors import DataError
from training.tasks import Churn

Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
WEEK = 7 * clock.DAY
N_TESTS, FEWEST_TESTS, FEWEST_SNAPSHOTS = 6, 4, 4
LEAST_DAYS = 5 + (2 * (FEWEST_TESTS - 1) + FEWEST_SNAPSHOTS) * 7
"""Of a history, by which it can be tested whether somebody comes back within a day."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows by use. Every label window of an earlier part ends before the next part begins.

    ``refit`` holds every row whose label is complete when the test begins, those purged between
    the parts too. ``test`` is empty in the split by which the registered model is fitted.
    """

    train: Mask
    stop: Mask
    calibrate: Mask
    refit: Mask
    test: Mask


def snapshots(first: int, known_until: int, task: Churn) -> list[int]:
    """Return the instants at which customers are looked at, a week apart, newest last.

    Args:
        first: the first value interaction.
        known_until: the end of the history; the last label window ends there.
        task: its cohort needs ``active`` days before, its label gap and horizon after.

    Raises:
        DataError: the history is too short for training and tests; it says how long it must be.
    """
    span = task.gap_us + task.horizon_us
    step = max(WEEK, task.horizon_us // (4 * clock.DAY) * clock.DAY)
    begin, end = first + task.active_days * clock.DAY, known_until - span
    found = list(range(end, begin - 1, -step))[::-1]
    needed = 3 * span + (FEWEST_TESTS - 1) * _test_step(step) + FEWEST_SNAPSHOTS * step
    if end - begin < needed:
        had = (known_until - first) // clock.DAY
        days = (needed + span + begin - first) // clock.DAY + 1
        raise DataError(
            "history",
            f"{had} days",
            f"at least {days} days for a horizon of {task.horizon}",
            "Shorten [churn] horizon or active, or bring more history."
            if had >= LEAST_DAYS
            else f"Fewer than {LEAST_DAYS} are too few for any horizon: bring more history.",
        )
    return found


def churn_splits(as_of: Int64, task: Churn) -> Iterator[tuple[int, Split]]:
    """Yield the rolling-origin splits of snapshot rows, oldest test first.

    Args:
        as_of: the snapshot of each row.
        task: its gap and horizon are the purge between parts.
    """
    instants = np.unique(as_of)
    if len(instants) < 2:
        return
    step = int(np.diff(instants).min())
    span = task.gap_us + task.horizon_us
    tests = instants[-1] - np.arange(N_TESTS) * _test_step(step)
    for test in tests[np.isin(tests, instants)][::-1].tolist():
        split = churn_split_at(as_of, task, test)
        if split is not None and (instants <= test - 3 * span).sum() >= FEWEST_SNAPSHOTS:
            yield test, split


def churn_split_at(as_of: Int64, task: Churn, test: int) -> Split | None:
    """Return the split of snapshot rows that tests at an instant, from labels complete by then.

    ``None`` where the rows before it lie too close together for three parts.
    """
    span, instants = task.gap_us + task.horizon_us, np.unique(as_of)
    return _snapshot_split(as_of, instants[instants <= test - span], span, test)


def final_churn_split(as_of: Int64, task: Churn) -> Split | None:
    """Return the split by which the registered model is fitted: the newest rows calibrate.

    ``None`` where the rows lie too close together for three parts.
    """
    return _snapshot_split(as_of, np.unique(as_of), task.gap_us + task.horizon_us, None)


def _snapshot_split(as_of: Int64, usable: Int64, span: int, test: int | None) -> Split | None:
    stops = usable[usable <= usable.max() - span] if len(usable) else usable
    if len(stops) == 0 or usable.min() > stops.max() - span:
        return None
    calibrate, stop = int(usable.max()), int(stops.max())
    return Split(
        train=as_of <= stop - span,
        stop=as_of == stop,
        calibrate=as_of == calibrate,
        refit=as_of <= calibrate,
        test=as_of == test if test is not None else np.zeros(len(as_of), dtype=bool),
    )


def _test_step(step: int) -> int:
    return 2 * step


def episode_splits(
    as_of: Int64, ends: Int64, among: Mask | None = None
) -> Iterator[tuple[int, Split]]:
    """Yield the rolling-origin splits of episodes: the last 30 % test, in blocks by day.

    Args:
        as_of: when each offer was shown.
        ends: when its label was complete.
        among: which rows may test; all by default.
    """
    days, kept = as_of // clock.DAY, np.ones(len(as_of), dtype=bool) if among is None else among
    if not kept.any():
        return
    for test in day_blocks(as_of, kept & (days >= np.quantile(days[kept], 0.7))):
        begins = int(as_of[test].min())
        split = episode_split(as_of, ends, ends <= begins, test)
        if split is not None:
            yield begins, split


def day_blocks(as_of: Int64, rows: Mask) -> Iterator[Mask]:
    """Cut rows into at most ``N_TESTS`` blocks of as many days each, oldest first."""
    if not rows.any():
        return
    days = as_of // clock.DAY
    found = np.unique(days[rows])
    for block in np.array_split(found, min(N_TESTS, len(found))):
        yield rows & (days >= block[0]) & (days <= block[-1])


def final_episode_split(as_of: Int64, ends: Int64) -> Split | None:
    """Return the split by which the registered model is fitted."""
    return episode_split(as_of, ends, np.ones(len(as_of), dtype=bool), np.zeros(len(as_of), bool))


def episode_split(as_of: Int64, ends: Int64, usable: Mask, test: Mask) -> Split | None:
    """Let the newest quarter of the usable episodes calibrate, and the quarter before it stop."""
    if not usable.any():
        return None
    calibrate = usable & (as_of >= np.quantile(as_of[usable], 0.75))
    earlier = usable & (ends <= as_of[calibrate].min())
    if not earlier.any():
        return None
    stop = earlier & (as_of >= np.quantile(as_of[earlier], 0.75))
    train = earlier & (ends <= as_of[stop].min())
    return Split(train, stop, calibrate, usable, test) if train.any() else None


def split_in_order(as_of: Int64) -> Split:
    """Return a split by time alone: the newest quarter calibrates, the one before it stops.

    Where there are too few instants for three parts, all rows train.
    """
    everything, nothing = np.ones(len(as_of), dtype=bool), np.zeros(len(as_of), dtype=bool)
    found = episode_split(as_of, as_of, everything, nothing) if len(as_of) else None
    return found or Split(everything, nothing, nothing, everything, nothing)
