"""``[policy]``: who may be contacted with what, when and how often."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from features import clock
from features.sections import Section, parse_days

ANY = "any"


class Eligibility(Section):
    """``[[policy.eligibility]]``: whom offers are for, by an attribute or a signal of theirs.

    Either ``attribute`` is compared with ``offer_attribute`` (what the offer itself says, where
    ``"any"`` is everybody) or with ``one_of``, or the number of ``attribute`` or ``signal`` lies in
    ``at_least`` to ``at_most``. Where ``topics`` are named it holds for offers of those alone.
    Who is unknown in this respect is not eligible.
    """

    attribute: str = ""
    signal: str = ""
    offer_attribute: str = ""
    one_of: tuple[str, ...] = ()
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    topics: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if bool(self.attribute) == bool(self.signal):
            raise ValueError("an eligibility names either an attribute or a signal")
        bounded = self.at_least is not None or self.at_most is not None
        if bool(self.offer_attribute) + bool(self.one_of) + bounded != 1:
            raise ValueError(
                "an eligibility compares with one of offer_attribute, one_of, or at_least and "
                "at_most"
            )
        if self.signal and not bounded:
            raise ValueError("a signal is a number: compare it by at_least or at_most")
        return self

    @property
    def named(self) -> str:
        """What it asks of a customer, in words."""
        return (self.attribute or self.signal).replace("_", " ")


class Policy(Section):
    """``[policy]``: the rules of contact. 0, false or an empty text switches a rule off.

    Caps count the offers shown to a customer. What a decision reserves counts until it is shown or
    ``reservation`` has passed; a month, also of ``per_offer`` and ``per_topic``, is 30 days.
    """

    eligibility: tuple[Eligibility, ...] = ()
    consent: str = Field(default="", description="The attribute that must say yes.")
    channel_consent: str = Field(
        default="", description="The attribute of each channel that must: 'consent_{channel}'."
    )
    quiet_after_complaint: str = "14d"
    quiet_while_open: bool = Field(default=True, description="Not while one of their cases is open")
    after_refusal: str = "30d"
    repeat_accepted: bool = False
    per_day: int = Field(default=5, ge=0)
    per_week: int = Field(default=10, ge=0)
    per_month: int = Field(default=20, ge=0)
    per_offer: int = Field(default=3, ge=0)
    per_topic: int = Field(default=6, ge=0)
    reservation: str = "1d"
    preferred_channel: str = "preferred_channel"
    minimum_customer_value: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    better_silent: bool = True
    control_share: float = Field(default=0.0, ge=0, le=1)

    @field_validator("quiet_after_complaint", "after_refusal", "reservation")
    @classmethod
    def _in_days(cls, text: str) -> str:
        parse_days(text)
        return text

    @field_validator("channel_consent")
    @classmethod
    def _of_each_channel(cls, text: str) -> str:
        if text and "{channel}" not in text:
            raise ValueError("the name of an attribute with {channel}, such as 'consent_{channel}'")
        return text

    @property
    def caps(self) -> tuple[tuple[int, int, str], ...]:
        """How many offers may be shown within how long (microseconds), and how that is called."""
        caps = ((self.per_day, 1, "day"), (self.per_week, 7, "week"), (self.per_month, 30, "month"))
        return tuple((most, days * clock.DAY, name) for most, days, name in caps if most)


def microseconds(duration: str) -> int:
    """Return a duration of the settings in microseconds.

    >>> microseconds("14d") == 14 * clock.DAY
    True
    """
    return parse_days(duration) * clock.DAY
