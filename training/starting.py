"""Starting: from tables that nobody has described to settings that were tried on them."""

import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
import duckdb
import numpy as np

from features import clock
from features.console import tell_notes
from features.errors import DataError, RapportError, SettingsError, SourceError
from features.history import History
from features.settings import DEMO, Settings
from features.sources.parsing import instants_of
from features.sources.reader import read_history
from features.sources.sorting import Table
from features.sources.zones import zone_of
from features.tables import is_database
from training.checking import check
from training.clashes import settled
from training.opening import opened
from training.proposal import Project, lines
from training.rhythm import HORIZONS, Rhythm, rhythm_of
from training.writing import line, plain, put

DRAFT = ("[churn]", 'horizon = "28d"', 'active = "56d"')
SHORTEST = (
    "[churn]",
    line("horizon", f"{HORIZONS[0]}d", "the shortest: the history is too short to choose one by"),
    line("active", f"{2 * HORIZONS[0]}d"),
)
STALE = 14 * clock.DAY
"""A history that ended longer ago than this is one of the past: its clock is fixed."""
NIGHT = (22, 23, 0, 1, 2, 3)
"""When the quiet hours begin, where people live by the clock."""


def init(
    sources: Sequence[str],
    out: Path,
    name: str | None,
    timezone: str | None,
    currency: str,
    force: bool,
) -> bool:
    """Look at tables, write settings that fit them, try these, and tell what is found.

    Args:
        sources: files, folders, globs, or database URLs.
        out: the settings file to write.
        name: of the project; by default that of its folder.
        timezone: of times without a zone; by default it is guessed.
        currency: of amounts.
        force: whether a file that is there is written over.

    Returns:
        Whether models could be trained from it.

    Raises:
        RapportError: a source cannot be read, or none holds interactions.
    """
    if out.exists() and not force:
        raise SettingsError(
            f"settings file '{out}'",
            "a file that is there already",
            "a new one",
            "Name another with --out, or write over it with --force.",
        )
    with duckdb.connect() as connection:
        tables = settled(opened(connection, sources, out.resolve().parent))
        for table in tables:
            told = f"{table.profile.label}: {table.section or 'left out'}, {table.why}"
            click.echo(plain(told))
        if not any(table.section == "interactions" for table in tables):
            raise SourceError(
                "sources",
                "no table with a customer and a time in every row",
                "at least one table of what happened between customers and the business",
                "Name its columns like customer_id and occurred_at, or write the settings by "
                "hand as README.md shows.",
            )
        zone, why = _zone(connection, tables, timezone)
    project = Project(name or out.resolve().parent.name, zone, why, currency)
    private = any(is_database(table.source) for table in tables)
    settings = put(out, _text(project, tables, DRAFT), private)
    try:
        click.echo("Reading the sources as proposed …")
        history = read_history(settings)
        try:
            rhythm = rhythm_of(history, settings.roles)
        except DataError:
            put(out, _text(project, tables, SHORTEST), private)
            raise
    except RapportError:
        click.echo(f"Wrote {out}; what follows is still wrong with it.", err=True)
        raise
    settings = put(out, _text(project, tables, [*_ended(history, zone), *_churn(rhythm)]), private)
    click.echo(f"Wrote {out}.")
    until = settings.project.now() or history.known_until
    return _tried(settings, replace(history, known_until=until), tables)


def _zone(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], given: str | None
) -> tuple[str, str]:
    """Return the time zone of times without one, and by what it was told."""
    if given is not None:
        clock.zone(given)
        return given, "of times without a zone"
    naive = [
        (table, column)
        for table in tables
        if table.found is not None and table.section == "interactions"
        for column in [table.profile.columns[table.found.columns["occurred_at"]]]
        if not column.zoned
    ]
    if not naive:
        return _zone_of_offsets(connection, tables)
    timed = [(table, column) for table, column in naive if column.timed]
    if not timed:
        return "UTC", "? the tables hold days: the zone in which they begin and end"
    hours = np.zeros(24)
    for table, column in timed:
        types = {
            name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {table.name}").fetchall()
        }
        read = instants_of(column.name, types[column.name], column.form)
        for hour, n in connection.execute(
            f"SELECT (({read.value}) // {clock.HOUR}) % 24 AS h, count(*) FROM {table.name} "
            f"WHERE ({read.value}) IS NOT NULL GROUP BY h"
        ).fetchall():
            hours[hour] += n
    quiet = int(np.argmin([np.roll(hours, -hour)[:6].sum() for hour in range(24)]))
    told = f"least happens from {quiet:02}:00 to {(quiet + 6) % 24:02}:00"
    if quiet in NIGHT:
        return "UTC", f"? name it, such as Europe/London: {told}"
    return "UTC", f"? {told}: is it another, such as America/New_York?"


