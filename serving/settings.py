"""``[serving]``: the section of the settings that this layer owns."""

from pydantic import Field

from features.sections import Section
from features.settings import DEFAULT_STORE, Settings


class Serving(Section):
    """``[serving]``: where interactions and decisions are stored, and how much is taken on.

    ``store`` is a database URL; a relative SQLite path starts at the settings file's folder. More
    than ``most_requests`` at a time in one worker are turned away, and what has not been answered
    after ``timeout`` seconds is given up. The registry is asked for other models every
    ``models_every`` seconds.
    """

    store: str = DEFAULT_STORE
    workers: int = Field(1, ge=1, le=64)
    most_requests: int = Field(64, ge=1, le=10_000)
    timeout: float = Field(
        10.0, gt=0, le=30
    )  # BentoML gives up after 60, and a body has its time, too
    models_every: float = Field(10.0, gt=0, le=15)


def serving_of(settings: Settings) -> Serving:
    """Return the section ``[serving]``.

    Raises:
        SettingsError: a key of it is unknown or out of range.
    """
    return settings.section("serving", Serving)


def store_url(settings: Settings) -> str:
    """Return the store's URL, with a relative SQLite path made absolute."""
    serving_of(settings)  # what is wrong with the section is told
    return settings.store()
