"""Schemas of the API: what a request may hold, and what an answer does."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

MOST_CUSTOMERS, MOST_INTERACTIONS = 1_000, 10_000
LONGEST_ID = 500
NO_NULL = r"^[^\x00]*$"
"""What text any database takes; half of a surrogate pair is refused before it is looked at."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=NO_NULL)]
Text = Annotated[Id, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]


def _only_text(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("a time in ISO 8601, such as 2018-01-01T04:00:00Z")
    return value


Time = Annotated[datetime, BeforeValidator(_only_text), Field(strict=False)]


class Request(BaseModel):
    """Unknown keys are refused, and text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


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


class EventIn(Request):
    """One interaction of a customer; what was known when is told by ``occurred_at``."""

    model_config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False)

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


class InteractionIn(EventIn):
    """One interaction, as the client knows it; the server stamps when it was recorded."""

    customer_id: Text = Field(examples=["1"])


class HistoryIn(Request):
    """A customer's history, to be scored and forgotten."""

    customer_id: Id = Field(examples=["anybody"])
    interactions: list[EventIn] = Field(max_length=MOST_INTERACTIONS)
    attributes: dict[Id, Id | Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default_factory=dict, description="Facts about the customer, known since ever."
    )


class ChurnRequest(Request):
    """Customers to score: stored ones by id, or any by the histories given."""

    customers: list[Id] | None = Field(
        None, min_length=1, max_length=MOST_CUSTOMERS, examples=[["1", "1001"]]
    )
    histories: list[HistoryIn] | None = Field(
        None,
        min_length=1,
        max_length=MOST_CUSTOMERS,
        examples=[None],
        description="Histories to score instead; nothing of them is stored.",
    )
    as_of: Time | None = Field(
        None,
        examples=[None],
        description="By what was known before this instant; by default by all that is recorded. "
        "ISO 8601; without a zone it is read in the project's.",
    )
    reasons: int = Field(3, ge=0, le=20, description="How many reasons to give for each.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.customers is None) == (self.histories is None):
            raise ValueError("either `customers` or `histories`")
        return self


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
    """A model by its name in the registry."""

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
