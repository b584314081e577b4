"""Promises worked by hand: kept by when they were due, broken only after, pending in between."""

import pytest

from features.interactions import Interaction
from features.offers import Value
from features.signals import days, interactions
from tests.engines import ago, at, row_of, value_of
from tests.strategies import AS_OF, DAY

ALL = interactions()
KEPT, BROKEN = (ALL.of_cases(name, why="w") for name in ("promises_kept", "promises_broken"))
BOTH = (*KEPT, *BROKEN)
DUE = ago(5)


def promise(
    days_ago: float = 9,
    due_at: int = DUE,
    case_id: str | None = "k",
    resolved: bool | None = None,
) -> Interaction:
    return at(ago(days_ago), "contact", case_id=case_id, due_at=due_at, resolved=resolved)


def resolution(occurred_at: int, case_id: str | None = "k", late: int = 0) -> Interaction:
    return at(
        occurred_at, "contact", case_id=case_id, resolved=True, recorded_at=occurred_at + late
    )


def kept_broken(*history: Interaction, as_of: int = AS_OF) -> list[Value]:
    return row_of(BOTH, history, as_of)


@pytest.mark.parametrize(
    ("what", "resolved_at", "expected"),
    [
        ("a microsecond before it was due", DUE - 1, [1.0, 0.0]),
        ("exactly when it was due", DUE, [1.0, 0.0]),
        ("a microsecond after", DUE + 1, [0.0, 1.0]),
    ],
)
def test_a_promise_is_kept_until_exactly_when_it_was_due(
    what: str, resolved_at: int, expected: list[float]
) -> None:
    assert kept_broken(promise(), resolution(resolved_at)) == expected, what


@pytest.mark.parametrize(
    ("what", "as_of", "expected"),
    [
        ("before it is due", DUE - 1, [0.0, 0.0]),
        ("exactly when it is due: pending still", DUE, [0.0, 0.0]),
        ("a microsecond after: broken", DUE + 1, [0.0, 1.0]),
    ],
)
def test_a_promise_is_pending_until_the_moment_has_passed(
    what: str, as_of: int, expected: list[float]
) -> None:
    assert kept_broken(promise(), as_of=as_of) == expected, what


def test_a_promise_kept_early_counts_before_it_was_due() -> None:
    assert kept_broken(promise(), resolution(ago(8)), as_of=ago(7)) == [1.0, 0.0]


def test_a_promise_whose_own_interaction_says_resolved_is_kept() -> None:
    assert kept_broken(promise(resolved=True)) == [1.0, 0.0]


def test_a_promise_that_was_due_before_it_was_made_is_broken_though_resolved_at_once() -> None:
    assert kept_broken(promise(days_ago=3, resolved=True)) == [0.0, 1.0]


def test_a_promise_without_a_case_is_kept_by_nothing_but_itself() -> None:
    alone = promise(case_id=None)
    assert kept_broken(alone, resolution(ago(8), case_id=None)) == [0.0, 1.0]
    assert kept_broken(promise(case_id=None, resolved=True)) == [1.0, 0.0]


def test_a_promise_is_not_kept_by_another_case() -> None:
    assert kept_broken(promise(), resolution(ago(8), case_id="other")) == [0.0, 1.0]


def test_a_resolution_before_the_promise_does_not_keep_it() -> None:
    assert kept_broken(resolution(ago(10)), promise()) == [0.0, 1.0]


def test_of_two_resolutions_the_earlier_after_the_promise_decides() -> None:
    history = [promise(), resolution(ago(6)), resolution(ago(3))]
    assert kept_broken(*history) == [1.0, 0.0]
    assert kept_broken(resolution(ago(12)), promise(), resolution(ago(3))) == [0.0, 1.0]


