"""The view: one customer over all channels, as somebody who is about to talk to them needs it."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.groups import group_of
from features.interactions import Interaction
from features.offers import Value
from features.plan import Plan
from features.values import SignalValues
from features.wording import Wording
from serving.course import RELATIONSHIP, Course, course_of
from serving.ranking import OfferDecision
from serving.scorer import Scorer
from serving.situation import latest
from training.risks import ChurnScore


@dataclass(frozen=True, slots=True)
class Said:
    """A signal of the customer: its value, and the same in words."""

    name: str
    value: Value
    text: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is not solved: what it is about, how often they were in touch, since when."""

    case_id: str
    topic: str | None
    contacts: int
    since: int
    latest: int


@dataclass(frozen=True, slots=True)
class View:
    """A customer at an instant: everything known, in one place.

    ``timeline`` is newest first; ``groups`` are signals by meaning; ``unknown`` names what others
    are known for and this customer is not.
    """

    customer_id: str
    as_of: int
    timeline: list[Interaction]
    n_interactions: int
    attributes: dict[str, str]
    relationship: dict[str, Said]
    groups: dict[str, list[Said]]
    open_cases: list[OpenCase]
    churn: ChurnScore
    offers: OfferDecision | None
    unknown: list[str]
    course: Course


def view_of(
    scorer: Scorer,
    customer_id: str,
    n_timeline: int,
    n_offers: int,
    n_reasons: int,
    months: int = 0,
) -> View:
    """Return a customer by all that is recorded; nothing is reserved for them.

    Args:
        scorer: the models and the store.
        customer_id: who, by any of their keys; one who is not known has an empty view.
        n_timeline: how many of the latest interactions.
        n_offers: how many offers at most.
        n_reasons: how many reasons for the risk and for each offer.
        months: over how many months before the instant to follow the relationship.
    """
    (customer_id,) = scorer.store.whose([customer_id])
    as_of, histories = scorer.store.known([customer_id])
    history = histories[customer_id]
    values, churn = scorer.risk(customer_id, history, as_of, n_reasons)
    seen = [item for item in history[0] if item.occurred_at < as_of and item.recorded_at < as_of]
    offers = None
    if scorer.ranker is not None:
        offers = scorer.look(customer_id, history, as_of, None, n_offers, n_reasons)
    said = _said(scorer.wording, values)
    return View(
        customer_id,
        as_of,
        seen[::-1][:n_timeline],
        len(seen),
        latest(history[1], as_of),
        _relationship(values.plan, said),
        _groups(values.plan, said) if seen else {},
        open_cases(seen) if _tells_cases(values.plan) else [],
        churn,
        offers,
        _unknown(values.plan, said, bool(seen)),
        course_of(values.plan, history, as_of, months),
    )


def open_cases(seen: Sequence[Interaction]) -> list[OpenCase]:
    """Return the cases of which nothing says that they are solved, oldest first.

    They are as many as the signal ``cases_open`` counts.

    Args:
        seen: a customer's interactions in canonical order.
    """
    cases: dict[str, list[Interaction]] = {}
    for item in seen:
        if item.case_id is not None:
            cases.setdefault(item.case_id, []).append(item)
    found = []
    for case_id, contacts in cases.items():
        told = [item.resolved for item in contacts if item.resolved is not None]
        if told[-1:] != [True]:
            topics = [item.topic for item in contacts if item.topic is not None]
            first, last = contacts[0].occurred_at, contacts[-1].occurred_at
            found.append(OpenCase(case_id, (*topics, None)[0], len(contacts), first, last))
    return found


def _said(wording: Wording, values: SignalValues) -> list[Said]:
    row = values.row(0)
    return [
        Said(signal.name, None if value != value else value, wording.say(signal, value))
        for signal, value in zip(values.plan.signals, row, strict=True)
    ]


def _groups(plan: Plan, said: Sequence[Said]) -> dict[str, list[Said]]:
    groups: dict[str, list[Said]] = {}
    for signal, each in zip(plan.signals, said, strict=True):
        if each.value is not None:
            groups.setdefault(group_of(signal), []).append(each)
    return dict(sorted(groups.items()))


def _relationship(plan: Plan, said: Sequence[Said]) -> dict[str, Said]:
    return {
        RELATIONSHIP[signal.measure]: each
        for signal, each in zip(plan.signals, said, strict=True)
        if signal.measure in RELATIONSHIP
    }


def _tells_cases(plan: Plan) -> bool:
    return any(signal.measure == "cases_open" for signal in plan.signals)


def _unknown(plan: Plan, said: Sequence[Said], met: bool) -> list[str]:
    """Return the attributes that are missing, and whether the customer was never met."""
    missing = [
        (signal.column or "").replace("_", " ")
        for signal, each in zip(plan.signals, said, strict=True)
        if signal.measure == "attribute" and each.value is None
    ]
    return missing if met else ["any interaction", *missing]
