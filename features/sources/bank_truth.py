"""The simulated bank's truth: how likely each customer is to leave, to hold a model against.

For tests and teaching. A model must not read it; it is no source of the settings.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numba import njit

from features.sources import bank
from features.sources.bank import daily_hazard
from features.sources.bank_people import BEGIN, BLOCK, people
from features.sources.bank_records import EVENT, STATE
from features.sources.bank_survey import Behaviour


def leaving_probability(path: Path, day: date, horizon: int) -> pa.Table:
    """Return how likely each customer of a day is to leave if nothing more happens to them.

    Args:
        path: the file ``truth.parquet``; it names the behaviour that it was made with.
        day: who is a customer when it begins (local midnight) is in the result.
        horizon: days, that day included.

    Returns:
        The columns ``customer`` and ``probability``, in order of the customers.
    """
    rows = pq.read_table(path)
    behaviour = Behaviour(**json.loads(rows.schema.metadata[b"simulation"])["behaviour"])
    began = pc.less_equal(rows["since"], pa.scalar(day))
    over = pc.less_equal(rows["until"], pa.scalar(day)).fill_null(False)
    rows = rows.filter(pc.and_(began, pc.invert(over)))
    age = np.datetime64(day, "D") - rows["since"].to_numpy().astype("datetime64[D]")
    passed = age.astype(np.float64)
    base, half_life = rows["base"].to_numpy(), rows["memory_half_life"].to_numpy()
    memory, grievance = rows["memory"].to_numpy(), rows["grievance"].to_numpy()
    stays = np.ones(len(rows))
    for ahead in range(horizon):
        stays *= 1.0 - daily_hazard.py_func(
            behaviour,
            base,
            memory * 0.5 ** ((passed + ahead) / half_life),
            grievance * 0.5 ** ((passed + ahead) / behaviour.grievance_half_life),
        )
    return pa.table({"customer": rows["customer"], "probability": 1.0 - stays})


def expected_leaving(path: Path, day: date, horizon: int, futures: int = 50) -> pa.Table:
    """Return how likely each customer of a day is to leave, whatever happens to them until then.

    Each customer lives ``futures`` times through the days to come, staying, and the probability is
    the mean over them: how they are treated then is in it, as it is in what a model learns from.
    Arguments and result are those of `leaving_probability`.
    """
    facts = json.loads(pq.read_schema(path).metadata[b"simulation"])
    behaviour, customers = Behaviour(**facts["behaviour"]), facts["customers"]
    begin = (day - BEGIN).days
    numbers, probabilities = [], []
    for block in range((customers + BLOCK - 1) // BLOCK):
        who = people(behaviour, facts["seed"], block)[: customers - block * BLOCK]
        events = np.empty(len(who) * begin * bank.MOST_ROWS_A_DAY, dtype=EVENT)
        bank.simulate(behaviour, begin, who, events, np.empty(len(who) * (begin + 1), dtype=STATE))
        who = who[(who["joined"] <= begin) & (who["left"] < 0)]
        rng = np.random.Generator(np.random.PCG64([facts["seed"], block, begin]))
        stays = np.zeros(len(who))
        for _ in range(futures):
            again = who.copy()
            again["random"] = rng.integers(2**64, size=len(who), dtype=np.uint64)
            stays += _staying(behaviour, begin, horizon, again, events)
        numbers.append(who["number"])
        probabilities.append(1.0 - stays / futures)
    return pa.table(
        {"customer": np.concatenate(numbers), "probability": np.concatenate(probabilities)}
    )


@njit()
def _staying(b: Behaviour, begin: int, horizon: int, who: Any, events: Any) -> Any:
    """Live through one future of each customer; return how likely they are to stay in it.

    Not cached: numba would not notice a change of what it calls.
    """
    fading = 0.5 ** (1.0 / b.grievance_half_life)
    stays = np.ones(len(who))
    for c in range(len(who)):
        p = who[c]
        for day in range(begin, begin + horizon):
            p.row = 0
            stays[c] *= 1.0 - bank.daily_hazard(b, p.base, p.memory, p.grievance)
            bank._live(b, p, events, day)
            p.memory *= p.retention
            p.grievance *= fading
    return stays
