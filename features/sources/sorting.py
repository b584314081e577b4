"""Sorting: which of a deployment's tables are interactions, attributes, offers or identities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import duckdb

from features.interactions import COLUMNS
from features.rules import REQUIRED
from features.sources.guessing import (
    SECONDS,
    Found,
    customer_column,
    guess,
    offer_column,
    seconds_column,
    time_columns,
)
from features.sources.kinds import kind_of
from features.sources.parsing import quoted
from features.sources.people import is_about_people, learnt_later
from features.sources.profile import Profile, profile_of
from features.sources.tables import first_row
from features.sources.totals import repeated

Section = Literal["interactions", "attributes", "identities", "offers"]
ALIKE = 0.5
"""The share of a table's customers that another must name to be about the same ones."""
LINES = 1.02
"""Rows for each value of a column from which on they are lines of one thing, not repeats."""
ONE_CUSTOMER = 0.98


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the settings would describe it.

    ``source`` and ``query`` are as the settings name it, ``name`` is its table in the database
    that it was read into. ``section`` is ``None`` where it could not be told what it is, and
    ``why`` says by what it was, or why not; ``asks`` when it may be something else.
    """

    source: str
    query: str | None
    name: str
    profile: Profile
    section: Section | None = None
    found: Found | None = None
    why: str = ""
    asks: bool = False

    @property
    def learnt_later(self) -> list[str]:
        """The columns of undated facts that hold what only time has shown."""
        return learnt_later(self.profile)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its interactions."""
        if self.found is None:
            return ()
        column = self.found.columns.get("kind")
        return (self.kind,) if column is None else self.profile.columns[column].values

    @property
    def kind(self) -> str:
        """The kind of all its rows, by its name, where no column says so."""
        assert self.found is not None  # of interactions alone
        told = kind_of(self.profile.label)
        if told is not None:
            return told
        return "purchase" if "amount" in self.found.columns else "visit"

    @property
    def unused(self) -> list[str]:
        """Our names that columns have which are left out: such a column is read unless told."""
        if self.found is None:
            return []
        told = {"source", "kind"}  # the one is never read, the other is a constant
        return [name for name in self.found.left if name in COLUMNS and name not in told]

    @property
    def unreadable(self) -> float:
        """The share of its rows, at most, that lack what they need or cannot be read."""
        if self.found is None:
            return 0.0
        columns = self.profile.columns
        found = {**self.found.columns, **self.found.numbers}
        needed = {found[name] for name in REQUIRED if name in found}
        read = {part for of in found.values() for part in parts_of(of, self.profile)}
        missing = sum(columns[name].missing for name in needed)
        return min(1.0, missing + sum(columns[c].unread * columns[c].given for c in read))

    @property
    def has_returns(self) -> bool:
        """Whether there are negative amounts, and no column of kinds to say what they are."""
        amount = self.found.columns.get("amount") if self.found else None
        if self.found is None or amount is None or "kind" in self.found.columns:
            return False
        return any(self.profile.columns[part].negative for part in parts_of(amount, self.profile))


def parts_of(column: str, profile: Profile) -> list[str]:
    """Return the columns that a column of numbers is the product of, itself when it is none."""
    return [column] if column in profile.columns else [part.strip() for part in column.split("*")]


def look(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[str, str | None, str, str]]
) -> list[Table]:
    """Look at every table and say what it is.

    Args:
        connection: where they are.
        tables: for each its source and query, its name in the database and what it is called.
    """
    seen = [
        Table(source, query, name, profile_of(connection, label, name))
        for source, query, name, label in tables
    ]
    sorted_ = [_alone(connection, table) for table in seen]
    return [_identities(connection, table, sorted_) for table in sorted_]


