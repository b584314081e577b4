"""Answers: from a checked request to a response, by the scorer and the store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ValidationError

from features import clock
from features.errors import InteractionError, ModelError, nearest
from features.interactions import Interaction, check_interaction
from serving.schemas import (
    ChurnRequest,
    ChurnResponse,
    HeldBackOut,
    InteractionIn,
    InteractionsRequest,
    InteractionsResponse,
    ModelOut,
    OfferOut,
    OffersRequest,
    OffersResponse,
    ReasonOut,
    Rejected,
    ScoreOut,
    SignalOut,
)
from serving.scorer import Scorer
from training.models import Model
from training.reasons import Reason

LONGEST_SHOWN = 80
FORMS = "The forms are described at /v1/docs."


def churn(scorer: Scorer, request: ChurnRequest) -> ChurnResponse:
    """Answer ``POST /v1/churn``."""
    as_of, scores = scorer.churn(request.customers, request.reasons)
    return ChurnResponse(
        model=_model(scorer.churn_model),
        as_of=clock.isoformat(as_of),
        scores=[
            ScoreOut(
                customer_id=s.customer_id,
                status=s.status,
                probability=s.probability,
                baseline=s.baseline,
                base_rate=s.base_rate,
                band=s.band,
                value_at_risk=s.value_at_risk,
                contacting_pays=s.contacting_pays,
                reasons=_reasons(s.reasons),
                other_effect=s.other_effect,
            )
            for s in scores
        ],
    )


def offers(scorer: Scorer, request: OffersRequest) -> OffersResponse:
    """Answer ``POST /v1/offers``, and log the decision before it is answered.

    Raises:
        ModelError: there is no offer model.
    """
    if scorer.offer_model is None:
        raise ModelError(
            "offers",
            "no offer model is loaded",
            "a table of offers and a trained offer model",
            "Add [offers] to the settings and run `python -m training main`.",
        )
    decision = scorer.rank(
        request.customer_id,
        request.channel,
        request.limit,
        request.reasons,
        request.offers,
        request.reserve,
    )
    return OffersResponse(
        model=_model(scorer.offer_model),
        as_of=clock.isoformat(decision.as_of),
        customer_id=request.customer_id,
        status="known" if decision.known else "unknown",
        decision_id=decision.decision_id,
        reserved=decision.reserved,
        ranked=[
            OfferOut(**{**_shallow(offer), "reasons": _reasons(offer.reasons)})
            for offer in decision.ranked
        ],
        held_back=[HeldBackOut(**asdict(held)) for held in decision.held_back],
        silent=decision.silent,
    )


def record(scorer: Scorer, request: InteractionsRequest) -> InteractionsResponse:
    """Answer ``POST /v1/interactions``: record what is right, reject the rest by index."""
    rejected: list[Rejected] = []
    items: list[Interaction] = []
    places: list[int] = []
    now = scorer.store.now()
    for index, plain in enumerate(request.interactions):
        try:
            item = _interaction(plain, scorer.zone)
            check_interaction(item, scorer.kinds, scorer.numbers, now)
        except ValidationError as error:
            rejected.append(_rejected(index, *told(error.errors(), InteractionIn)))
        except InteractionError as error:
            rejected.append(_refusal(index, error))
        else:
            items.append(item)
            places.append(index)
    recorded = scorer.store.record(items)
    rejected += [_refusal(places[i], error) for i, error in recorded.conflicts.items()]
    return InteractionsResponse(
        accepted=recorded.accepted,
        duplicates=len(recorded.duplicates),
        rejected=sorted(rejected, key=lambda r: r.index),
    )


def told(errors: Sequence[Mapping[str, Any]], model: type[BaseModel]) -> tuple[str, str, str, str]:
    """Return pydantic's first error as subject, value got, value wanted and remedy.

    An unknown key comes before all others: it is often why something else is missing.
    """
    error = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    path = [str(part) for part in error["loc"] if part != "body"]
    subject = _plain(".".join(path) or "body")
    if error["type"] == "extra_forbidden":
        known = list(model.model_fields)
        remedy = nearest(path[-1][:LONGEST_SHOWN], known) if len(path) == 1 else FORMS
        return subject, "an unknown key", "a documented key", remedy
    if error["type"] == "model_attributes_type" and isinstance(error.get("input"), bytes):
        return "body", "text of another type", "JSON", "Send `Content-Type: application/json`."
    if error["type"] == "missing":
        return subject, "nothing", "a value", f"Add `{subject}`."
    if error["type"] == "json_invalid":
        return "body", "text that is not JSON", "a JSON object", f"{error['ctx']['error']}."
    wanted = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return subject, _plain(repr(error.get("input"))), _plain(wanted), FORMS


def _plain(text: str) -> str:
    """Return text short enough to answer with, in characters that can be sent."""
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return shown.encode("utf-8", "backslashreplace").decode()


def _interaction(plain: Any, zone: str) -> Interaction:
    parsed = InteractionIn.model_validate(plain)
    fields = parsed.model_dump(exclude={"recorded_at", "occurred_at", "due_at"})
    occurred = _instant("occurred_at", parsed.occurred_at, zone)
    due = None if parsed.due_at is None else _instant("due_at", parsed.due_at, zone)
    numbers = {name: value + 0.0 for name, value in fields.pop("numbers").items()}
    return Interaction(
        **fields, occurred_at=occurred, recorded_at=occurred, due_at=due, numbers=numbers
    )


def _instant(field: str, moment: Any, zone: str) -> int:
    try:
        return clock.to_instant(moment, zone)
    except OverflowError as error:
        raise InteractionError(
            field, moment.isoformat(), "a time in the years 1 to 9999, UTC", "Mend the time."
        ) from error


def _rejected(index: int, subject: str, got: str, wanted: str, remedy: str) -> Rejected:
    return Rejected(index=index, field=subject, got=got, wanted=wanted, remedy=remedy)


def _refusal(index: int, error: InteractionError) -> Rejected:
    return _rejected(index, error.subject, str(error.got), error.wanted, error.remedy)


def _model(model: Model) -> ModelOut:
    return ModelOut(name=model.name, version=model.version, alias=model.alias)


def _shallow(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _reasons(reasons: list[Reason]) -> list[ReasonOut]:
    return [
        ReasonOut(
            group=r.group,
            effect=r.effect,
            text=r.text,
            signals=[
                SignalOut(name=n, value=None if v != v else v, effect=e) for n, v, e in r.signals
            ],
        )
        for r in reasons
    ]
