"""Commands that look after a store: backup, retention, erasing and exporting a customer."""

import calendar
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
import sqlalchemy as sa

from features import clock
from features.console import settings_option
from features.errors import SourceError
from features.settings import Settings, read_settings
from serving.keeping import back_up
from serving.loading import open_store
from serving.settings import store_url
from serving.store import Store

NOT_WIPED = "Deleted; but somebody reads the store, and bytes are left in its log: run it again."


class Age(click.ParamType[tuple[int, str]]):
    """A number of days or of calendar years: ``90d``, ``3y``."""

    name = "age"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, str]:
        """Return the number and its unit, ``d`` or ``y``."""
        found = re.fullmatch(r"([1-9][0-9]{0,5})([dy])", str(value))
        if found is None:
            self.fail(f"'{value}' is no age such as 90d (days) or 3y (years)", param, ctx)
        return int(found[1]), found[2]


@click.command()
@settings_option
@click.argument("file", type=click.Path(path_type=Path))
def backup(settings_path: str, file: Path) -> None:
    """Copy a SQLite store into a new FILE while it serves."""
    size = back_up(store_url(read_settings(settings_path)), file)
    click.echo(f"{size / 1e6:,.1f} MB in {file}.")


@click.command()
@settings_option
@click.option("--older-than", required=True, type=Age(), help="Such as 3y (years) or 90d (days).")
@click.option("--yes", is_flag=True, help="Delete them; without it they are only counted.")
def retain(settings_path: str, older_than: tuple[int, str], yes: bool) -> None:
    """Delete interactions that happened, and decisions made, long ago."""
    settings = read_settings(settings_path)
    with _opened(settings) as store:
        since = before(store.now(), *older_than)
        found = store.retain(since, dry=not yes)
    told = (
        f"{found.interactions:,} interactions and {found.decisions:,} decisions from before "
        f"{clock.isoformat(since)}"
    )
    if not yes:
        raise click.UsageError(
            f"{told} would be deleted for ever; signals no longer see them, and scores of "
            "instants before that can no longer be computed again. Add --yes to delete them."
        )
    click.echo(f"Deleted {told}. Scores of instants before that cannot be computed again.")
    if not found.scrubbed:
        click.echo(NOT_WIPED, err=True)


@click.command()
@settings_option
@click.argument("customers", nargs=-1, required=True, metavar="CUSTOMER...")
def erase(settings_path: str, customers: tuple[str, ...]) -> None:
    """Erase all that is held of customers, for ever."""
    with _opened(read_settings(settings_path)) as store:
        for customer in customers:
            gone = store.erase(customer, wipe=False)
            click.echo(
                f"Erased under {gone.names} name(s): {gone.interactions:,} interactions, "
                f"{gone.attributes:,} attributes, {gone.identities:,} identities, "
                f"{gone.decisions:,} decisions, {gone.others:,} others."
            )
        if not store.scrub():
            click.echo(NOT_WIPED, err=True)


@click.command()
@settings_option
@click.argument("customer")
def export(settings_path: str, customer: str) -> None:
    """Print all that is held of a CUSTOMER as JSON."""
    with _opened(read_settings(settings_path)) as store:
        click.echo(json.dumps(store.export(customer), indent=2, ensure_ascii=False))


def add_commands(group: click.Group) -> None:
    """Add the commands to a command line."""
    for command in (backup, retain, erase, export):
        group.add_command(command)


def before(now: int, number: int, unit: str) -> int:
    """Return the instant that many days or calendar years before another, the year 1 at least.

    >>> clock.isoformat(before(1_709_164_800_000_000, 3, "y"))  # on 29 February
    '2021-02-28T00:00:00Z'
    """
    moment = clock.to_datetime(now)
    try:
        if unit == "d":
            return clock.to_instant(moment - timedelta(days=number), "UTC")
        year = moment.year - number
        day = min(moment.day, calendar.monthrange(year, moment.month)[1])
        return clock.to_instant(moment.replace(year=year, day=day), "UTC")
    except (OverflowError, ValueError) as error:
        raise click.BadParameter(f"{number}{unit} ago is before the year 1") from error


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    """Open the settings' store; what the database refuses is told, not traced."""
    with open_store(settings) as store:
        try:
            yield store
        except sa.exc.SQLAlchemyError as error:
            raise SourceError(
                "store",
                str(error.__cause__ or error).splitlines()[0],
                "a database that answers, with room on its disk",
                "Mend that, and run the command again.",
            ) from error
