"""Ties and repeats: which interaction is the last one, and which of one id counts."""

import math

import pytest

from features.interactions import Attribute, Interaction
from features.signals import attribute, days, interactions
from tests.engines import ago, at, bits, row_of, value_of
from tests.strategies import AS_OF

ALL = interactions()
LAST = ALL.last("amount", why="w")
T = ago(3)


def tied(**fields: object) -> Interaction:
    return at(T, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("decided_by", "earlier", "later"),
    [
        ("recorded_at", {"interaction_id": "2"}, {"recorded_at": T + 1, "interaction_id": "1"}),
        (
            "interaction_id",
            {"interaction_id": "1", "source": "z"},
            {"interaction_id": "2", "source": "a"},
        ),
        ("a missing interaction_id comes first", {"source": "z"}, {"interaction_id": ""}),
        ("ids are compared as text", {"interaction_id": "10"}, {"interaction_id": "9"}),
        (
            "text goes by code point",
            {"interaction_id": "\uffff"},
            {"interaction_id": "\U0001f600"},
        ),
        ("source", {"source": "a", "kind": "visit"}, {"source": "b", "kind": "item"}),
        ("kind", {"kind": "item", "channel": "web"}, {"kind": "visit", "channel": "app"}),
        ("channel", {"channel": "app", "topic": "b"}, {"channel": "web", "topic": "a"}),
        ("topic", {"topic": "a", "case_id": "k2"}, {"topic": "b", "case_id": "k1"}),
        ("case_id", {"case_id": "k1", "offer_id": "o2"}, {"case_id": "k2", "offer_id": "o1"}),
        ("offer_id", {"offer_id": "o1"}, {"offer_id": "o2"}),
    ],
)
def test_of_those_at_one_moment_the_canonical_order_says_which_is_last(
    decided_by: str, earlier: dict[str, object], later: dict[str, object]
) -> None:
    # The amount, which comes after all of these in the order, is the greater in the earlier one.
    history = [tied(amount=2.0, **earlier), tied(amount=1.0, **later)]
    assert value_of(LAST, history) == 1.0, decided_by
    assert value_of(LAST, history[::-1]) == 1.0, decided_by


@pytest.mark.parametrize(
    ("decided_by", "earlier", "later"),
    [
        ("amount", {"amount": 1.0, "rating": 1.0}, {"amount": 2.0, "rating": 0.5}),
        ("rating", {"rating": 0.25, "resolved": True}, {"rating": 0.75, "resolved": False}),
        ("no comes before yes", {"resolved": False, "due_at": 9}, {"resolved": True, "due_at": 1}),
        ("due_at", {"due_at": 1}, {"due_at": 2}),
        ("nothing due comes first", {}, {"due_at": -5}),
    ],
)
def test_numbers_and_promises_decide_after_the_texts(
    decided_by: str, earlier: dict[str, object], later: dict[str, object]
) -> None:
    # The further column comes after all of these, and is the greater in the earlier one.
    history = [tied(number={"points": 2.0}, **earlier), tied(number={"points": 1.0}, **later)]
    last = ALL.last("points", why="w")
    assert value_of(last, history) == 1.0, decided_by
    assert value_of(last, history[::-1]) == 1.0, decided_by


def test_further_columns_decide_last_by_their_names() -> None:
    history = [
        tied(number={"points": 1.0, "stars": 9.0}),
        tied(number={"points": 2.0, "stars": 3.0}),
    ]
    assert value_of(ALL.last("stars", why="w"), history) == 3.0
    assert value_of(ALL.last("stars", why="w"), history[::-1]) == 3.0


def test_a_sum_is_folded_in_canonical_order() -> None:
    # 1e16 + 1 is 1e16: what comes first decides the last bits.
    first, second, third = (
        tied(amount=a, interaction_id=n) for a, n in ((1.0, "1"), (1e16, "2"), (-1e16, "3"))
    )
    total = ALL.sum("amount", why="w")
    assert value_of(total, [third, first, second]) == 0.0
    last = at(T, amount=1.0, interaction_id="4")
    assert value_of(total, [last, third, second]) == 1.0


def test_of_one_id_the_first_recorded_counts_wherever_in_time_it_says_it_happened() -> None:
    first = at(ago(2), recorded_at=ago(2), interaction_id="a", amount=1.0)
    second = at(ago(5), recorded_at=ago(1), interaction_id="a", amount=2.0)
    signals = (*ALL.sum("amount", why="w"), *ALL.days_since_first(why="w"))
    assert row_of(signals, [first, second]) == [1.0, 2.0]
    assert row_of(signals, [second, first]) == [1.0, 2.0]


