"""Interactions: what is refused, which order they have, and which of a repeat counts."""

from dataclasses import replace
from typing import Any

import pytest

from features.errors import InteractionError
from features.interactions import (
    Interaction,
    canonical_order,
    check_interaction,
    first_recorded,
)
from features.rules import CLOCK_SKEW, LONGEST_TEXT

NOW = 1_500_000_000_000_000
GOOD = Interaction(
    customer_id="c",
    occurred_at=NOW - 1,
    recorded_at=NOW,
    kind="purchase",
    amount=9.5,
    rating=1.0,
    wait_minutes=0.0,
    numbers={"items": 3.0},
)


def check(item: Interaction) -> None:
    check_interaction(item, frozenset({"purchase", "complaint"}), frozenset({"items"}), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"occurred_at": NOW + CLOCK_SKEW},
        {"amount": -5.0},
        {"rating": 0.0},
        {"numbers": {}},
        {"topic": "é" * LONGEST_TEXT},
        {"due_at": NOW * 2},
    ],
)
def test_what_can_have_happened_is_recorded(changed: dict[str, Any]) -> None:
    check(replace(GOOD, **changed))


@pytest.mark.parametrize(
    ("changed", "subject", "remedy"),
    [
        ({"customer_id": ""}, "customer_id", "Shorten it"),
        ({"customer_id": "x" * (LONGEST_TEXT + 1)}, "customer_id", "Shorten it"),
        ({"customer_id": "a\x00b"}, "customer_id", "Shorten it"),
        ({"topic": "\ud800"}, "topic", "leave out what is unknown"),
        ({"offer_id": ""}, "offer_id", "leave out what is unknown"),
        ({"kind": "complant"}, "kind", "Did you mean 'complaint'?"),
        ({"occurred_at": NOW + CLOCK_SKEW + 1}, "occurred_at", "once it has happened"),
        ({"occurred_at": -(2**62)}, "occurred_at", "Mend it"),
        ({"due_at": 2**64}, "due_at", "Mend it"),
        ({"amount": float("nan")}, "amount", "Leave out"),
        ({"amount": float("-inf")}, "amount", "Leave out"),
        ({"numbers": {"items": float("inf")}}, "items", "Leave out"),
        ({"numbers": {"itmes": 1.0}}, "numbers.itmes", "Did you mean 'items'?"),
        ({"rating": 1.5}, "rating", "best rating"),
        ({"rating": -0.1}, "rating", "best rating"),
        ({"wait_minutes": -1.0}, "wait_minutes", "time waited"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    changed: dict[str, Any], subject: str, remedy: str
) -> None:
    with pytest.raises(InteractionError) as error:
        check(replace(GOOD, **changed))
    assert error.value.subject == subject
    assert remedy in error.value.remedy
    assert len(str(error.value)) < 400


def at(occurred: int, recorded: int, **fields: Any) -> Interaction:
    return Interaction("c", occurred, recorded, fields.pop("kind", "purchase"), **fields)


def test_the_order_is_by_time_then_recording_then_every_field() -> None:
    ordered = [
        at(1, 9),
        at(2, 2),
        at(2, 3),
        at(2, 3, interaction_id="1"),
        at(2, 3, interaction_id="10"),
        at(2, 3, interaction_id="2", source="a"),
        at(2, 3, interaction_id="2", source="b", kind="complaint"),
        at(2, 3, interaction_id="2", source="b", kind="purchase"),
        at(2, 3, interaction_id="2", source="b", kind="purchase", amount=-1.0),
        at(2, 3, interaction_id="2", source="b", kind="purchase", amount=0.0),
        at(2, 3, interaction_id="2", source="b", kind="purchase", amount=0.0, numbers={"n": 0.0}),
        at(2, 3, interaction_id="2", source="b", kind="purchase", amount=0.0, due_at=1),
        at(3, 3),
    ]
    assert canonical_order(ordered[::-1]) == ordered


def test_text_is_ordered_by_code_point() -> None:
    ordered = [at(1, 1, topic=topic) for topic in ("", "B", "a", "é", "\uffff", "\U0001f600")]
    assert canonical_order(ordered[::-1]) == ordered


def test_negative_zero_is_zero_in_the_order() -> None:
    one, two = at(1, 1, amount=-0.0, rating=0.5), at(1, 1, amount=0.0, rating=0.1)
    assert canonical_order([one, two]) == [two, one]


def test_of_one_source_and_id_the_first_recorded_counts() -> None:
    early_but_late_recorded = at(1, 9, interaction_id="x", source="till")
    first = at(5, 6, interaction_id="x", source="till")
    elsewhere = at(4, 7, interaction_id="x", source="web")
    without = at(2, 2)
    again = at(2, 2)
    ordered = canonical_order([early_but_late_recorded, first, elsewhere, without, again])
    assert first_recorded(ordered) == [without, again, elsewhere, first]


def test_of_those_recorded_at_once_the_first_in_order_counts() -> None:
    one = at(1, 3, interaction_id="x", amount=1.0)
    two = at(2, 3, interaction_id="x", amount=2.0)
    assert first_recorded(canonical_order([two, one])) == [one]
    assert first_recorded([]) == []
