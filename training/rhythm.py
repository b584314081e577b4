"""Rhythm: how often customers come back, and the definition of churn that fits it.

A horizon is long enough when silence means something: three in four of the customers who come
regularly are back within it nine times out of ten. It is short enough when the history holds
instants to learn from, to calibrate and to test at.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import clock
from features.errors import DataError
from features.history import History
from features.identities import owners
from features.sections import Roles
from training import splits
from training.tasks import Churn, Int64

HORIZONS = (7, 14, 21, 28, 42, 56, 91, 119, 182, 364)
"""Days; whole weeks, so that every horizon has as many Saturdays as the next."""
REGULAR = 4
"""On how many days a customer came who has a rhythm."""
OFTEN, MOST = 0.9, 0.75
FEWEST_EXITS = 50


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a history says of how often customers come back.

    ``usual`` is the median of days between two visits of a customer, ``back`` the days within
    which most regular customers are back nine times out of ten; both NaN where nobody came twice.
    ``lost`` is the share lost in the latest window that is over, of ``asked`` customers; NaN where
    there were none.
    """

    churn: Churn
    usual: float
    back: float
    regular: int
    asked: int
    lost: float
    shortened: str = ""

    @property
    def told(self) -> str:
        """How many were lost, in words; or that it could not be counted."""
        window = f"in the last {self.churn.horizon}"
        if not self.asked:
            return f"{window} nobody could be lost: none came in the time before that"
        return f"{window} {self.lost:.0%} of {self.asked:,} were lost"


def rhythm_of(history: History, roles: Roles) -> Rhythm:
    """Return the rhythm of a history, and the definition of churn that fits it.

    Raises:
        DataError: nobody has a value interaction, or no horizon fits into the history.
    """
    table = history.interactions
    value = table.filter(pc.field("kind").isin(pa.array(roles.kinds("value"), pa.string())))
    if len(value) == 0:
        raise DataError(
            "history", "no interaction that carries value", "some", "Mend [roles] value."
        )
    who = _codes(history, value)
    at = np.array(value["occurred_at"], dtype=np.int64)
    usual, back, regular = _gaps(who, at // clock.DAY)
    exits = table.filter(pc.field("kind").isin(pa.array(roles.kinds("exit"), pa.string())))
    definition = "exit" if len(exits) >= FEWEST_EXITS else "lapse"
    # The nearest by ratio; who never came twice has no rhythm, and is given long.
    wished = min(HORIZONS, key=lambda days: abs(np.log(days / back))) if back > 0 else 91
    first, until = int(at.min()), history.known_until
    for days in (days for days in HORIZONS[::-1] if days <= wished):
        churn = Churn.model_validate(
            {"definition": definition, "horizon": f"{days}d", "active": f"{2 * days}d"}
        )
        try:
            splits.snapshots(first, until, churn)
        except DataError as error:
            shortest = error
            continue
        asked, lost = _lost(who, at, until, churn)
        short = "" if days == wished else f"{wished}d"
        return Rhythm(churn, usual, back, regular, asked, lost, short)
    raise shortest


def _codes(history: History, table: pa.Table) -> Int64:
    """Number the customers of rows, whichever of their keys they are under."""
    persons = owners(history.identities, table["customer_id"])
    encoded = pa.chunked_array([persons]).combine_chunks().dictionary_encode()
    return np.array(encoded.indices, dtype=np.int64)


def _gaps(who: Int64, day: Int64) -> tuple[float, float, int]:
    """Return the usual days between visits, those until most are back, and how many regulars."""
    order = np.lexsort((day, who))
    who, day = who[order], day[order]
    new = np.ones(len(who), dtype=bool)
    new[1:] = (who[1:] != who[:-1]) | (day[1:] != day[:-1])
    who, day = who[new], day[new]
    same = who[1:] == who[:-1]
    gaps, of = np.diff(day)[same].astype(np.float64), who[1:][same]
    if not len(gaps):
        return float("nan"), float("nan"), 0
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    own = [part for part in np.split(gaps, starts[1:]) if len(part) >= REGULAR - 1]
    usual = float(np.median(gaps))
    if not own:
        return usual, float(np.quantile(gaps, OFTEN)), 0
    longest = np.array([np.quantile(part, OFTEN) for part in own])
    return usual, float(np.quantile(longest, MOST)), len(own)


def _lost(who: Int64, at: Int64, until: int, churn: Churn) -> tuple[int, float]:
    """Return how many were active before the last window that is over, and the share not back."""
    begin = until - churn.horizon_us
    before: npt.NDArray[np.bool_] = (at < begin) & (at >= begin - churn.active_days * clock.DAY)
    asked = np.unique(who[before])
    back = np.isin(asked, who[at >= begin])
    return len(asked), float(1 - back.mean()) if len(asked) else float("nan")
