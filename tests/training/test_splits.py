"""Splits: whatever the times, no part learns from a label that the next part could not know."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from tests.histories import DAY, START
from training.splits import (
    FEWEST_TESTS,
    Split,
    churn_splits,
    episode_splits,
    final_churn_split,
    final_episode_split,
    snapshots,
)
from training.tasks import Churn

Int64 = npt.NDArray[np.int64]
law = settings(max_examples=150, deadline=None)

churns = st.builds(
    Churn,
    horizon=st.integers(1, 120).map("{}d".format),
    active=st.integers(1, 200).map("{}d".format),
    gap=st.integers(0, 40).map("{}d".format),
)


def check(split: Split, as_of: Int64, ends: Int64) -> None:
    """Every part but the test has rows; its labels are complete when the next one begins."""
    learning = (split.train, split.stop, split.calibrate)
    parts = (*learning, split.test) if split.test.any() else learning
    for earlier, later in pairwise(parts):
        assert earlier.any()
        assert ends[earlier].max() <= as_of[later].min()
    assert np.sum(parts, axis=0).max() == 1
    for part in learning:
        assert not (part & ~split.refit).any()
    if split.test.any():
        assert ends[split.refit].max() <= as_of[split.test].min()
        assert not (split.refit & split.test).any()


def rows(task: Churn, extra_days: int, n_customers: int = 3) -> tuple[Int64, Int64]:
    """Rows of snapshots of a history that is so much longer than it must be."""
    known_until = START + (needed_days(task) + extra_days) * DAY
    as_of = np.repeat(np.array(snapshots(START, known_until, task)), n_customers)
    return as_of, as_of + task.gap_us + task.horizon_us


def needed_days(task: Churn) -> int:
    with pytest.raises(DataError) as caught:
        snapshots(START, START, task)
    return int(caught.value.wanted.split()[2])


@law
@given(churns, st.integers(0, 400))
def test_churn_parts_follow_each_other_purged(task: Churn, extra_days: int) -> None:
    as_of, ends = rows(task, extra_days)
    tests = list(churn_splits(as_of, task))
    assert len(tests) >= FEWEST_TESTS
    assert [instant for instant, _ in tests] == sorted({instant for instant, _ in tests})
    for instant, split in tests:
        check(split, as_of, ends)
        assert (as_of[split.test] == instant).all() and split.test.any()
        assert (split.refit == (ends <= as_of[split.refit].max() + ends[0] - as_of[0])).all()


@law
@given(churns, st.integers(0, 400))
def test_the_registered_churn_model_learns_from_every_row(task: Churn, extra_days: int) -> None:
    as_of, ends = rows(task, extra_days)
    split = final_churn_split(as_of, task)
    assert split is not None
    check(split, as_of, ends)
    assert split.refit.all() and not split.test.any()
    assert as_of[split.calibrate].min() == as_of.max()


@law
@given(churns, st.integers(0, 400), st.randoms(use_true_random=False))
def test_churn_parts_stay_purged_where_instants_have_no_rows(
    task: Churn, extra_days: int, random: object
) -> None:
    as_of, _ = rows(task, extra_days, n_customers=1)
    kept = np.array([random.random() < 0.6 for _ in as_of])  # type: ignore[attr-defined]
    as_of = as_of[kept]
    ends = as_of + task.gap_us + task.horizon_us
    for _, split in churn_splits(as_of, task):
        assert split.test.any()
        check(split, as_of, ends)
    final = final_churn_split(as_of, task)
    if final is not None:
        check(final, as_of, ends)


@given(churns)
def test_a_history_of_the_days_asked_for_is_enough_and_a_shorter_one_is_not(task: Churn) -> None:
    days = needed_days(task)
    assert snapshots(START, START + days * DAY, task)
    with pytest.raises(DataError, match=rf"got {days - 2} days; wanted at least {days} days"):
        snapshots(START, START + (days - 2) * DAY, task)


@given(churns, st.integers(0, 400))
def test_snapshots_see_a_full_cohort_window_and_a_full_label_window(
    task: Churn, extra_days: int
) -> None:
    known_until = START + (needed_days(task) + extra_days) * DAY
    found = snapshots(START, known_until, task)
    assert found[0] >= START + task.active_days * DAY
    assert found[-1] + task.gap_us + task.horizon_us == known_until
    assert len(set(np.diff(found).tolist())) == 1


def test_too_few_instants_give_no_split() -> None:
    task = Churn()
    for instants in ([], [START], [START, START + 28 * DAY]):
        as_of = np.array(instants, dtype=np.int64)
        assert list(churn_splits(as_of, task)) == []
        assert final_churn_split(as_of, task) is None


@st.composite
def shown(draw: st.DrawFn) -> tuple[Int64, Int64]:
    """When offers were shown and when their labels were complete: campaigns or single days."""
    starts = draw(st.lists(st.integers(0, 300), min_size=1, max_size=12, unique=True))
    pairs = []
    for start in starts:
        lasts = draw(st.integers(1, 60))
        for moment in draw(st.lists(st.integers(0, 20), min_size=1, max_size=8)):
            at = START + start * DAY + moment * DAY // 4
            until = START + (start + 5 + lasts) * DAY
            pairs.append((at, draw(st.sampled_from([until, at + lasts * DAY]))))
    return (
        np.array([at for at, _ in pairs], dtype=np.int64),
        np.array([until for _, until in pairs], dtype=np.int64),
    )


@law
@given(shown())
def test_episode_parts_follow_each_other_purged(times: tuple[Int64, Int64]) -> None:
    as_of, ends = times
    tested = np.zeros(len(as_of), dtype=int)
    for begins, split in episode_splits(as_of, ends):
        check(split, as_of, ends)
        assert as_of[split.test].min() == begins
        tested += split.test
    assert tested.max() <= 1
    final = final_episode_split(as_of, ends)
    if final is not None:
        check(final, as_of, ends)
        assert final.refit.all()


def test_a_long_history_of_campaigns_is_tested_at_least_four_times() -> None:
    as_of = np.repeat(START + np.arange(0, 365, 7) * DAY, 5)
    tests = list(episode_splits(as_of, as_of + 30 * DAY))
    assert len(tests) >= FEWEST_TESTS


def test_a_single_campaign_cannot_be_split() -> None:
    as_of = np.full(100, START, dtype=np.int64)
    assert list(episode_splits(as_of, as_of + DAY)) == []
    assert final_episode_split(as_of, as_of + DAY) is None
