"""Generated histories: small, hostile, and dense in the edges where engines differ."""

from hypothesis import strategies as st

from features.composites import exchange, knowledge, stage, trust
from features.declaration import Signal
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.signals import (
    attribute,
    calendar,
    days,
    interactions,
    offer_attribute,
    ratio,
)

DAY = 24 * 3600 * 1_000_000
AS_OF = 17_000 * DAY
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe")
ROLES = {
    "value": ("purchase", "renewal"),
    "detail": ("item",),
    "negative": ("complaint",),
    "advocacy": ("referral",),
    "offer_accepted": ("item",),
}

CASES = (
    "case_contacts",
    "case_contacts_most",
    "handovers",
    "handovers_most",
    "cases_open",
    "oldest_open_case",
    "cases_reopened",
    "unresolved_share",
    "resolution_mean",
    "resolution_longest",
)
KNOWLEDGE = knowledge({"age": True, "city": False}, why="composite")
TRUST = trust(why="composite", half_life=10)
EXCHANGE = exchange(why="composite")

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
    *interactions(role="detail").mean("amount", days(28), same="topic", why="keyed"),
    *interactions(role="value").decayed_count(days(7), same="topic", why="keyed"),
    *interactions(role="detail").reached(2, days(28), same="topic", why="keyed"),
    *interactions().minimum("amount", days(28), same="topic", why="keyed"),
    *interactions().maximum("amount", days(7, 28), same="topic", why="keyed"),
    *interactions(role="value").last("points", same="topic", why="keyed"),
    *interactions().decayed_sum("amount", days(7), same="topic", why="keyed"),
    *interactions(role="detail").days_since_first(same="topic", why="keyed"),
    *interactions().count(days(28), same="offer", why="about the offer"),
    *interactions().reached(1, same="offer", why="about the offer"),
    *interactions().minimum("points", same="offer", why="about the offer"),
    *interactions().maximum("amount", same="offer", why="about the offer"),
    *interactions().last("amount", days(28), same="offer", why="about the offer"),
    *interactions().decayed_sum("amount", days(30), same="offer", why="about the offer"),
    *interactions().days_since_first(same="offer", why="about the offer"),
    *interactions().days_since_last(same="offer", why="about the offer"),
    *interactions(kind="complaint").count(days(28), why="a kind"),
    *interactions("value", kind="renewal").count(why="a kind in a role"),
    *interactions(channel="a").count(days(28), why="a channel"),
    *interactions(topic="TEA").sum("amount", why="a topic"),
    *interactions(where=("amount", ">=", 0.2)).count(why="a comparison"),
    *interactions(where=("points", "<", 0.1)).count(why="a comparison"),
    *interactions(where=("resolved", "==", 1.0)).count(days(28), why="a comparison"),
    *interactions(where=("rating", "!=", 1.0)).days_since_last(why="a comparison"),
    *interactions(where=("rating", ">", 0.5)).count(why="a comparison"),
    *interactions(where=("wait_minutes", "<=", 0.0)).count(why="a comparison"),
    *interactions(role="negative").reached(1, days(28), why="one is enough"),
    *interactions(role="negative").reached(3, why="three"),
    *interactions(role="negative").erosion(days(7), why="erosion"),
    *interactions(role="detail").count_since("value", why="since"),
    *interactions().count_since("negative", days(7), why="since, of all"),
    *interactions(role="value").count_after("negative", 1, why="after"),
    *interactions().count_after("value", 7, days(28), why="after, of all"),
    *interactions().distinct("channel", days(28), why="channels"),
    *interactions().distinct("topic", why="topics"),
    *interactions(role="value").distinct("day", days(28), why="active days"),
    *interactions().distinct("case_id", why="cases"),
    *interactions().favourite("channel", why="favourite"),
    *interactions().favourite("topic", days(28), why="favourite"),
    *interactions().favourite("weekday", why="favourite"),
    *interactions(role="value").favourite("hour", why="favourite"),
    *interactions().favourite_share("channel", days(28), why="habit"),
    *interactions().favourite_share("weekday", why="habit"),
    *interactions().fit("weekday", why="fits"),
    *interactions().fit("hour", days(28), why="fits"),
    *interactions().repeated("topic", 7, why="again"),
    *interactions(role="value").repeated("topic", 1, days(28), why="again"),
    *(s for name in CASES for s in interactions().of_cases(name, why="journey")),
    *interactions(role="value").of_cases("handovers", days(28), why="journey"),
    *interactions().of_cases("promises_kept", days(7), why="promise"),
    *interactions().of_cases("promises_broken", why="promise"),
    *interactions().promise_erosion(days(1, 30), why="promise"),
    *attribute("city", why="category"),
    *attribute("age", number=True, why="number"),
    *offer_attribute("type", why="category"),
    *offer_attribute("days_valid", number=True, why="derived"),
    *calendar("weekday", why="calendar"),
    *calendar("hour", why="calendar"),
    *calendar("day_of_month", why="calendar"),
    *calendar("month", why="calendar"),
    *ratio(
        interactions(role="negative").count(days(28), why="-"),
        interactions().count(days(28), why="-"),
        prior=(0.1, 3.0),
        why="smoothed",
    ),
    *KNOWLEDGE,
    *TRUST,
    *EXCHANGE,
    *stage(KNOWLEDGE, TRUST, EXCHANGE, why="stage"),
)

_edges = st.sampled_from(
    [AS_OF - w * DAY + d for w in (0, 1, 7, 28) for d in (-1, 0, 1)] + [AS_OF - 3 * DAY]
)
instants = st.one_of(_edges, st.integers(AS_OF - 40 * DAY, AS_OF + 5 * DAY))
numbers = st.one_of(
    st.sampled_from([1e16, -1e16, 0.1, 0.2, 0.3, -0.0, 0.0, 5e-324, 1e300, float("nan")]),
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
        kind=draw(
            st.sampled_from(["purchase", "renewal", "item", "complaint", "referral", "unheard_of"])
        ),
        interaction_id=draw(st.one_of(st.none(), st.sampled_from(["1", "2", "3"]))),
        source=draw(st.sampled_from([None, "till", "web"])),
        channel=draw(st.one_of(st.none(), _text)),
        topic=draw(st.one_of(st.none(), st.sampled_from(["TEA", "MILK", ""]))),
        case_id=draw(st.sampled_from([None, "k1", "k2", "", "k1"])),
        offer_id=draw(st.sampled_from([None, "o1", "o2", ""])),
        amount=draw(st.none() | numbers),
        wait_minutes=draw(st.one_of(st.none(), st.sampled_from([0.0, 5.0]))),
        rating=draw(st.one_of(st.none(), st.sampled_from([0.0, 1.0]))),
        resolved=draw(st.one_of(st.none(), st.booleans())),
        due_at=draw(st.one_of(st.none(), instants)),
        numbers=draw(st.fixed_dictionaries({}, optional={"points": numbers, "stars": numbers})),
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
