"""``[serving]``: the section of the settings that this layer owns."""

from features.sections import Section
from features.settings import Settings


class Serving(Section):
    """``[serving]``: where interactions and decisions are stored, a database URL.

    A relative SQLite path starts at the settings file's folder.
    """

    store: str = "sqlite:///var/rapport.db"


def store_url(settings: Settings) -> str:
    """Return the store's URL, with a relative SQLite path made absolute."""
    return settings.database(settings.section("serving", Serving).store)