def _alone(connection: duckdb.DuckDBPyConnection, table: Table) -> Table:
    """Say what a table is by itself."""
    profile = table.profile
    who, offer = customer_column(profile), offer_column(profile)
    if who is None and offer is not None and offer.distinct == profile.rows:
        return replace(table, section="offers", why=f"one row for each '{offer.name}'")
    if who is None:
        return replace(table, why="no column that looks like a customer's id")
    found = guess(profile)
    about_people = is_about_people(profile, who, found)
    if about_people or (about_people is None and found is None):
        return replace(table, section="attributes", why=f"facts about each '{who.name}'")
    if found is None:
        seconds = seconds_column(profile)
        why = "no column of times that can be read"
        why += f"; '{seconds.name}' looks like {SECONDS}" if seconds else ""
        return replace(table, why=why)
    if found.group is not None:
        found = _lines(connection, table, found)
    when = found.columns["occurred_at"]
    why = f"'{who.name}' and a time, '{when}'"
    if about_people is None:
        why += "; each customer once: or are these facts about them, [[attributes]]?"
    return replace(table, section="interactions", found=found, why=why, asks=about_people is None)


def _lines(connection: duckdb.DuckDBPyConnection, table: Table, found: Found) -> Found:
    """Keep a group whose rows are lines of one customer's thing; an id that hardly repeats is one.

    Of another column it is not known what it says.
    """
    assert found.group is not None  # who calls asked
    group, who = quoted(found.group), quoted(found.columns["customer_id"])
    rows, groups, single = first_row(
        connection,
        f"SELECT sum(n), count(*), avg((c <= 1)::INT) FROM (SELECT count(*) AS n, "
        f"count(DISTINCT {who}) AS c FROM {table.name} GROUP BY {group})",
    )
    if single < ONE_CUSTOMER:
        left = found.left | {found.group: "several customers share its values"}
        return replace(found, group=None, left=left)
    if rows / groups < LINES:
        return replace(found, group=None, columns=found.columns | {"interaction_id": found.group})
    keys = [found.group, found.columns["customer_id"]]
    keys += [found.columns["kind"]] if "kind" in found.columns else []
    return guess(table.profile, repeated(connection, table.name, table.profile, keys)) or found


def _identities(
    connection: duckdb.DuckDBPyConnection, table: Table, others: Sequence[Table]
) -> Table:
    """Say of a table whose columns name the customers of different sources that it joins them."""
    if table.section in ("interactions", "offers") and len(table.profile.columns) > 3:
        return table
    ids = [c.name for c in table.profile.columns.values() if not c.is_time and c.distinct > 2]
    speaking = {
        column: [each for each in others if _names(connection, table, column, each)]
        for column in ids
    }
    spoken = {column: found for column, found in speaking.items() if found}
    if len(spoken) < 2:
        return table
    # The column by which most rows are known already is the customer; the other one is a key.
    size = {c: sum(t.profile.rows for t in found) for c, found in spoken.items()}
    customer, key = sorted(spoken, key=lambda c: -size[c])[:2]
    if {t.name for t in spoken[customer]} == {t.name for t in spoken[key]}:
        return table
    columns = {"key": key, "customer_id": customer}
    times = time_columns(table.profile)
    columns |= {"known_at": times[0].name} if times else {}
    form = times[0].form if times else None
    of = " and ".join(sorted({t.profile.label for found in spoken.values() for t in found}))
    return replace(
        table,
        section="identities",
        found=Found(columns, time_format=form),
        why=f"its columns name the customers of {of}",
    )


def _names(connection: duckdb.DuckDBPyConnection, table: Table, column: str, other: Table) -> bool:
    """Whether a column holds most of the customers of another table of interactions."""
    if other.name == table.name or other.section != "interactions" or other.found is None:
        return False
    who = quoted(other.found.columns["customer_id"])
    (share,) = first_row(
        connection,
        f"SELECT coalesce(avg((w IN (SELECT {quoted(column)}::VARCHAR FROM {table.name}))::INT), 0)"
        f" FROM (SELECT DISTINCT {who}::VARCHAR AS w FROM {other.name} WHERE {who} IS NOT NULL)",
    )
    return float(share) >= ALIKE
