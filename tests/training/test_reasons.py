"""Reasons: groups of one meaning that still add up."""

import math
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.categories import Categories
from features.composites import trust
from features.declaration import Signal
from features.offers import Value
from features.plan import Plan, compile_plan
from features.signals import attribute, days, interactions
from features.values import SignalValues
from features.wording import Wording
from training.meanings import Meanings
from training.reasons import Reason, reasons_of

ROLES = {"value": ("purchase",), "negative": ("complaint",)}
SIGNALS = (
    *interactions(role="value").days_since_last(why="silence"),
    *interactions(role="value").gap_mean(why="rhythm"),
    *interactions(role="value").count(days(28, 90), why="frequency"),
    *interactions(role="negative").count(days(30), why="treatment"),
    *attribute("town", why="profile"),
)
PLAN = compile_plan(SIGNALS, ROLES)
WORDING = Wording(ROLES, "GBP")
VALUES = [41.0, 6.0, 0.0, 3.0, 2.0, None]


def reasons(
    plan: Plan, values: Sequence[Value], effects: np.ndarray, limit: int
) -> tuple[list[Reason], float]:
    """Return the reasons of one row and the rest."""
    categories = Categories()
    row = [
        categories.encode(value, not category)
        for value, category in zip(values, plan.categories, strict=True)
    ]
    rows = SignalValues(plan, np.array([row]), categories)
    (found,) = reasons_of(Meanings.of(plan), WORDING, rows, effects[None, :], limit)
    return found


effects_of_all = st.lists(st.floats(-0.3, 0.3), min_size=len(SIGNALS), max_size=len(SIGNALS)).map(
    np.array
)


@settings(deadline=None)  # the first is compiled
@given(effects_of_all, st.integers(0, 10))
def test_reasons_and_the_rest_add_up_to_all_effects(effects: np.ndarray, limit: int) -> None:
    found, rest = reasons(PLAN, VALUES, effects, limit)
    assert len(found) <= limit
    assert abs(sum(r.effect for r in found) + rest - effects.sum()) < 1e-12
    for reason in found:
        assert abs(sum(effect for _, _, effect in reason.signals) - reason.effect) < 1e-12


@settings(deadline=None)  # the first is compiled
@given(effects_of_all)
def test_the_strongest_come_first_and_each_says_another_thing(effects: np.ndarray) -> None:
    found, _ = reasons(PLAN, VALUES, effects, 10)
    strengths = [abs(r.effect) for r in found]
    assert strengths == sorted(strengths, reverse=True)
    assert len({r.group for r in found}) == len(found)


def test_silence_is_told_with_what_is_usual() -> None:
    effects = np.array([0.1, 0.0, 0.0, 0.0, 0.05, 0.0])
    silence, treatment = reasons(PLAN, VALUES, effects, 5)[0]
    assert silence.text == "Last purchase 6 weeks ago, usually every 6 days"
    assert treatment.text == "2 complaints in the last 30 days"


def test_only_what_pulls_the_groups_way_is_put_into_words() -> None:
    effects = np.array([0.0, 0.0, 0.1, -0.02, 0.0, 0.0])
    (frequency,) = reasons(PLAN, VALUES, effects, 5)[0]
    assert frequency.text == "No purchases in the last 28 days"


def test_what_is_missing_is_said_to_be() -> None:
    effects = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.1])
    (profile,) = reasons(PLAN, VALUES, effects, 5)[0]
    assert profile.text == "Town not known"


def told(signals: tuple[Signal, ...], values: list[Value]) -> str:
    """Return the text of the one reason of signals that all pull alike, the first the most."""
    effects = np.linspace(0.2, 0.1, len(signals))
    (reason,), _ = reasons(compile_plan(signals, ROLES), values, effects, 5)
    return reason.text


def test_how_many_it_were_is_told_rather_than_at_least_one() -> None:
    bad = interactions(role="negative")
    signals = (
        *bad.reached(1, days(365), why="w"),
        *bad.decayed_count(days(90), why="w"),
        *bad.count(days(365), why="w"),
        *bad.days_since_last(why="w"),
    )
    assert told(signals, [1.0, 2.3, 4.0, 2.5]) == (
        "4 complaints in the last 12 months, last complaint 2 days ago"
    )


def test_at_least_so_many_is_told_when_nothing_says_how_many() -> None:
    signals = interactions(role="negative").reached(3, days(365), why="w")
    assert told(signals, [1.0]) == "3 or more complaints in the last 12 months"


def test_that_there_was_nothing_is_told_once() -> None:
    signals = (
        *interactions().of_cases("handovers", days(90), why="w"),
        *interactions().of_cases("oldest_open_case", why="w"),
    )
    assert told(signals, [0.0, None]) == "Never passed between channels in the last 90 days"
    assert told(signals, [2.0, 9.0]) == (
        "Passed between channels twice in the last 90 days, a case open for 9 days"
    )


def test_what_another_phrase_goes_on_from_is_not_said_beside_it() -> None:
    signals = interactions(role="value").trend(days(28, 56), why="w")
    assert [WORDING.say(s, v) for s, v in zip(signals, [math.nan, -1.0], strict=True)] == [
        "no purchases in the last 56 days",
        "no purchases in the last 56 days but some before",
    ]
    assert told(signals, [None, -1.0]) == "No purchases in the last 56 days but some before"


def test_trust_is_told_with_the_broken_promises_behind_it() -> None:
    broken = interactions().of_cases("promises_broken", days(90, 365), why="w")
    plan = compile_plan((*trust(why="w"), *broken), ROLES)
    effects = np.array([0.2, 0.0, 0.0])
    (reason,), _ = reasons(plan, [0.12, 0.0, 2.0], effects, 5)
    assert reason.text == (
        "Trust at 12% (newcomers start at 50%), 2 broken promises in the last 12 months"
    )
    (reason,), _ = reasons(plan, [0.62, 0.0, 0.0], effects, 5)
    assert reason.text == "Trust at 62% (newcomers start at 50%)"


def test_what_is_the_same_in_two_windows_is_told_once_and_a_shared_window_too() -> None:
    signals = (
        *interactions().of_cases("promises_broken", days(90, 365), why="w"),
        *interactions().of_cases("promises_kept", days(90), why="w"),
    )
    assert told(signals, [3.0, 3.0, 1.0]) == "3 broken promises, 1 promise kept in the last 90 days"
    assert told(signals, [1.0, 3.0, 1.0]) == (
        "1 broken promise in the last 90 days, 3 broken promises in the last 12 months"
    )
