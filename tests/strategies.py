"""Generated histories: small, hostile, and dense in the edges where engines differ."""

from hypothesis import strategies as st

from features.declaration import Signal
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.signals import attribute, days, interactions, offer_attribute

DAY = 24 * 3600 * 1_000_000
AS_OF = 17_000 * DAY
ROLES = {
    "value": ("purchase", "renewal"),
    "detail": ("item",),
    "negative": ("complaint",),
}

SIGNALS: tuple[Signal, ...] = (
    *interactions().count(why="all"),
    *interactions().days_since_first(why="all"),
    *interactions(role="contact").count(days(7), why="a role that no kind has"),
    *interactions(role="value").count(days(1, 7, 28), why="window"),
    *interactions(role="value").sum("amount", days(1, 7, 28), why="sum"),
    *interactions(role="value").sum("amount", why="sum of everything"),
    *interactions().sum("points", days(28), why="a further column"),
    *interactions(role="value").days_since_last(why="last"),
    *interactions(role="value").gap_mean(why="rhythm"),
    *interactions(role="value").gap_ratio(why="silence by rhythm"),
    *interactions(role="value").mean("amount", days(7), why="mean"),
    *interactions(role="value").minimum("amount", days(28), why="least"),
    *interactions(role="value").maximum("amount", why="greatest"),
    *interactions().last("points", days(28), why="latest"),
    *interactions(role="value").gap_std(why="how regular"),
    *interactions(role="value").gap_longest(why="longest"),
    *interactions().gap_percentile(why="silence among gaps"),
    *interactions(role="value").decayed_count(days(1, 30), why="decay"),
    *interactions(role="value").decayed_sum("amount", days(7), why="decay"),
    *interactions(role="value").trend(days(1, 7), why="trend"),
    *interactions().trend_long_run(days(7), why="long run"),
    *interactions(role="detail").count(days(7, 28), same="topic", why="keyed"),
    *interactions(role="detail").sum("amount", days(28), same="topic", why="keyed"),
    *interactions().days_since_last(same="topic", why="keyed"),
    *attribute("city", why="category"),
    *attribute("age", number=True, why="number"),
    *offer_attribute("type", why="category"),
    *offer_attribute("days_valid", number=True, why="derived"),
)

_edges = st.sampled_from(
    [AS_OF - w * DAY + d for w in (0, 1, 7, 28) for d in (-1, 0, 1)] + [AS_OF - 3 * DAY]
)
instants = st.one_of(_edges, st.integers(AS_OF - 40 * DAY, AS_OF + 5 * DAY))
numbers = st.one_of(
    st.sampled_from([1e16, -1e16, 0.1, 0.2, 0.3, -0.0, 0.0, 5e-324, 1e300]),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
)
_text = st.sampled_from(["", "a", "b", "é", "z\U0001f600", "\uffff"])


@st.composite
def interaction(draw: st.DrawFn, customer_id: str = "c") -> Interaction:
    """One interaction: often on an edge, often tied, sometimes late or repeated."""
    occurred = draw(instants)
    late = draw(st.sampled_from([0, 0, 0, 1, DAY, 30 * DAY]))
    return Interaction(
        customer_id=customer_id,
        occurred_at=occurred,
        recorded_at=occurred + late,
        kind=draw(st.sampled_from(["purchase", "renewal", "item", "complaint", "unheard_of"])),
        interaction_id=draw(st.one_of(st.none(), st.sampled_from(["1", "2", "3"]))),
        source=draw(st.sampled_from([None, "till", "web"])),
        channel=draw(st.one_of(st.none(), _text)),
        topic=draw(st.one_of(st.none(), st.sampled_from(["TEA", "MILK", ""]))),
        case_id=draw(st.one_of(st.none(), _text)),
        offer_id=draw(st.one_of(st.none(), _text)),
        amount=draw(st.none() | numbers),
        wait_minutes=draw(st.one_of(st.none(), st.sampled_from([0.0, 5.0]))),
        rating=draw(st.one_of(st.none(), st.sampled_from([0.0, 1.0]))),
        resolved=draw(st.one_of(st.none(), st.booleans())),
        due_at=draw(st.one_of(st.none(), instants)),
        numbers=draw(st.fixed_dictionaries({}, optional={"points": numbers})),
    )


def histories(customer_id: str = "c", max_size: int = 14) -> st.SearchStrategy[list[Interaction]]:
    """Histories of one customer, the empty one among them."""
    return st.lists(interaction(customer_id), max_size=max_size)


def attributes(customer_id: str = "c") -> st.SearchStrategy[list[Attribute]]:
    """Attributes that change, some at the same moment, some after the instant."""
    one = st.builds(
        Attribute,
        customer_id=st.just(customer_id),
        known_at=st.one_of(instants, st.just(-(2**63))),
        name=st.sampled_from(["city", "age", "unread"]),
        value=st.sampled_from(["Bath", "Ayr", "41", "x", "-0.0", "nan", "1e400"]),
    )
    return st.lists(one, max_size=5)


offers = st.builds(
    Offer,
    offer_id=st.sampled_from(["o1", "o2"]),
    topics=st.frozensets(st.sampled_from(["TEA", "MILK", "", "never"])),
    valid_from=st.just(AS_OF - 3 * DAY),
    valid_to=st.sampled_from([AS_OF, AS_OF + 1, 2**63 - 1]),
    attributes=st.sampled_from([{}, {"type": "A"}, {"type": "B"}, {"type": 2.0}]),
)
