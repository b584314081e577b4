"""Histories thrown by a seeded die: the mixture of `strategies`, fifty times as fast.

They do not shrink by themselves; ``smallest`` does what is needed.
"""

from collections.abc import Callable
from random import Random

from features.interactions import Attribute, Interaction
from features.offers import Offer
from tests.strategies import AS_OF, DAY

KINDS = ("purchase", "renewal", "item", "complaint", "referral", "unheard_of")
TEXTS = (None, "", "a", "b", "é", "z\U0001f600", "\uffff")
NUMBERS = (1e16, -1e16, 0.1, 0.2, 0.3, -0.0, 0.0, 5e-324, 1e300, -7.25, 1 / 3, float("nan"))
EDGES = (AS_OF - 3 * DAY, *(AS_OF - w * DAY + d for w in (0, 1, 7, 28) for d in (-1, 0, 1)))


def instant(rng: Random) -> int:
    """An instant: often on an edge of a window."""
    if rng.random() < 0.5:
        return rng.choice(EDGES)
    return rng.randint(AS_OF - 40 * DAY, AS_OF + 5 * DAY)


def _number(rng: Random) -> float:
    return rng.choice(NUMBERS) if rng.random() < 0.6 else rng.lognormvariate(0, 20)


def _maybe_number(rng: Random) -> float | None:
    return _number(rng) if rng.random() < 0.7 else None


def interaction(rng: Random, customer_id: str) -> Interaction:
    """One interaction: often on an edge, often tied, sometimes late or repeated."""
    occurred = instant(rng)
    return Interaction(
        customer_id,
        occurred,
        occurred + rng.choice((0, 0, 0, 0, 1, DAY, 30 * DAY)),
        rng.choice(KINDS),
        interaction_id=rng.choice((None, None, "1", "2", "3")),
        source=rng.choice((None, "till", "web")),
        channel=rng.choice(TEXTS),
        topic=rng.choice((None, "TEA", "MILK", "")),
        case_id=rng.choice((None, "k1", "k2", "", "k1")),
        offer_id=rng.choice((None, "o1", "o2", "")),
        amount=_maybe_number(rng),
        wait_minutes=rng.choice((None, 0.0, 5.0)),
        rating=rng.choice((None, 0.0, 1.0)),
        resolved=rng.choice((None, False, True)),
        due_at=rng.choice((None, instant(rng))),
        numbers={name: _number(rng) for name in ("points", "stars") if rng.random() < 0.3},
    )


def history(rng: Random, customer_id: str = "c") -> list[Interaction]:
    """A history: mostly short, sometimes empty, now and then long."""
    size = rng.choice((0, 1, 2, 3, 5, 8, 8, 13, 13, 21, 40))
    return [interaction(rng, customer_id) for _ in range(size)]


def facts(rng: Random, customer_id: str = "c") -> list[Attribute]:
    """Attributes that change, some at the same moment, some after the instant."""
    return [
        Attribute(
            customer_id,
            rng.choice((-(2**63), instant(rng))),
            rng.choice(("city", "age", "unread")),
            rng.choice(("Bath", "Ayr", "41", "x", "-0.0", "nan", "1e400")),
        )
        for _ in range(rng.randrange(5))
    ]


def offer(rng: Random) -> Offer | None:
    """An offer, or none."""
    if rng.random() < 0.3:
        return None
    return Offer(
        rng.choice(("o1", "o2", "")),
        topics=frozenset(t for t in ("TEA", "MILK", "", "never") if rng.random() < 0.4),
        valid_from=AS_OF - 3 * DAY,
        valid_to=rng.choice((AS_OF, AS_OF + 1, 2**63 - 1)),
        attributes=rng.choice(({}, {"type": "A"}, {"type": "B"}, {"type": 2.0})),
    )


def smallest(
    found: list[Interaction], fails: Callable[[list[Interaction]], bool]
) -> list[Interaction]:
    """Leave out interactions as long as what remains still fails."""
    for i in range(len(found) - 1, -1, -1):
        fewer = found[:i] + found[i + 1 :]
        if fails(fewer):
            found = fewer
    return found
