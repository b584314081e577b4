"""Schemas of what is asked with GET: one customer's view, and the models that are loaded."""

from typing import Any, Literal

from serving.answer_schemas import Answer, HeldBackOut, ModelOut, OfferOut, ScoreOut


class LoadedModelOut(ModelOut):
    """A model that answers now, and since when."""

    task: Literal["churn", "offers"]
    """What it predicts."""
    fingerprint: str
    """Of its signals: what they are, and who computes them."""
    trained_from: str
    """The first instant that it learned from."""
    trained_until: str
    """The end of the last outcome that it learned from."""
    rows: int
    """How many rows it learned from."""
    base_rate: float
    """The share of positives in training."""
    auc: float | None
    """On later instants, by models trained before each."""
    loaded_at: str
    """Since when it answers, UTC."""


class ModelsResponse(Answer):
    """The models that answer now."""

    models: list[LoadedModelOut]
    """Of churn, and of offers where there are any."""


class HappenedOut(Answer):
    """An interaction, as it is recorded."""

    occurred_at: str
    """When it happened, UTC."""
    recorded_at: str
    """When it was known, UTC."""
    kind: str
    """What happened."""
    channel: str | None
    """Through which channel."""
    topic: str | None
    """What it was about."""
    case_id: str | None
    """The issue that it belongs to."""
    offer_id: str | None
    """The offer that it is about."""
    amount: float | None
    """Money, in the project's currency."""
    wait_minutes: float | None
    """How long they waited."""
    rating: float | None
    """How they rated it, from 0 to 1."""
    resolved: bool | None
    """Whether the case is solved by it."""
    due_at: str | None
    """When what was promised is due, UTC."""
    source: str | None
    """The system it is from."""


class SaidOut(Answer):
    """A signal: its value, and the same in words."""

    name: str
    """The signal."""
    value: float | str | None
    """Its value; null is missing."""
    text: str
    """The same in words."""


class CaseOut(Answer):
    """A case that is not solved."""

    case_id: str
    """Which."""
    topic: str | None
    """What it is about."""
    contacts: int
    """How often they were in touch about it."""
    since: str
    """When it began, UTC."""
    latest: str
    """When they were last in touch, UTC."""


class WouldOfferOut(Answer):
    """Offers worth making now, and those held back; nothing is reserved by looking."""

    ranked: list[OfferOut]
    """Worth making, the best first."""
    held_back: list[HeldBackOut]
    """Not to be made, and why."""
    silent: str | None
    """Why nothing would be proposed; null where something is."""


class CustomerResponse(Answer):
    """One customer over all channels."""

    customer_id: str
    """Who; who was asked for by a key is told by their own name."""
    as_of: str
    """By what was known before this instant, UTC."""
    churn: ScoreOut
    """Their risk of leaving."""
    offers: WouldOfferOut | None
    """Null where there is no offer model."""
    relationship: dict[str, SaidOut]
    """Knowledge and trust from 0 to 1, the value exchanged, and the stage."""
    open_cases: list[CaseOut]
    """What is not solved, the oldest first."""
    attributes: dict[str, str]
    """Facts about them, as last known."""
    timeline: list[HappenedOut]
    """The latest interactions, newest first."""
    interactions: int
    """How many there are in all."""
    signals: dict[str, list[SaidOut]]
    """By meaning, those that have a value."""
    unknown: list[str]
    """What is not known of them."""


class ErasedResponse(Answer):
    """How many rows of a customer were erased."""

    names: int
    """The customer's own, and the keys of source systems."""
    interactions: int
    """What they did."""
    attributes: int
    """Facts about them."""
    identities: int
    """Which keys were theirs."""
    decisions: int
    """What was proposed to them."""
    others: int
    """Rows of further tables, such as scores."""
    scrubbed: bool
    """Whether their bytes are wiped from the files, too; false where a reader was in the way: erase
    again."""


class ExportResponse(Answer):
    """All that is held of a customer. Instants are UTC; null is missing, or since ever."""

    customer_id: str
    """Who."""
    keys: list[str]
    """Of source systems."""
    interactions: list[dict[str, Any]]
    """What they did, and when it was known."""
    attributes: list[dict[str, Any]]
    """Facts about them."""
    decisions: list[dict[str, Any]]
    """What was proposed to them, and why."""
    scores: list[dict[str, Any]]
    """What was said of their risk."""
    identities: list[dict[str, Any]]
    """Which keys are theirs, and since when."""
