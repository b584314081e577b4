"""The simulated bank's customers: who they are before anything happens to them.

For tests and teaching. They are drawn in blocks of ``BLOCK``, each from a generator of its own, so
that a customer is the same person however many others there are.
"""

from datetime import date

import numpy as np
import numpy.typing as npt

from features.sources.bank_records import HOUSEHOLDS, N_TOPICS, PERSON, Records
from features.sources.bank_survey import Behaviour

BLOCK = 1_000
BEGIN, END = date(2023, 1, 1), date(2025, 1, 1)
DAYS = (END - BEGIN).days
AGE_SHARES = (0.11, 0.17, 0.25, 0.25, 0.22)
SWITCHING = (1.5, 1.3, 1.0, 0.8, 0.6)
"""How readily each age leaves for a product or a competitor, relative to the mean: assumed."""
HOUSEHOLD_SHARES = ((0.85, 0.12), (0.4, 0.35), (0.25, 0.25), (0.3, 0.45), (0.4, 0.55))
CHANNEL_SHARES = (
    (0.15, 0.50, 0.08, 0.02, 0.05, 0.20),
    (0.20, 0.42, 0.12, 0.04, 0.12, 0.10),
    (0.28, 0.24, 0.20, 0.08, 0.16, 0.04),
    (0.26, 0.12, 0.28, 0.18, 0.14, 0.02),
    (0.14, 0.04, 0.40, 0.34, 0.08, 0.00),
)
"""The own channel of each age, in the order of ``CHANNELS``."""


def people(behaviour: Behaviour, seed: int, block: int) -> Records:
    """Return the customers of one block, shape ``(BLOCK,)`` of ``PERSON``.

    ``joined`` and ``moves`` (when the household changes) are days since ``BEGIN``, ``base`` the
    daily hazard of leaving for other reasons than treatment, ``contacts``, ``mishaps`` and
    ``visits`` are per day, ``retention`` is the part of a bad experience kept from day to day.
    """
    rng = np.random.Generator(np.random.PCG64([seed, block]))
    who = np.zeros(BLOCK, dtype=PERSON)
    who["number"] = block * BLOCK + np.arange(BLOCK) + 1
    who["random"] = rng.integers(2**64, size=BLOCK, dtype=np.uint64)
    who["age"] = np.searchsorted(np.cumsum(AGE_SHARES)[:-1], rng.random(BLOCK), side="right")
    households = np.cumsum(HOUSEHOLD_SHARES, axis=1)[who["age"]]
    who["household"] = (rng.random((BLOCK, 1)) >= households).sum(axis=1)
    channels = np.cumsum(CHANNEL_SHARES, axis=1)[who["age"], :-1]
    who["own"] = (rng.random((BLOCK, 1)) >= channels).sum(axis=1)
    who["moves"] = np.where(rng.random(BLOCK) < 0.08, rng.integers(30, DAYS, BLOCK), 10 * DAYS)
    who["next_household"] = (who["household"] + rng.integers(1, 3, BLOCK)) % len(HOUSEHOLDS)
    who["interest"] = rng.integers(0, N_TOPICS, BLOCK)
    who["interest_2"] = rng.integers(0, N_TOPICS, BLOCK)
    who["last_topic"] = who["interest"]
    before = -1 - (rng.random(BLOCK) ** 2 * 7_000).astype(np.int64)
    who["joined"] = np.where(rng.random(BLOCK) < 0.8, before, rng.integers(0, DAYS - 60, BLOCK))
    who["billing"] = rng.integers(0, 30, BLOCK)
    who["fee"] = np.round(rng.lognormal(2.0, 0.5, BLOCK), 2)
    who["visits"] = np.minimum(rng.lognormal(2.8, 0.7, BLOCK), 200.0) / 365
    who["contacts"] = np.minimum(rng.lognormal(0.3, 0.9, BLOCK), 40.0) / 365
    who["mishaps"] = np.minimum(rng.lognormal(-2.2, 1.0, BLOCK), 6.0) / 365
    _distrust(behaviour, rng.random(BLOCK), who)
    switching = np.array(SWITCHING) / np.dot(AGE_SHARES, SWITCHING)
    who["base"] = behaviour.leave_otherwise / 365 * switching[who["age"]]
    for name in ("left", "case_next", "need_until", "taken_on", "need", "taken"):
        who[name] = -1
    who["complained"] = -10 * DAYS
    return who


def _distrust(behaviour: Behaviour, draw: npt.NDArray[np.float64], who: Records) -> None:
    """Say how long each customer remembers a bad experience."""
    never, slow = behaviour.trust_never, behaviour.trust_slow
    who["trust"] = np.where(draw < never, 2, np.where(draw < never + slow, 1, 0))
    half_lives = np.array([behaviour.quick_half_life, behaviour.slow_half_life, np.inf])
    who["retention"] = 0.5 ** (1.0 / half_lives[who["trust"]])