def _zone_of_offsets(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]
) -> tuple[str, str]:
    for table in tables:
        if table.found is not None and table.section == "interactions":
            found = zone_of(connection, table.name, table.found.columns["occurred_at"])
            if found is not None:
                return found, "? by the offsets of its times; it says when a day begins"
    return "UTC", "? every time has its zone; this one says when a day begins"


def _ended(history: History, zone: str) -> Iterator[str]:
    """Yield the clock of a history that has ended: the midnight after it."""
    if time.time_ns() // 1000 - history.known_until < STALE:
        return
    last = clock.to_datetime(history.known_until - 1, zone)
    midnight = (last + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    told = f'clock = "{midnight:%Y-%m-%dT%H:%M:%S}"'
    yield f"{told:<34} # the history ended then; take it out once data are current"


def _churn(rhythm: Rhythm) -> Iterator[str]:
    churn = rhythm.churn
    yield "[churn]"
    if churn.definition == "exit":
        yield f'{"definition = "}"exit"{"":15} # an interaction of the role exit within the horizon'
    if rhythm.usual == rhythm.usual:
        said = (
            f"Half of the visits follow one another within {rhythm.usual:.0f} days, and three in "
            f"four of {rhythm.regular:,} regular customers are back within {rhythm.back:.0f} days "
            "nine times out of ten: a longer silence means something."
        )
        yield from (f"# {line}" for line in textwrap.wrap(said, 96))
    if rhythm.shortened:
        yield f"# {rhythm.shortened} would fit that, but the history is too short to test it."
    told = f'horizon = "{churn.horizon}"'
    yield f"{told:<34} # {rhythm.told}"
    told = f'active = "{churn.active}"'
    yield f"{told:<34} # whom it asks about: who came in this time before"


def _text(project: Project, tables: Sequence[Table], churn: Sequence[str]) -> str:
    return "\n".join(lines(project, tables, churn)) + "\n"


def _tried(settings: Settings, history: History, tables: Sequence[Table]) -> bool:
    """Tell what training would find by the settings, and what the data lack."""
    tell_notes(history)
    click.echo(
        "Computing a trial; the first on a machine compiles the engine, for some seconds …\n"
    )
    ready = check(settings, history, click.echo)
    click.echo("")
    for told in _lacking(settings, tables):
        click.echo(told)
    asked = sum("# ?" in told for told in settings.path.read_text(encoding="utf-8").splitlines())
    if asked:
        told = "line is a question" if asked == 1 else "lines are questions"
        click.echo(f"{asked} {told}: look for `# ?` in {settings.path}.")
    if ready:
        named = "" if str(settings.path) == DEMO else f" --settings {settings.path}"
        click.echo(f"Next: python -m training main{named}")
    return ready


def _lacking(settings: Settings, tables: Sequence[Table]) -> Iterator[str]:
    """Say what the data do not hold, and what cannot be seen without it."""
    held = {
        name for t in tables if t.section == "interactions" and t.found for name in t.found.columns
    }
    roles = settings.roles
    for there, what, without in (
        ("channel" in held, "channels", "which way of contact a customer prefers"),
        (bool(roles.negative), "complaints or returns", "trust, and quiet after bad experiences"),
        (bool(roles.contact), "contacts", "unsolved cases and repeated explanations"),
        (
            "recorded_at" in held,
            "times of recording",
            "what was known late: taken as known at once",
        ),
        (settings.offers is not None, "table of offers", "which offers to make"),
        (bool(settings.attributes), "table of facts about customers", "who they are"),
    ):
        if not there:
            yield f"  no {what}: cannot tell {without}"
