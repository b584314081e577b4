"""Until: train as if it were an earlier moment, on what was known then."""

from dataclasses import replace
from datetime import datetime

from features import clock
from features.errors import DataError, SettingsError
from features.history import History
from features.settings import Settings


def as_of(settings: Settings, time: str) -> Settings:
    """Return the settings with their clock at a time in ISO 8601; as they are where it is empty.

    Raises:
        SettingsError: no such time, or one after the settings' clock.
    """
    if not time:
        return settings
    try:
        moment = datetime.fromisoformat(time)
        instant = clock.to_instant(moment, settings.project.timezone)
    except (ValueError, OverflowError) as error:
        raise SettingsError(
            "--until", f"'{time}'", "a time such as 2017-11-30", "Write year, month and day."
        ) from error
    now = settings.project.now()
    if now is not None and instant > now and not settings.reads_store:
        raise SettingsError(
            "--until",
            f"'{time}'",
            f"at most {clock.isoformat(now)}, the clock in {settings.path.name}",
            "Name an earlier time, or leave it out.",
        )
    return replace(settings, project=settings.project.model_copy(update={"clock": moment}))


def refuse_after_all(settings: Settings, history: History) -> None:
    """Refuse a clock after all that is known: what has not come yet would be taken for lost.

    Raises:
        DataError: ``--until`` lies after all that the sources hold, and no clock says otherwise.
    """
    stated = settings.raw["project"].get("clock")
    if stated is not None or settings.project.clock is None or history.report is None:
        return
    if not any(table.late for table in history.report.interactions):
        raise DataError(
            "--until",
            clock.isoformat(history.known_until),
            "a time before the last interaction",
            "Name an earlier time, or leave it out.",
        )
