"""The simulated bank's truth: how likely each customer is to leave, to hold a model against.

For tests and teaching. A model must not read it; it is no source of the settings.
"""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.sources.bank import daily_hazard
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
