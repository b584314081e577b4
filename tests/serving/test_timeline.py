"""Timelines: what a store holds of a customer comes in canonical order, whatever ties it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count, permutations

import numpy as np
from hypothesis import HealthCheck, given, settings

from features import online
from features.interactions import Interaction, canonical_order
from features.plan import compile_plan
from features.timeline import Timeline
from serving.store import Store
from tests.strategies import AS_OF, ROLES, SIGNALS, histories

PLAN = compile_plan([s for s in SIGNALS if not s.same], ROLES)
CUSTOMERS = count()


def kept(store: Store, items: Sequence[Interaction]) -> Sequence[Interaction]:
    """Return what a store keeps of interactions, as those of a customer of their own."""
    name = f"customer {next(CUSTOMERS)}"
    own = [
        replace(
            i, customer_id=name, interaction_id=i.interaction_id and f"{name} {i.interaction_id}"
        )
        for i in items
    ]
    store.record(own)
    return store.histories([name])[name][0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=histories())
def test_a_stored_timeline_is_in_canonical_order(empty: Store, items: list[Interaction]) -> None:
    timeline = kept(empty, items)
    assert list(timeline) == canonical_order(list(timeline)[::-1])
    from_columns = online.evaluate(PLAN, timeline, AS_OF * 2).matrix
    from_objects = online.evaluate(PLAN, list(timeline)[::-1], AS_OF * 2).matrix
    assert np.array_equal(from_columns, from_objects, equal_nan=True)


def test_what_differs_in_further_numbers_alone_is_ordered_by_these(empty: Store) -> None:
    one = Interaction("c", AS_OF, AS_OF, "purchase")
    tied = [replace(one, numbers=n) for n in ({}, {"a": 9.0}, {"a": 10.0}, {"a": 10.0, "b": -1.0})]
    for some in permutations(tied):
        found = [item.numbers for item in kept(empty, some)]
        assert found == [item.numbers for item in tied]


def test_of_texts_the_code_points_decide(empty: Store) -> None:
    one = Interaction("c", AS_OF, AS_OF, "purchase")
    told = [None, "", "A", "Z", "a", "é", "\uffff", "\U0001f600"]
    tied = [replace(one, topic=topic) for topic in told]
    assert [item.topic for item in kept(empty, tied[::-1])] == told


def test_a_timeline_is_what_it_was_made_of() -> None:
    items = [Interaction("c", 2, 2, "visit"), Interaction("c", 1, 1, "purchase", amount=3.0)]
    timeline = Timeline.of(items)
    assert timeline == items[::-1]
    assert timeline.column("amount") == timeline.numbers("amount") == [3.0, None]
    assert Timeline.of(timeline) is timeline
    assert (
        Timeline([timeline.column(name) for name in Interaction.__dataclass_fields__]) == timeline
    )
    assert (timeline[0].kind, [item.kind for item in timeline[1:]]) == ("purchase", ["visit"])
