"""The simulated bank's words, and the records that its day loop keeps and writes.

For tests and teaching. Records hold codes: positions in these tuples.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

KINDS = (
    *("purchase", "renewal", "cancellation", "visit", "enquiry", "service_request", "complaint"),
    *("review", "referral", "offer_shown", "offer_accepted", "offer_declined"),
)
CHANNELS = ("web", "app", "phone", "branch", "email", "social")
TOPICS = ("current account", "savings", "mortgage", "card", "insurance", "loan", "investment")
DEPARTMENTS = ("front desk", "operations", "products", "complaints")
REASONS = ("treatment", "product", "competitor", "other")
AGES = ("18-24", "25-34", "35-49", "50-64", "65+")
HOUSEHOLDS = ("single", "couple", "family")
TRUST = ("quick", "slow", "never")
N_CHANNELS, N_TOPICS = len(CHANNELS), len(TOPICS)

Records = npt.NDArray[Any]
PERSON = np.dtype(
    [
        *((name, "i8") for name in ("number", "case", "due", "row")),
        ("random", "u8"),
        *((name, "f8") for name in ("base", "retention", "memory", "grievance")),
        *((name, "f8") for name in ("contacts", "mishaps", "visits", "fee")),
        *((name, "i4") for name in ("joined", "moves", "billing", "sequence", "cases", "left")),
        *((name, "i4") for name in ("case_next", "need_until", "complained", "taken_on")),
        *((name, "i2") for name in ("taken", "case_step", "hand_overs")),
        *((name, "i1") for name in ("age", "household", "next_household", "own", "trust")),
        *((name, "i1") for name in ("interest", "interest_2", "last_topic", "need")),
        *((name, "i1") for name in ("case_kind", "case_topic", "reason", "changed")),
    ],
    align=True,
)
"""One customer: who they are, and the state in which the day loop keeps them."""
EVENT = np.dtype(
    [
        *((name, "i8") for name in ("customer", "id", "case", "at", "recorded", "due")),
        *((name, "f8") for name in ("amount", "wait", "rating")),
        ("offer", "i2"),
        *((name, "i1") for name in ("kind", "channel", "topic", "department", "solved")),
    ],
    align=True,
)
"""One interaction: times are seconds of the local clock since the begin; -1 and NaN are missing."""
STATE = np.dtype(
    [("customer", "i8"), ("since", "i4"), ("memory", "f8"), ("grievance", "f8")], align=True
)
"""What a customer remembers at the start of a day, whenever that changed by what happened."""
