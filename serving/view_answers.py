"""Answers about one customer: the view as it is sent."""

from dataclasses import asdict

from starlette.exceptions import HTTPException

from features import clock
from features.interactions import Interaction
from serving.answers import held_out, offers_out, score_out
from serving.scorer import Scorer
from serving.view import View, view_of
from serving.view_schemas import (
    CaseOut,
    CustomerResponse,
    ErasedResponse,
    ExportResponse,
    HappenedOut,
    SaidOut,
    WouldOfferOut,
)


def customer(
    scorer: Scorer, customer_id: str, timeline: int, offers: int, reasons: int
) -> CustomerResponse:
    """Answer ``GET /v1/customers/{customer_id}``.

    Raises:
        HTTPException: 404, nothing is recorded of them.
    """
    view = view_of(scorer, customer_id, timeline, offers, reasons)
    if not view.n_interactions and not view.attributes:
        raise HTTPException(404, "nothing is recorded of this customer")
    return CustomerResponse(
        customer_id=view.customer_id,
        as_of=clock.isoformat(view.as_of),
        churn=score_out(view.churn),
        offers=_offers(view),
        relationship={name: SaidOut(**asdict(said)) for name, said in view.relationship.items()},
        open_cases=[
            CaseOut(
                case_id=case.case_id,
                topic=case.topic,
                contacts=case.contacts,
                since=clock.isoformat(case.since),
                latest=clock.isoformat(case.latest),
            )
            for case in view.open_cases
        ],
        attributes=view.attributes,
        timeline=[_happened(item) for item in view.timeline],
        interactions=view.n_interactions,
        signals={
            group: [SaidOut(**asdict(said)) for said in members]
            for group, members in view.groups.items()
        },
        unknown=view.unknown,
    )


def erase(scorer: Scorer, customer_id: str) -> ErasedResponse:
    """Answer ``DELETE /v1/customers/{customer_id}``."""
    return ErasedResponse(**asdict(scorer.store.erase(customer_id)))


def export(scorer: Scorer, customer_id: str) -> ExportResponse:
    """Answer ``GET /v1/customers/{customer_id}/export``."""
    return ExportResponse(**scorer.store.export(customer_id))


def _offers(view: View) -> WouldOfferOut | None:
    if view.offers is None:
        return None
    return WouldOfferOut(
        ranked=offers_out(view.offers.ranked),
        held_back=held_out(view.offers.held_back),
        silent=view.offers.silent,
    )


def _happened(item: Interaction) -> HappenedOut:
    due = None if item.due_at is None else clock.isoformat(item.due_at)
    plain = {name: getattr(item, name) for name in HappenedOut.model_fields}
    times = {
        "occurred_at": clock.isoformat(item.occurred_at),
        "recorded_at": clock.isoformat(item.recorded_at),
        "due_at": due,
    }
    return HappenedOut(**{**plain, **times})
