"""One customer online: microseconds from arrays and from records; the first row of a process.

``python -m tests.benchmarks.online NUMBER…`` prints a line of JSON for each number of
interactions; with ``--first-row`` it computes one row and prints the time of day.
"""

import json
import random
import sys
import time
from collections.abc import Callable

from features import clock
from features.catalog import TREATMENT_COLUMNS, DataShape, customer_signals
from features.declaration import ROLES
from features.interactions import Interaction
from features.plan import Plan, compile_plan

KINDS = {role: (role,) for role in ROLES}
AT = 20_000 * clock.DAY
SECONDS = 2.0
"""How long each is repeated, after one second of warming up."""


def default_plan() -> Plan:
    """Return the whole default catalogue: all roles and all the usual columns."""
    shape = DataShape(frozenset(ROLES), ("amount",), columns=frozenset(TREATMENT_COLUMNS))
    return compile_plan(customer_signals(shape), KINDS, "Europe/London")


def customer(n: int) -> list[Interaction]:
    """Return so many interactions of one customer over two years."""
    rng = random.Random(n)
    at = sorted(AT - rng.randrange(1, 730 * clock.DAY) for _ in range(n))
    return [
        Interaction(
            "c",
            instant,
            instant,
            rng.choice(ROLES),
            channel=rng.choice(["web", "app", "phone", "store"]),
            topic=f"t{rng.randrange(20)}",
            case_id=f"k{rng.randrange(1 + n // 4)}" if rng.random() < 0.3 else None,
            offer_id=f"o{rng.randrange(30)}" if rng.random() < 0.2 else None,
            amount=round(rng.lognormvariate(3, 1), 2) if rng.random() < 0.6 else None,
            wait_minutes=round(rng.expovariate(0.1), 1) if rng.random() < 0.2 else None,
            rating=rng.randrange(11) / 10 if rng.random() < 0.2 else None,
            resolved=rng.random() < 0.5 if rng.random() < 0.2 else None,
            due_at=instant + 3 * clock.DAY if rng.random() < 0.05 else None,
        )
        for instant in at
    ]


def microseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return median and 99th percentile of the call."""
    until = time.perf_counter() + SECONDS / 2
    while time.perf_counter() < until:
        call()
    taken = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began)
    taken.sort()
    return taken[len(taken) // 2] / 1000, taken[int(len(taken) * 0.99)] / 1000


def main(numbers: list[int]) -> None:
    """Measure each number of interactions."""
    from tests.benchmarks import ours
    from tests.benchmarks.report import show

    plan = default_plan()
    for n in numbers:
        items = customer(n)
        arrays = microseconds(ours.encoded(plan, items, AT))
        records = microseconds(ours.from_records(plan, items, AT))
        told = {"n": n, "signals": len(plan.signals), "arrays": arrays, "records": records}
        show(json.dumps(told))


def first_row() -> None:
    """Compute one row, importing no more than that takes, and print the time of day."""
    from features import online

    online.evaluate(default_plan(), customer(100), AT)
    sys.stdout.write(f"{time.time()}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--first-row"]:
        first_row()
    else:
        main([int(n) for n in sys.argv[1:]])
