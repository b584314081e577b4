"""Schemas of the API: what a request may hold, and what an answer does."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MOST_CUSTOMERS, MOST_INTERACTIONS = 1_000, 10_000
Id = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text = Annotated[Id, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]


def _only_text(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("a time in ISO 8601, such as 2018-01-01T04:00:00Z")
    return value


Time = Annotated[datetime, BeforeValidator(_only_text)]


class Request(BaseModel):
    """Unknown keys are refused, and text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ChurnRequest(Request):
    """Customers to score."""

    customers: list[Id] = Field(min_length=1, max_length=MOST_CUSTOMERS, examples=[["1", "1001"]])
    reasons: int = Field(3, ge=0, le=20, description="How many reasons to give for each.")


class OffersRequest(Request):
    """A customer to make offers to."""

    customer_id: Id = Field(examples=["1"])
    channel: Id | None = Field(None, examples=["post"], description="Where they would be made.")
    limit: int = Field(3, ge=1, le=100, description="How many offers to rank at most.")
    reasons: int = Field(2, ge=0, le=20, description="How many reasons to give for each.")
    offers: list[Id] | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="Offers to consider; by default those that can be accepted now.",
    )
    reserve: bool = Field(
        True,
        description="Whether they will be shown. What is reserved counts for the caps until it is "
        "shown (an interaction of the kind that says so) or the reservation has passed; ask with "
        "false to look only.",
    )


class InteractionIn(Request):
    """One interaction, as the client knows it; the server stamps when it was recorded."""

    model_config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False)

    customer_id: Text = Field(examples=["1"])
    kind: Text = Field(examples=["purchase"])
    occurred_at: Time = Field(
        examples=["2018-01-01T04:00:00Z"],
        description="ISO 8601; without a zone it is read in the project's.",
    )
    recorded_at: Any = Field(None, description="Ignored: the server stamps it.")
    interaction_id: Text | None = Field(
        None, examples=["a1"], description="Makes sending it again harmless, within its source."
    )
    source: Text = Field("api", description="The system it is from.")
    channel: Text | None = None
    topic: Text | None = None
    case_id: Text | None = None
    offer_id: Text | None = None
    amount: Number | None = Field(None, examples=[31.5])
    wait_minutes: Number | None = None
    rating: Number | None = None
    resolved: Annotated[bool, Field(strict=True)] | None = None
    due_at: Time | None = None
    numbers: dict[Text, Number] = Field(
        default_factory=dict, description="Further columns that the settings declare."
    )


class InteractionsRequest(Request):
    """Interactions to record."""

    interactions: list[Any] = Field(
        min_length=1,
        max_length=MOST_INTERACTIONS,
        json_schema_extra={"items": {"$ref": "#/components/schemas/InteractionIn"}},
    )


class Rejected(BaseModel):
    """An interaction that was not recorded, by its place in the request."""

    index: int
    field: str
    got: str
    wanted: str
    remedy: str


class InteractionsResponse(BaseModel):
    """What became of a batch."""

    accepted: int = Field(description="New, and durable now.")
    duplicates: int = Field(description="Recorded before with the same content.")
    rejected: list[Rejected]


class ModelOut(BaseModel):
    """The model that answered."""

    name: str
    version: str
    alias: str


class SignalOut(BaseModel):
    """A signal's value and its effect in probability points."""

    name: str
    value: float | str | None
    effect: float


class ReasonOut(BaseModel):
    """A group of signals of one meaning: its effect in probability points, in words."""

    group: str
    effect: float
    text: str
    signals: list[SignalOut]


class ScoreOut(BaseModel):
    """A customer's risk. Effects and ``other_effect`` add up to ``probability - baseline``."""

    customer_id: str
    status: Literal["in_cohort", "lapsed", "unknown"]
    probability: float
    baseline: float
    base_rate: float
    band: Literal["low", "medium", "high", "lapsed", "unknown"] = Field(
        description="By the money of [value]: high where contacting pays, medium where it would at "
        "twice the risk. Where the settings state none, thirds of the cohort."
    )
    value_at_risk: float | None = Field(
        description="Probability times what would be lost; null where nothing says."
    )
    contacting_pays: bool | None = Field(
        description="Whether probability * save_rate * at_risk is above contact_cost."
    )
    reasons: list[ReasonOut]
    other_effect: float


class ChurnResponse(BaseModel):
    """Risks, in the order of the request."""

    model: ModelOut
    as_of: str
    scores: list[ScoreOut]


class OfferOut(BaseModel):
    """An offer that may be made: ``expected_value`` is ``probability * value - cost``."""

    offer_id: str
    channel: str | None = Field(description="Where: the preferred channel first; null is anywhere.")
    probability: float
    expected_value: float
    value: float
    cost: float
    customer_value: float
    baseline: float
    reasons: list[ReasonOut]
    other_effect: float


class RuleOut(BaseModel):
    """A rule that holds an offer back, and the fact behind it."""

    rule: Literal[
        "validity",
        "channel",
        "consent",
        "eligibility",
        "benefit",
        "accepted",
        "refusal",
        "complaint",
        "open_case",
        "control",
        "frequency",
        "silence",
    ]
    because: str


class HeldBackOut(BaseModel):
    """An offer that is not made, and every rule that holds it back."""

    offer_id: str
    rules: list[RuleOut]


class OffersResponse(BaseModel):
    """Offers worth making, best first, and those held back."""

    model: ModelOut
    as_of: str
    customer_id: str
    status: Literal["known", "unknown"]
    decision_id: str = Field(description="Names this decision in the log.")
    reserved: bool = Field(description="Whether the ranked offers count for the caps.")
    ranked: list[OfferOut]
    held_back: list[HeldBackOut]
    silent: str | None = Field(description="Why nothing is proposed; null where something is.")


class Problem(BaseModel):
    """What is wrong with a request: the subject, the value got, the value wanted, the remedy."""

    subject: str
    got: str
    wanted: str
    remedy: str


class ErrorResponse(BaseModel):
    """An error."""

    error: Problem
