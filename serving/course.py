"""The course: how the relationship with a customer moved, by the signals that say how it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features import clock
from features.interactions import Attribute, Interaction
from features.offers import Value
from features.online import evaluate_at
from features.plan import Plan

RELATIONSHIP = {"saturation": "knowledge", "trust": "trust", "exchange": "value", "stage": "stage"}
"""The measures that say how the relationship stands, and how that is called."""
YEAR, MONTHS = 365 * clock.DAY, 12


@dataclass(frozen=True, slots=True)
class Course:
    """How a relationship stood at each of some instants (microseconds UTC), the oldest first.

    ``values`` has one value an instant by the names of ``RELATIONSHIP``; ``None`` is missing.
    """

    instants: Sequence[int]
    values: Mapping[str, Sequence[Value]]


def course_of(
    plan: Plan,
    history: tuple[Sequence[Interaction], Sequence[Attribute]],
    as_of: int,
    months: int,
) -> Course:
    """Return how a relationship moved up to an instant, each by what was known then.

    Args:
        plan: the signals, of which those that say how the relationship stands are told.
        history: the customer's interactions and attributes.
        as_of: microseconds since 1970 UTC, the last instant told.
        months: how many twelfths of a year before it are told too, as far back as anything was
            known; with 0, or where nothing is, there is no course.
    """
    interactions, attributes = history
    known = [max(item.occurred_at, item.recorded_at) for item in interactions]
    begun = min(known, default=as_of)
    instants = [as_of - back * YEAR // MONTHS for back in range(months, -1, -1)]
    instants = [instant for instant in instants if instant > begun]
    if not months or not instants:
        return Course((), {})
    values = evaluate_at(plan, interactions, instants, attributes)
    told = {}
    for signal in plan.signals:
        if signal.measure in RELATIONSHIP:
            found = values.column(signal.name)
            told[RELATIONSHIP[signal.measure]] = [v if v == v else None for v in found]
    return Course(instants, told)
