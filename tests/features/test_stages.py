"""The rules of the stages of engagement, each worked by hand on both sides of its edges."""

from collections.abc import Sequence

import pytest

from features.composites import stage
from features.interactions import Attribute, Interaction
from features.offers import Value
from features.signals import attribute
from tests.engines import ago, at, value_of
from tests.strategies import DAY


def bought(*days_ago: float) -> list[Interaction]:
    return [at(ago(day)) for day in days_ago]


def fact(name: str, value: str) -> Attribute:
    return Attribute("c", ago(1), name, value)


STAGE = stage(
    attribute("knowledge", number=True, why="w"),
    attribute("trust", number=True, why="w"),
    attribute("exchange", number=True, why="w"),
    why="w",
)
# Every 10 days, the first 100 days ago, the last 10: a gap of silence, and no less than before.
STEADY = bought(*range(100, 0, -10))
A_MOMENT = 1 / DAY


def stage_of(
    history: Sequence[Interaction],
    known: float = 0.0,
    trusted: float = 0.5,
    exchanged: float = 0.0,
) -> Value:
    told = {"knowledge": known, "trust": trusted, "exchange": exchanged}
    return value_of(STAGE, history, facts=[fact(name, str(x)) for name, x in told.items()])


def recommended(days_ago: float) -> list[Interaction]:
    return [at(ago(days_ago), "referral")]


def test_who_never_was_a_customer_has_no_stage() -> None:
    assert stage_of([at(ago(3), "complaint"), *recommended(2)]) is None


@pytest.mark.parametrize(
    ("what", "history", "expected"),
    [
        ("6 gaps of 10 days, and 60 days", bought(70, 60), "lapsed"),
        ("a moment less than 60 days", bought(70 - A_MOMENT, 60 - A_MOMENT), "new"),
        ("less than 6 gaps", bought(71, 60), "new"),
        ("6 gaps of 5 days but only 30 days", bought(*range(100, 29, -5)), "fading"),
        ("one purchase, 6 months ago", bought(180), "lapsed"),
        ("one purchase, a moment less", bought(180 - A_MOMENT), "fading"),
        ("two at once have no gap: months", bought(61, 61), "new"),
        ("two at once, 6 months ago", bought(180, 180), "lapsed"),
    ],
)
def test_lapsed_is_silent_for_6_gaps_and_60_days(
    what: str, history: list[Interaction], expected: str
) -> None:
    assert stage_of(history) == expected, what


@pytest.mark.parametrize(
    ("what", "history", "expected"),
    [
        ("a moment less than 90 days", bought(90 - A_MOMENT, 50, 10), "new"),
        ("exactly 90 days", bought(90, 50, 10), "casual"),
        ("one purchase a moment ago", bought(A_MOMENT), "new"),
        (
            "what came before the first purchase is no matter",
            [*recommended(300), *bought(5)],
            "new",
        ),
    ],
)
def test_new_is_whose_first_purchase_is_younger_than_90_days(
    what: str, history: list[Interaction], expected: str
) -> None:
    assert stage_of(history) == expected, what


@pytest.mark.parametrize(
    ("what", "history", "trusted", "expected"),
    [
        ("3 gaps of 20 days", bought(100, 80, 60), 0.5, "fading"),
        ("less than 3 gaps", bought(102, 80, 59), 0.5, "casual"),
        ("one purchase, 3 months ago", bought(90), 0.5, "fading"),
        ("1 in 90 days after 3: a third", bought(170, 150, 130, 30), 0.5, "fading"),
        ("1 in 90 days after 2", bought(170, 130, 30), 0.5, "casual"),
        ("trust below 0.3", STEADY, 0.29, "fading"),
        ("trust of 0.3", STEADY, 0.3, "casual"),
        ("trust that is not known is no reason", STEADY, float("nan"), "casual"),
    ],
)
def test_fading_is_silent_or_slower_or_distrustful(
    what: str, history: list[Interaction], trusted: float, expected: str
) -> None:
    assert stage_of(history, trusted=trusted) == expected, what


@pytest.mark.parametrize(
    ("what", "days_ago", "trusted", "expected"),
    [
        ("recommended us, trust of one half", 20.0, 0.5, "advocate"),
        ("trust just below", 20.0, 0.49, "casual"),
        ("exactly 365 days ago", 365.0, 0.5, "advocate"),
        ("a moment longer", 365 + A_MOMENT, 0.5, "casual"),
    ],
)
def test_an_advocate_recommended_us_within_a_year_and_trusts_us(
    what: str, days_ago: float, trusted: float, expected: str
) -> None:
    assert stage_of([*STEADY, *recommended(days_ago)], trusted=trusted) == expected, what


@pytest.mark.parametrize(
    ("exchanged", "known", "trusted", "expected"),
    [
        (0.5, 0.5, 0.3, "committed"),
        (0.5, 0.0, 0.5, "committed"),
        (0.5, 0.49, 0.49, "regular"),
        (0.49, 0.9, 0.9, "regular"),
        (0.25, 0.0, 0.3, "regular"),
        (0.24, 0.9, 0.9, "casual"),
    ],
)
def test_committed_regular_and_casual_go_by_what_is_exchanged(
    exchanged: float, known: float, trusted: float, expected: str
) -> None:
    assert stage_of(STEADY, known, trusted, exchanged) == expected


@pytest.mark.parametrize(
    ("before", "after", "history", "trusted"),
    [
        ("lapsed", "new", bought(70, 60), 0.9),
        ("lapsed", "fading", bought(180), 0.1),
        ("new", "fading", bought(80, 40, 10), 0.1),
        ("new", "advocate", [*bought(20, 10), *recommended(5)], 0.9),
        ("fading", "advocate", [*bought(100, 80, 60), *recommended(5)], 0.9),
        ("advocate", "committed", [*STEADY, *recommended(5)], 0.9),
        ("committed", "regular", STEADY, 0.9),
    ],
)
def test_the_first_stage_that_holds_is_the_stage(
    before: str, after: str, history: list[Interaction], trusted: float
) -> None:
    assert stage_of(history, known=0.9, trusted=trusted, exchanged=0.9) == before, after
