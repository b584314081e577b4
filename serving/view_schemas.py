"""Schemas of what is asked with GET: one customer's view, and the models that are loaded."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.schemas import HeldBackOut, ModelOut, OfferOut, ScoreOut


class LoadedModelOut(ModelOut):
    """A model that answers now, and since when."""

    task: Literal["churn", "offers"]
    fingerprint: str = Field(description="Of its signals: what they are, and who computes them.")
    trained_from: str
    trained_until: str = Field(description="The end of the last outcome that it learned from.")
    rows: int
    base_rate: float = Field(description="The share of positives in training.")
    auc: float | None = Field(description="On later instants, by models trained before each.")
    loaded_at: str


class ModelsResponse(BaseModel):
    """The models that answer now."""

    models: list[LoadedModelOut]


class HappenedOut(BaseModel):
    """An interaction, as it is recorded."""

    occurred_at: str
    recorded_at: str
    kind: str
    channel: str | None
    topic: str | None
    case_id: str | None
    offer_id: str | None
    amount: float | None
    wait_minutes: float | None
    rating: float | None
    resolved: bool | None
    due_at: str | None
    source: str | None


class SaidOut(BaseModel):
    """A signal: its value, and the same in words."""

    name: str
    value: float | str | None
    text: str


class CaseOut(BaseModel):
    """A case that is not solved."""

    case_id: str
    topic: str | None
    contacts: int
    since: str
    latest: str


class WouldOfferOut(BaseModel):
    """Offers worth making now, and those held back; nothing is reserved by looking."""

    ranked: list[OfferOut]
    held_back: list[HeldBackOut]
    silent: str | None


class CustomerResponse(BaseModel):
    """One customer over all channels."""

    customer_id: str
    as_of: str
    churn: ScoreOut
    offers: WouldOfferOut | None = Field(description="Null where there is no offer model.")
    relationship: dict[str, SaidOut] = Field(
        description="Knowledge and trust from 0 to 1, the value exchanged, and the stage."
    )
    open_cases: list[CaseOut]
    attributes: dict[str, str]
    timeline: list[HappenedOut] = Field(description="The latest interactions, newest first.")
    interactions: int = Field(description="How many there are in all.")
    signals: dict[str, list[SaidOut]] = Field(description="By meaning, those that have a value.")
    unknown: list[str] = Field(description="What is not known of them.")


class ErasedResponse(BaseModel):
    """How many rows of a customer were erased."""

    names: int = Field(description="The customer's own, and the keys of source systems.")
    interactions: int
    attributes: int
    identities: int
    decisions: int
    others: int
    scrubbed: bool = Field(
        description="Whether their bytes are wiped from the files, too; false where a reader was "
        "in the way: erase again."
    )


class ExportResponse(BaseModel):
    """All that is held of a customer. Instants are UTC; null is missing, or since ever."""

    customer_id: str
    keys: list[str] = Field(description="Of source systems.")
    interactions: list[dict[str, Any]]
    attributes: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    identities: list[dict[str, Any]]