def test_of_one_id_recorded_at_one_moment_the_first_in_canonical_order_counts() -> None:
    one = at(ago(3), recorded_at=ago(1), interaction_id="a", amount=9.0)
    two = at(ago(2), recorded_at=ago(1), interaction_id="a", amount=1.0)
    assert value_of(ALL.sum("amount", why="w"), [two, one]) == 9.0
    exact = at(ago(3), recorded_at=ago(1), interaction_id="a", amount=3.0)
    assert value_of(ALL.sum("amount", why="w"), [two, one, exact]) == 3.0


def test_ids_are_each_sources_own_and_none_is_not_one() -> None:
    history = [
        at(ago(6), interaction_id="a", source="till", amount=1.0),
        at(ago(5), interaction_id="a", source="web", amount=2.0),
        at(ago(4), interaction_id="a", amount=4.0),
        at(ago(3), interaction_id="a", amount=8.0),
        at(ago(2), amount=16.0),
        at(ago(2), amount=16.0),
        at(ago(1), interaction_id="a", source="till", amount=64.0),
    ]
    # 1 (till) + 2 (web) + 4 (no source, once) + 16 twice (no id)
    assert value_of(ALL.sum("amount", why="w"), history) == 39.0


def test_a_repeat_does_no_harm_to_any_measure() -> None:
    once = [
        at(ago(6), "complaint", interaction_id="1", channel="web", topic="TEA", case_id="k"),
        at(ago(4), interaction_id="2", channel="app", topic="TEA", case_id="k", due_at=ago(3)),
        at(ago(1), interaction_id="3", channel="app", topic="TEA", case_id="k", resolved=True),
    ]
    repeats = [
        at(ago(5), "complaint", interaction_id="1", channel="app", topic="MILK", case_id="k2"),
        at(ago(2), interaction_id="2", channel="fax", case_id="k2", resolved=False, due_at=ago(1)),
        at(ago(0.5), interaction_id="3", channel="web", case_id="k", resolved=False),
    ]
    signals = (
        *ALL.count(days(7), why="w"),
        *ALL.gap_longest(why="w"),
        *ALL.favourite("channel", why="w"),
        *ALL.distinct("topic", why="w"),
        *ALL.repeated("topic", 2, why="w"),
        *ALL.of_cases("handovers", why="w"),
        *ALL.of_cases("cases_reopened", why="w"),
        *ALL.of_cases("resolution_mean", why="w"),
        *ALL.of_cases("promises_broken", why="w"),
        *interactions(role="value").count_since("negative", why="w"),
        *interactions(role="value").count_after("negative", 2, why="w"),
    )
    expected = [3.0, 3.0, "app", 1.0, 1.0, 1.0, 0.0, 5.0, 1.0, 2.0, 1.0]
    assert row_of(signals, once) == expected
    assert row_of(signals, [*repeats, *once]) == expected


def test_when_the_first_recorded_of_one_id_is_still_to_come_no_other_stands_in_for_it() -> None:
    booked = at(AS_OF + 5, recorded_at=ago(5), interaction_id="a")
    moved = at(ago(1), recorded_at=ago(1), interaction_id="a")
    assert value_of(ALL.count(why="w"), [booked, moved]) == 0.0


@pytest.mark.parametrize(
    ("what", "known_at", "expected"),
    [
        ("known since ever", -(2**63), "Bath"),
        ("known a microsecond before as_of", AS_OF - 1, "Bath"),
        ("known exactly at as_of: not yet", AS_OF, None),
        ("known later", AS_OF + 1, None),
    ],
)
def test_an_attribute_counts_from_just_after_it_was_known(
    what: str, known_at: int, expected: str | None
) -> None:
    facts = [Attribute("c", known_at, "city", "Bath")]
    assert value_of(attribute("city", why="w"), [], facts=facts) == expected, what


def test_the_latest_attribute_known_is_read_and_of_a_tie_the_greatest_text() -> None:
    facts = [
        Attribute("c", ago(1), "city", "Ayr"),
        Attribute("c", ago(3), "city", "York"),
        Attribute("c", ago(2), "town", "Zeal"),
        Attribute("c", AS_OF, "city", "Wick"),
    ]
    city = attribute("city", why="w")
    assert value_of(city, [], facts=facts) == "Ayr"
    assert value_of(city, [], ago(1), facts) == "York"
    assert value_of(city, [], ago(3), facts) is None
    assert value_of(city, [], facts=[*facts, Attribute("c", ago(1), "city", "Bath")]) == "Bath"


def test_an_attribute_is_a_number_where_it_reads_as_one() -> None:
    age = attribute("age", number=True, why="w")
    texts = {"41": 41.0, "-0.0": 0.0, "3+": math.nan, "nan": math.nan, "1e400": math.nan}
    for text, number in texts.items():
        facts = [Attribute("c", ago(2), "age", "7"), Attribute("c", ago(1), "age", text)]
        assert bits([value_of(age, [], facts=facts)]) == bits([number]), text
