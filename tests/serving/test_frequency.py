"""Frequency: nobody is shown too much, and no two decisions take the last place."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from features import clock
from features.interactions import Interaction
from features.offers import Offer
from features.settings import Settings
from serving.frequency import Room, reserved
from serving.loading import load_scorer
from serving.policy import Policy
from serving.scorer import Scorer
from serving.situation import Shown, Situation
from serving.store import Store

NOW = 1_000 * clock.DAY
CATALOGUE = {
    "a": Offer("a", topics=frozenset({"tea"})),
    "b": Offer("b", topics=frozenset({"tea", "milk"})),
    "c": Offer("c"),
}


def topics_of(offer_id: str) -> frozenset[str]:
    return CATALOGUE[offer_id].topics


def over(offer: str, shown: list[Shown], *beside: str, **policy: int) -> str | None:
    off = {"per_day": 0, "per_week": 0, "per_month": 0, "per_offer": 0, "per_topic": 0}
    situation = Situation("c", NOW, shown=shown)
    room = Room(Policy.model_validate({**off, **policy}), situation, topics_of)
    held = room.held(CATALOGUE[offer], [CATALOGUE[each] for each in beside])
    return held[0].because if held else None


@pytest.mark.parametrize(
    ("cap", "days", "name"),
    [("per_day", 1, "day"), ("per_week", 7, "week"), ("per_month", 30, "month")],
)
def test_offers_shown_in_a_span(cap: str, days: int, name: str) -> None:
    inside, outside = Shown(NOW - days * clock.DAY, "b"), Shown(NOW - days * clock.DAY - 1, "b")
    assert over("a", [inside, outside], **{cap: 2}) is None
    expected = f"2 offers shown in a {name}, at most 2"
    assert over("a", [inside, inside, outside], **{cap: 2}) == expected
    assert over("a", [inside, outside], "c", **{cap: 2}) == expected


def test_one_offer_and_one_topic_are_counted_on_their_own() -> None:
    shown = [Shown(NOW - clock.DAY, "a"), Shown(NOW - 2 * clock.DAY, "b")]
    assert over("a", shown, per_offer=1) == "shown 1 time in 30 days, at most 1"
    assert over("c", shown, per_offer=1) is None
    assert over("a", shown, per_topic=2) == "2 offers of tea in 30 days, at most 2"
    assert over("a", shown[:1], "b", per_topic=2) == "2 offers of tea in 30 days, at most 2"
    assert over("a", shown[:1], "c", per_topic=2) is None
    assert over("c", shown, per_topic=1) is None


def decided(at: int, *offers: str, kept: bool = True) -> dict[str, Any]:
    return {
        "as_of": at,
        "decision": {"reserved": kept, "proposed": [{"offer_id": each} for each in offers]},
    }


def test_what_is_reserved_counts_until_something_of_it_is_shown() -> None:
    made = [decided(10, "a", "b"), decided(20, "c"), decided(30, "a", kept=False)]
    places = [Shown(10, "a"), Shown(10, "b"), Shown(20, "c")]
    assert reserved(made, []) == places
    assert reserved(made, [Shown(12, "b")]) == [Shown(20, "c")]
    assert reserved(made, [Shown(9, "b")]) == places, "shown before it was decided"


@pytest.fixture
def everyday(scorer: Scorer) -> Scorer:
    """A scorer with many offers that anybody may be made at any time."""
    known = next(iter(scorer.offers.values()))
    open_now: dict[str, Any] = {
        "valid_from": 0,
        "valid_to": 2**62,
        "value": 1e6,
        "channels": frozenset[str](),
    }
    offers = {f"n{i}": replace(known, offer_id=f"n{i}", **open_now) for i in range(12)}
    assert scorer.ranker is not None
    policy = Policy(per_day=3, per_topic=0)
    scorer.ranker = replace(scorer.ranker, offers=offers, policy=policy)
    return scorer


def test_a_decision_takes_no_more_places_than_there_are(everyday: Scorer) -> None:
    first = everyday.rank("somebody", None, 2, 0)
    second = everyday.rank("somebody", None, 2, 0)
    third = everyday.rank("somebody", None, 2, 0)
    assert [len(d.ranked) for d in (first, second, third)] == [2, 1, 0]
    assert (first.reserved, third.reserved) == (True, False)
    assert third.silent == "Better silent: 3 offers shown in a day, at most 3."
    assert {h.rules[0].rule for h in third.held_back} == {"frequency"}
    assert len(everyday.rank("somebody else", None, 5, 0).ranked) == 3


def test_looking_takes_no_place(everyday: Scorer) -> None:
    for _ in range(3):
        looked = everyday.rank("somebody", None, 3, 0, reserve=False)
        assert (len(looked.ranked), looked.reserved) == (3, False)


def test_what_was_shown_takes_the_place_of_what_was_reserved(everyday: Scorer) -> None:
    first = everyday.rank("somebody", None, 3, 0)
    now = everyday.store.as_of()
    shown = first.ranked[0].offer_id
    everyday.store.record([Interaction("somebody", now, now, "offer_shown", offer_id=shown)])
    assert len(everyday.rank("somebody", None, 3, 0).ranked) == 2


def test_simultaneous_decisions_cannot_both_take_the_last_place(
    shop: Settings, store: Store, everyday: Scorer
) -> None:
    other = load_scorer(shop, Store(str(store._engine.url), shop.project.now(), shop.project.name))
    other.ranker = everyday.ranker
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda i: (everyday, other)[i % 2].rank("somebody", None, 1, 0), range(24))
        )
    other.store.close()
    assert sum(len(decision.ranked) for decision in made) == 3
