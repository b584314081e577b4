"""Answers: from a checked request to a response, by the scorer and the store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from features import clock
from features.errors import InteractionError, ModelError, nearest
from features.interactions import Attribute, Interaction, check_interaction
from features.rules import YEAR_1, YEAR_9999
from serving.answer_schemas import (
    ChurnResponse,
    HeldBackOut,
    InteractionsResponse,
    ModelOut,
    OfferOut,
    OffersResponse,
    ReasonOut,
    Rejected,
    ScoreOut,
    SignalOut,
)
from serving.ranking import HeldBack, RankedOffer
from serving.schemas import (
    ChurnRequest,
    EventIn,
    HistoryIn,
    InteractionIn,
    InteractionsRequest,
    OffersRequest,
)
from serving.scorer import History, Scorer
from serving.view_schemas import LoadedModelOut, ModelsResponse
from training.models import Model
from training.reasons import Reason
from training.risks import ChurnScore

LONGEST_SHOWN = 80
FORMS = "The forms are described at /v1/docs."


def churn(scorer: Scorer, request: ChurnRequest) -> ChurnResponse:
    """Answer ``POST /v1/churn``.

    Raises:
        RapportError: the instant is still to come, or a given history holds what cannot be.
    """
    at = None if request.as_of is None else instant_of("as_of", request.as_of, scorer.zone)
    if request.histories is not None:
        given = [
            (history.customer_id, _history(scorer, f"histories.{place}", history))
            for place, history in enumerate(request.histories)
        ]
        as_of, scores = scorer.churn_of(given, request.reasons, at)
    else:
        as_of, scores = scorer.churn(request.customers or [], request.reasons, at)
        _log(scorer, as_of, scores)
    return ChurnResponse(
        model=model_out(scorer.churn_model),
        as_of=clock.isoformat(as_of),
        scores=[score_out(score) for score in scores],
    )


def _log(scorer: Scorer, as_of: int, scores: Sequence[ChurnScore]) -> None:
    model = scorer.churn_model
    who = {"as_of": as_of, "model": model.name, "version": model.version}
    scorer.store.log_scores(
        [
            {
                **who,
                "customer_id": score.customer_id,
                "status": score.status,
                "probability": score.probability,
            }
            for score in scores
            if score.status != "unknown"
        ]
    )


def models(scorer: Scorer) -> ModelsResponse:
    """Answer ``GET /v1/models``."""
    loaded = [scorer.churn_model, *([scorer.offer_model] if scorer.offer_model else [])]
    since = clock.isoformat(scorer.loaded_at)
    return ModelsResponse(
        models=[
            LoadedModelOut(
                name=model.name,
                version=model.version,
                alias=model.alias,
                task=model.bundle.card.task,
                fingerprint=model.bundle.fingerprint,
                trained_from=model.bundle.card.trained_from,
                trained_until=model.bundle.card.trained_until,
                rows=model.bundle.card.rows,
                base_rate=model.bundle.card.base_rate,
                auc=model.bundle.card.metrics.get("auc"),
                loaded_at=since,
            )
            for model in loaded
        ]
    )


def _history(scorer: Scorer, subject: str, given: HistoryIn) -> History:
    """Return a history that was given, known as it happened."""
    interactions, now = [], scorer.store.now()
    for place, event in enumerate(given.interactions):
        try:
            item = _interaction(given.customer_id, event, scorer.zone)
            check_interaction(item, scorer.kinds, scorer.numbers, now)
        except InteractionError as error:
            where = f"{subject}.interactions.{place}.{error.subject}"
            raise InteractionError(where, error.got, error.wanted, error.remedy) from error
        interactions.append(item)
    return interactions, [
        Attribute(given.customer_id, clock.EVER, name, str(value))
        for name, value in given.attributes.items()
    ]


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
        model=model_out(scorer.offer_model),
        as_of=clock.isoformat(decision.as_of),
        customer_id=decision.customer_id,
        status="known" if decision.known else "unknown",
        decision_id=decision.decision_id,
        reserved=decision.reserved,
        ranked=offers_out(decision.ranked),
        held_back=held_out(decision.held_back),
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
            parsed = InteractionIn.model_validate(plain)
            item = _interaction(parsed.customer_id, parsed, scorer.zone)
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
    if error["type"] == "string_pattern_mismatch":
        return subject, _plain(repr(error.get("input"))), "text without null bytes", FORMS
    wanted = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return subject, _plain(repr(error.get("input"))), _plain(wanted), FORMS


def _plain(text: str) -> str:
    """Return text short enough to answer with, in characters that can be sent."""
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return shown.encode("utf-8", "backslashreplace").decode()


def _interaction(customer_id: str, event: EventIn, zone: str) -> Interaction:
    named = {"customer_id", "recorded_at", "occurred_at", "due_at"}
    fields = event.model_dump(exclude=named)
    occurred = instant_of("occurred_at", event.occurred_at, zone)
    due = None if event.due_at is None else instant_of("due_at", event.due_at, zone)
    numbers = {name: value + 0.0 for name, value in fields.pop("numbers").items()}
    return Interaction(
        customer_id,
        **fields,
        occurred_at=occurred,
        recorded_at=occurred,
        due_at=due,
        numbers=numbers,
    )


def instant_of(field: str, moment: datetime, zone: str) -> int:
    """Return a time of a request as an instant, microseconds UTC.

    Raises:
        InteractionError: it is none that can be told.
    """
    try:
        instant = clock.to_instant(moment, zone)
    except OverflowError:
        instant = clock.EVER
    if not YEAR_1 <= instant <= YEAR_9999:
        raise InteractionError(
            field, moment.isoformat(), "a time in the years 1 to 9999, UTC", "Mend the time."
        )
    return instant


def _rejected(index: int, subject: str, got: str, wanted: str, remedy: str) -> Rejected:
    return Rejected(index=index, field=subject, got=got, wanted=wanted, remedy=remedy)


def _refusal(index: int, error: InteractionError) -> Rejected:
    return _rejected(index, error.subject, str(error.got), error.wanted, error.remedy)


def model_out(model: Model) -> ModelOut:
    """Return a model as answers name it."""
    return ModelOut(name=model.name, version=model.version, alias=model.alias)


def score_out(score: ChurnScore) -> ScoreOut:
    """Return a risk as answers tell it."""
    return ScoreOut(**{**_shallow(score), "reasons": reasons_out(score.reasons)})


def offers_out(ranked: Sequence[RankedOffer]) -> list[OfferOut]:
    """Return ranked offers as answers tell them."""
    return [
        OfferOut(**{**_shallow(offer), "reasons": reasons_out(offer.reasons)}) for offer in ranked
    ]


def held_out(held_back: Sequence[HeldBack]) -> list[HeldBackOut]:
    """Return what is held back as answers tell it."""
    return [HeldBackOut(**asdict(held)) for held in held_back]


def _shallow(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def reasons_out(reasons: list[Reason]) -> list[ReasonOut]:
    """Return reasons as answers tell them; a missing number is null."""
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