def test_saying_that_it_is_not_resolved_keeps_nothing_and_takes_nothing_back() -> None:
    denied = at(ago(6), "contact", case_id="k", resolved=False)
    assert kept_broken(promise(), denied) == [0.0, 1.0]
    denied_later = at(ago(4), "contact", case_id="k", resolved=False)
    assert kept_broken(promise(), resolution(ago(6)), denied_later) == [1.0, 0.0]


def test_several_promises_of_one_case_are_each_kept_or_broken() -> None:
    history = [
        promise(20, due_at=ago(18)),  # nothing by then: broken
        promise(17, due_at=ago(10)),  # resolved 15 days ago: kept
        promise(16, due_at=ago(15)),  # resolved exactly then: kept
        resolution(ago(15)),
        promise(9, due_at=ago(2)),  # nothing since: broken
        promise(8, due_at=AS_OF + DAY),  # still pending
        promise(7, due_at=ago(1), case_id="other"),  # another case: broken
    ]
    assert kept_broken(*history) == [2.0, 3.0]


def test_a_promise_counts_in_the_window_in_which_it_was_made() -> None:
    history = [promise(days_ago=7), promise(days_ago=8, case_id="a"), resolution(ago(1), "a")]
    broken = [ALL.of_cases("promises_broken", days(n), why="w") for n in (6, 7, 8)]
    assert [value_of(signals, history) for signals in broken] == [0.0, 1.0, 2.0]


def test_a_resolution_of_a_role_that_is_not_measured_keeps_nothing() -> None:
    promised = at(ago(9), "complaint", case_id="k", due_at=DUE)
    negative = interactions(role="negative")
    kept = (*KEPT, *negative.of_cases("promises_kept", why="w"))
    assert row_of(kept, [promised, resolution(ago(8))]) == [1.0, 0.0]


def test_a_promise_kept_but_recorded_late_was_broken_as_far_as_was_known() -> None:
    history = [promise(), resolution(ago(6), late=6 * DAY)]
    assert kept_broken(*history) == [0.0, 1.0]
    assert kept_broken(*history, as_of=AS_OF + 1) == [1.0, 0.0]


def test_a_promise_recorded_late_was_not_made_yet() -> None:
    late = at(ago(9), "contact", case_id="k", due_at=DUE, recorded_at=AS_OF)
    assert kept_broken(late) == [0.0, 0.0]
    assert kept_broken(late, as_of=AS_OF + 1) == [0.0, 1.0]


def test_at_one_moment_the_canonical_order_says_which_resolution_comes_after_a_promise() -> None:
    made = at(ago(9), "contact", case_id="k", due_at=DUE, interaction_id="2")
    before, after = (
        at(ago(9), "contact", case_id="k", resolved=True, interaction_id=n) for n in ("1", "3")
    )
    assert kept_broken(made, before) == [0.0, 1.0]
    assert kept_broken(made, after) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("due_days_ago", "left"),
    [((10,), 0.75), ((20,), 0.875), ((20, 10), 0.65625), ((), 1.0)],
)
def test_a_broken_promise_takes_half_and_gives_it_back_from_when_it_was_due(
    due_days_ago: tuple[int, ...], left: float
) -> None:
    # All made 50 days ago: only when they were due matters.
    history = [promise(50, ago(due), str(n)) for n, due in enumerate(due_days_ago)]
    pending, kept = promise(50, AS_OF, "p"), promise(50, ago(1), "q", resolved=True)
    value = value_of(ALL.promise_erosion(days(10), why="w"), [*history, pending, kept])
    assert value == pytest.approx(left, rel=1e-14)


def test_erosions_of_two_half_lives_stand_beside_counts_without_disturbing_them() -> None:
    signals = (*ALL.promise_erosion(days(10, 20), why="w"), *BROKEN, *KEPT)
    # One broken promise, due 20 days ago: 1 - 1/8, and 1 - 1/4.
    row = row_of(signals, [promise(50, ago(20))])
    assert row == pytest.approx([0.875, 0.75, 1.0, 0.0], rel=1e-14)
