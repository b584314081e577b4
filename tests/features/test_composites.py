"""Composites worked by hand: ratios, knowledge, trust, exchange."""

from collections.abc import Sequence

import pytest

from features.composites import TRUST_HALF_LIFE, exchange, knowledge, stage, trust
from features.interactions import Attribute, Interaction
from features.signals import days, interactions, ratio
from tests.engines import ago, at, value_of
from tests.strategies import AS_OF, DAY

TRUST, EXCHANGE = trust(why="w"), exchange(why="w")
KNOWLEDGE = knowledge({"age": True, "city": False}, why="w")


def bought(*days_ago: float) -> list[Interaction]:
    return [at(ago(day)) for day in days_ago]


@pytest.mark.parametrize(
    ("complaints", "purchases", "expected"),
    [
        (0, 0, 0.25),  # the prior alone
        (0, 4, 0.125),  # (0 + 1) / (4 + 4)
        (3, 3, 0.4),  # (3 + 1) / (6 + 4)
        (6, 0, 0.7),  # (6 + 1) / (6 + 4)
    ],
)
def test_a_ratio_is_drawn_to_its_prior_by_its_weight(
    complaints: int, purchases: int, expected: float
) -> None:
    share = ratio(
        interactions(role="negative").count(why="w"),
        interactions().count(why="w"),
        prior=(0.25, 4.0),
        why="w",
    )
    history = [at(ago(9), "complaint")] * complaints + bought(*[5] * purchases)
    assert value_of(share, history) == expected


def test_ratios_pair_windows_with_windows() -> None:
    week, month = ratio(
        interactions(role="negative").count(days(7, 28), why="w"),
        interactions().count(days(7, 28), why="w"),
        prior=(0.0, 1.0),
        why="w",
    )
    history = [at(ago(20), "complaint"), *bought(10, 3)]
    assert value_of((week,), history) == 0.0
    assert value_of((month,), history) == 0.25


def fact(name: str, value: str, known_at: int = ago(1)) -> Attribute:
    return Attribute("c", known_at, name, value)


def test_knowledge_counts_what_was_told_and_how_broad_the_dealings_are() -> None:
    history = [
        at(ago(5), topic="TEA", channel="web"),
        at(ago(4), topic="MILK", channel="web"),
        at(ago(3), topic="TEA", channel=None),
    ]
    facts = [fact("age", "41"), fact("city", "Bath")]
    # 2 facts, 2 topics, 1 channel
    assert value_of(KNOWLEDGE, history, facts=facts) == 5 / 15
    assert value_of(KNOWLEDGE, history) == 3 / 13
    assert value_of(KNOWLEDGE, [], facts=facts) == 2 / 12


@pytest.mark.parametrize(
    ("what", "facts"),
    [
        ("a number that is none", [fact("age", "3+")]),
        ("not known before as_of", [fact("city", "Bath", AS_OF)]),
        ("an attribute that does not count", [fact("shoe_size", "41")]),
        ("no longer a number", [fact("age", "41", ago(9)), fact("age", "secret")]),
    ],
)
def test_what_is_not_known_is_no_knowledge(what: str, facts: Sequence[Attribute]) -> None:
    assert value_of(KNOWLEDGE, [], facts=facts) == 0.0, what


def test_knowledge_looks_back_365_days() -> None:
    on_the_edge = [at(AS_OF - 365 * DAY, topic="TEA")]
    assert value_of(KNOWLEDGE, on_the_edge) == 1 / 11
    assert value_of(KNOWLEDGE, [at(AS_OF - 365 * DAY - 1, topic="TEA")]) == 0.0


def kept_promises(n: int) -> list[Interaction]:
    return [at(ago(9 + i), "contact", due_at=ago(1), resolved=True) for i in range(n)]


