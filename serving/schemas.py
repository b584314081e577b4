"""Schemas of what is asked with POST: what a request may hold."""

import re
from datetime import datetime
from typing import Annotated, Any, Self

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

    customer_id: Id = Field(examples=["1"], description="Whom.")
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

    kind: Text = Field(
        examples=["purchase"], description="What happened: a kind that the settings' roles know."
    )
    occurred_at: Time = Field(
        examples=["2018-01-01T04:00:00Z"],
        description="ISO 8601; without a zone it is read in the project's.",
    )
    recorded_at: Any = Field(None, description="Ignored: the server stamps it.")
    interaction_id: Text | None = Field(
        None, examples=["a1"], description="Makes sending it again harmless, within its source."
    )
    source: Text = Field("api", description="The system it is from.")
    channel: Text | None = Field(None, examples=["store"], description="Through which channel.")
    topic: Text | None = Field(None, description="The product line or subject it was about.")
    case_id: Text | None = Field(None, description="Ties the contacts of one issue together.")
    offer_id: Text | None = Field(None, description="Which offer was shown, taken or declined.")
    amount: Number | None = Field(
        None, examples=[31.5], description="Money, in the project's currency."
    )
    wait_minutes: Number | None = Field(None, description="How long the customer waited.")
    rating: Number | None = Field(None, description="How they rated it, from 0 to 1.")
    resolved: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Whether the case is solved by it."
    )
    due_at: Time | None = Field(None, description="When what was promised is due. ISO 8601.")
    numbers: dict[Text, Number] = Field(
        default_factory=dict, description="Further columns that the settings declare."
    )


class InteractionIn(EventIn):
    """One interaction, as the client knows it; the server stamps when it was recorded."""

    customer_id: Text = Field(examples=["1"], description="Whose it is.")


class HistoryIn(Request):
    """A customer's history, to be scored and forgotten."""

    customer_id: Id = Field(examples=["anybody"], description="How the answer calls them.")
    interactions: list[EventIn] = Field(
        max_length=MOST_INTERACTIONS, description="All of theirs that are known, in any order."
    )
    attributes: dict[Id, Id | Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default_factory=dict, description="Facts about the customer, known since ever."
    )


class ChurnRequest(Request):
    """Customers to score: stored ones by id, or any by the histories given."""

    customers: list[Id] | None = Field(
        None,
        min_length=1,
        max_length=MOST_CUSTOMERS,
        examples=[["1", "1001"]],
        description="Whom to score by what is recorded of them.",
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
        description="Each is looked at alone: what is wrong with one keeps no other from being "
        "recorded.",
        json_schema_extra={"items": {"$ref": "#/components/schemas/InteractionIn"}},
    )
