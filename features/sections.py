"""Sections of the settings that describe the data: what each may hold."""

import re
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from features import clock
from features.composites import TRUST_HALF_LIFE


class Section(BaseModel):
    """A section of the settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Project(Section):
    """``[project]``: what the deployment is called, and how to read its times and money."""

    name: str
    timezone: str = "UTC"
    currency: str = ""
    clock: datetime | None = None

    @field_validator("clock", mode="before")
    @classmethod
    def _a_time(cls, moment: object) -> object:
        if moment is not None and not isinstance(moment, str | datetime):
            raise ValueError("the clock is a time such as '2018-01-01T00:00:00'")
        return moment

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        clock.zone(name)
        return name

    def now(self) -> int | None:
        """Return the instant at which the service's clock starts, when the settings fix one."""
        return None if self.clock is None else clock.to_instant(self.clock, self.timezone)


class SignalConstants(Section):
    """``[signals]``: constants that signals are smoothed and decayed with.

    ``trust_half_life`` is how long it takes until half of what a bad experience took has come
    back; ``offer_rate`` and ``offer_weight`` say towards which acceptance rate, and with the
    weight of how many offers, a customer's own rate is smoothed.
    """

    trust_half_life: str = f"{TRUST_HALF_LIFE}d"
    offer_rate: float = Field(default=0.1, ge=0, le=1)
    offer_weight: float = Field(default=5.0, gt=0)

    @field_validator("trust_half_life")
    @classmethod
    def _in_days(cls, text: str) -> str:
        if parse_days(text) == 0:
            raise ValueError("at least '1d'")
        return text

    @property
    def half_life_days(self) -> int:
        """The half-life of trust in days."""
        return parse_days(self.trust_half_life)


def parse_days(text: str) -> int:
    """Return the days of a duration such as ``"28d"``; windows are whole days of 24 hours.

    >>> parse_days("28d")
    28

    Raises:
        ValueError: not a number of days.
    """
    match = re.fullmatch(r"(\d{1,5})d", text)
    if not match:
        raise ValueError("a whole number of days up to 99999, such as '28d'")
    return int(match[1])


class Checks(Section):
    """``[checks]``: how much of a source may be wrong before reading it stops.

    ``rejected`` is the largest share of a source's rows that may be rejected.
    """

    rejected: float = Field(default=0.01, ge=0, le=1, allow_inf_nan=False, strict=True)


class Roles(Section):
    """``[roles]``: what kinds of interaction mean; a kind in no role goes under ``other``."""

    value: tuple[str, ...]
    detail: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    advocacy: tuple[str, ...] = ()
    exit: tuple[str, ...] = ()
    offer_shown: tuple[str, ...] = ()
    offer_accepted: tuple[str, ...] = ()
    offer_declined: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @field_validator("value")
    @classmethod
    def _some_value(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if not kinds:
            raise ValueError("at least one kind must carry value, for example value = ['purchase']")
        return kinds

    def kinds(self, role: str) -> tuple[str, ...]:
        """Return the kinds of a role, sorted."""
        found: tuple[str, ...] = getattr(self, role)
        return tuple(sorted(set(found)))

    def all_kinds(self) -> frozenset[str]:
        """Return every kind that some role knows."""
        return frozenset(kind for role in type(self).model_fields for kind in self.kinds(role))