@pytest.mark.parametrize(("kept", "expected"), [(0, 0.5), (5, 0.75), (10, 0.875), (15, 0.9375)])
def test_trust_is_built_by_promises_kept(kept: int, expected: float) -> None:
    assert value_of(TRUST, kept_promises(kept)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("what", "history", "expected"),
    [
        ("a complaint just now takes half of a half", [at(AS_OF - 1, "complaint")], 0.25),
        ("a half-life later half of that is back", [at(ago(182), "complaint")], 0.375),
        ("two half-lives later three quarters", [at(ago(364), "complaint")], 0.4375),
        (
            "two complaints multiply",
            [at(ago(182), "complaint"), at(ago(364), "complaint")],
            0.328125,
        ),
        (
            "a promise broken 182 days ago",
            [at(ago(300), "contact", due_at=ago(182))],
            0.375,
        ),
        (
            "both",
            [at(ago(300), "contact", due_at=ago(182)), at(ago(182), "complaint")],
            0.28125,
        ),
        ("five promises kept against it", [*kept_promises(5), at(ago(182), "complaint")], 0.5625),
        ("purchases build no trust", [at(ago(3))], 0.5),
    ],
)
def test_trust_is_lost_at_once_and_comes_back_by_half_lives(
    what: str, history: list[Interaction], expected: float
) -> None:
    assert TRUST_HALF_LIFE == 182
    assert value_of(TRUST, history) == pytest.approx(expected, rel=1e-11), what


def test_after_a_year_a_quarter_of_the_drop_is_left() -> None:
    lost_at_once = 0.5 - 0.25
    lost_still = 0.5 - float(value_of(TRUST, [at(ago(365), "complaint")]) or 0.0)
    # A year is a day longer than two half-lives: 0.249 instead of a quarter.
    assert lost_still / lost_at_once == pytest.approx(0.249, abs=1e-4)


def test_trust_with_a_half_life_of_ones_own() -> None:
    assert value_of(trust(why="w", half_life=10), [at(ago(20), "complaint")]) == 0.4375


# In the roles of the tests an item is what accepts an offer.
RESOLVED = at(ago(90), "contact", resolved=True)
ACCEPTED = at(ago(90), "item")


@pytest.mark.parametrize(
    ("what", "history", "expected"),
    [
        ("8 purchases 90 days ago count 4: 4/8", bought(*[90] * 8), 0.25),
        ("16 purchases 180 days ago count 4 too", bought(*[180] * 16), 0.25),
        ("two offers taken 90 days ago count 1: 1/2", [ACCEPTED, ACCEPTED], 0.25),
        ("an offer and a resolution", [ACCEPTED, RESOLVED], 0.25),
        ("in both directions", [*bought(*[90] * 8), ACCEPTED, RESOLVED], 0.5),
        # 1 kept, and its resolution counts a half: 1.5 / 2.5
        ("a promise kept", [at(ago(90), "contact", due_at=ago(80), resolved=True)], 0.3),
        (
            # made too long ago to count, its resolution four half-lives old: (1/16) / (17/16)
            "a promise kept 366 days ago",
            [
                at(ago(366), "contact", case_id="k", due_at=ago(1)),
                at(ago(360), "contact", case_id="k", resolved=True),
            ],
            1 / 34,
        ),
        ("complaints are not an exchange", [at(ago(1), "complaint")], 0.0),
    ],
)
def test_exchange_goes_both_ways(what: str, history: list[Interaction], expected: float) -> None:
    assert value_of(EXCHANGE, history) == pytest.approx(expected, rel=1e-14), what


def test_the_stage_of_the_real_composites() -> None:
    whole = stage(KNOWLEDGE, TRUST, EXCHANGE, why="w")
    # Bought every 10 days for a year; trust 0.5; given about 11.7, received 0: exchange 0.37.
    regular = bought(*range(360, 0, -10))
    assert value_of(whole, regular) == "regular"
    assert value_of(whole, [*regular, at(ago(30), "referral")]) == "advocate"
    assert value_of(whole, [*regular, at(ago(30), "complaint")]) == "fading"
    assert value_of(whole, [*regular, *kept_promises(1)]) == "committed"
