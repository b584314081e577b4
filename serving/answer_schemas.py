"""Schemas of answers to what is asked with POST, and of errors."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """What is said of a field below it is told in the API's document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Rejected(Answer):
    """An interaction that was not recorded, by its place in the request."""

    index: int
    """Its place, from 0."""
    field: str
    """What is wrong with it."""
    got: str
    """What it is."""
    wanted: str
    """What it should be."""
    remedy: str
    """What to do."""


class InteractionsResponse(Answer):
    """What became of a batch."""

    accepted: int
    """New, and durable now."""
    duplicates: int
    """Recorded before with the same content."""
    rejected: list[Rejected]
    """Not recorded; the others are."""


class ModelOut(Answer):
    """A model by its name in the registry."""

    name: str
    """Its name in the registry."""
    version: str
    """Its version there."""
    alias: str
    """The alias under which it serves."""


class SignalOut(Answer):
    """A signal's value and its effect in probability points."""

    name: str
    """The signal, as `python -m features signals` and docs/signals.md call it."""
    value: float | str | None
    """Its value; null is missing."""
    effect: float
    """Probability points that it adds, or takes away."""


class ReasonOut(Answer):
    """A group of signals of one meaning: its effect in probability points, in words."""

    group: str
    """What the signals are about."""
    effect: float
    """Probability points that they add together, or take away."""
    text: str
    """The same in words, to be read to a person."""
    signals: list[SignalOut]
    """Those with an effect, the strongest first."""


class ScoreOut(Answer):
    """A customer's risk. Effects and ``other_effect`` add up to ``probability - baseline``."""

    customer_id: str
    """Whose; who was asked for by a key is told by their own name."""
    status: Literal["in_cohort", "lapsed", "unknown"]
    """Whether the model speaks for them: `lapsed` are gone already, of `unknown` nothing is
    recorded and the base rate is told."""
    probability: float
    """Of leaving within the horizon of the settings."""
    baseline: float
    """What the effects start from: the risk where nothing is known of anybody."""
    base_rate: float
    """The share of those who left, in training."""
    band: Literal["low", "medium", "high", "lapsed", "unknown"]
    """By the money of [value]: high where contacting pays, medium where it would at twice the risk.
    Where the settings state none, thirds of the cohort."""
    value_at_risk: float | None
    """Probability times what would be lost; null where nothing says."""
    contacting_pays: bool | None
    """Whether probability * save_rate * at_risk is above contact_cost."""
    reasons: list[ReasonOut]
    """What moves the risk most, up or down, the strongest first."""
    other_effect: float
    """Probability points of all that is no reason here."""


class ChurnResponse(Answer):
    """Risks, in the order of the request."""

    model: ModelOut
    """Which model says so."""
    as_of: str
    """By what was known before this instant, UTC: asked for again it gives the same scores."""
    scores: list[ScoreOut]
    """One for each customer asked about."""


class OfferOut(Answer):
    """An offer that may be made: ``expected_value`` is ``probability * value - cost``."""

    offer_id: str
    """Which."""
    channel: str | None
    """Where: the preferred channel first; null is anywhere."""
    probability: float
    """Of being accepted."""
    expected_value: float
    """What proposing it is expected to bring; offers are ranked by it."""
    value: float
    """What the business gains if it is accepted."""
    cost: float
    """What proposing it costs."""
    customer_value: float
    """What the customer gains."""
    baseline: float
    """What the effects start from."""
    reasons: list[ReasonOut]
    """What speaks for the customer's interest, or against it, the strongest first."""
    other_effect: float
    """Probability points of all that is no reason here."""


class RuleOut(Answer):
    """A rule that holds an offer back, and the fact behind it."""

    rule: Literal[
        "validity",
        "stock",
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
    """As docs/policy.md calls it."""
    because: str
    """The fact, in words."""


class HeldBackOut(Answer):
    """An offer that is not made, and every rule that holds it back."""

    offer_id: str
    """Which."""
    rules: list[RuleOut]
    """All that hold it back."""


class OffersResponse(Answer):
    """Offers worth making, best first, and those held back."""

    model: ModelOut
    """Which model says so."""
    as_of: str
    """By what was known before this instant, UTC."""
    customer_id: str
    """To whom; who was asked for by a key is told by their own name."""
    status: Literal["known", "unknown"]
    """Whether anything is recorded of them."""
    decision_id: str
    """Names this decision in the log."""
    reserved: bool
    """Whether the ranked offers count for the caps."""
    ranked: list[OfferOut]
    """Worth making, the best first."""
    held_back: list[HeldBackOut]
    """Not to be made, and why."""
    silent: str | None
    """Why nothing is proposed; null where something is."""


class Problem(Answer):
    """What is wrong with a request."""

    subject: str
    """What is wrong."""
    got: str
    """What it is."""
    wanted: str
    """What it should be."""
    remedy: str
    """What to do."""


class ErrorResponse(Answer):
    """An error."""

    error: Problem
    """What is wrong with the request, or with the service."""
