"""What reading the sources found: counts, shares and examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from features import clock

LONGEST_EXAMPLE = 40


@dataclass(frozen=True, slots=True)
class Rejection:
    """Rows of a source rejected for one reason.

    ``examples`` are the most frequent values with their numbers of rows, most frequent first;
    empty where nothing was there, or where values are those of a person.
    """

    column: str
    count: int
    wanted: str
    remedy: str
    examples: tuple[tuple[str, int], ...] = ()
    missing: bool = False

    @property
    def got(self) -> str:
        """What was found instead."""
        if self.missing:
            return f"nothing in {rows(self.count)}"
        if not self.examples:
            return f"something else in {rows(self.count)}"
        told = ", ".join(f"{shortened(value)} (in {rows(n)})" for value, n in self.examples)
        others = self.count - sum(n for _, n in self.examples)
        return f"{told} and more (in {rows(others)})" if others else told


@dataclass(frozen=True, slots=True)
class Column:
    """A mapped column: how many rows hold nothing, and the least and greatest of the others."""

    name: str
    missing: int
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one source table; ``aside`` is the file with those rejected, if written."""

    label: str
    rows: int
    rejections: tuple[Rejection, ...] = ()
    aside: Path | None = None
    columns: tuple[Column, ...] = ()

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(each.count for each in self.rejections)


@dataclass(frozen=True, slots=True)
class Kind:
    """The interactions of one kind in one source; instants are microseconds since 1970 UTC.

    ``customers`` is ``None`` of a history in files, of which they are not counted.
    """

    name: str
    rows: int
    customers: int | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Interactions:
    """A table of interactions.

    Where its rows are lines, they are ``grouped`` into so many interactions. ``late`` rows are
    from after the clock; ``repeats`` had an id that came before, and ``conflicts`` counts the ids
    that came again with other content. ``assumed`` rows have no ``recorded_at``: it is taken to be
    ``occurred_at``; in ``early`` rows it lies before it.
    """

    table: Table
    grouped: int | None = None
    assumed: int = 0
    early: int = 0
    late: int = 0
    repeats: int = 0
    conflicts: int = 0
    conflict: str | None = None
    kinds: tuple[Kind, ...] = ()

    @property
    def right(self) -> int:
        """How many interactions its rows are that are right."""
        return self.table.rows - self.table.rejected if self.grouped is None else self.grouped


@dataclass(frozen=True, slots=True)
class Attributes:
    """A table of attributes; ``strangers`` are its customers without any interaction."""

    table: Table
    dated: bool
    customers: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Identities:
    """The table of identities: of how many keys and customers it speaks.

    ``silent`` keys have no interactions. Left out are the ``late`` identities, from after the
    clock, the ``contested``, which give a key to a second customer, and the ``circular``, which
    lead a key back to itself.
    """

    table: Table
    dated: bool
    keys: int = 0
    customers: int = 0
    silent: int = 0
    late: int = 0
    contested: int = 0
    circular: int = 0


@dataclass(frozen=True, slots=True)
class Offers:
    """Offers and what interactions say of them.

    ``orphans`` are acceptances of what had not been shown to that customer before; ``unknown``
    are the ids that interactions name and the table lacks, with their numbers of interactions.
    """

    offers: int
    accepted: int
    orphans: int
    unknown: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What reading a history found in each of its sources."""

    known_until: int
    interactions: tuple[Interactions, ...] = ()
    attributes: tuple[Attributes, ...] = ()
    offers: Offers | None = None
    identities: Identities | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was rejected or left out, a line each."""
        notes = [rejected(table) for table in self.tables if table.rejected]
        if late := sum(each.late for each in self.interactions):
            until = clock.isoformat(self.known_until)
            notes.append(f"left out {counted(late, 'interaction')} from after {until}")
        if repeats := sum(each.repeats for each in self.interactions):
            notes.append(
                f"left out {counted(repeats, 'interaction')} whose id came before in their source"
            )
        if conflicts := sum(each.conflicts for each in self.interactions):
            example = min(each.conflict for each in self.interactions if each.conflict is not None)
            notes.append(
                f"{counted(conflicts, 'id')}, such as {shortened(example)}, came again with "
                "other content: is the id that of one interaction? Only the first recorded "
                "of each is kept"
            )
        if self.identities:
            notes += list(left_out(self.identities))
        return tuple(notes)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table whose rows are checked one by one."""
        return (
            *(each.table for each in self.interactions),
            *(each.table for each in self.attributes),
            *((self.identities.table,) if self.identities else ()),
        )


def left_out(found: Identities) -> Iterator[str]:
    """Say which identities were left out, a line each."""
    if found.late:
        yield f"left out {found.late:,} of the identities: they are from after the clock"
    if found.contested:
        yield (
            f"left out {found.contested:,} of the identities: they give a key to another customer "
            "than the one known first"
        )
    if found.circular:
        yield f"left out {found.circular:,} of the identities: they lead a key back to itself"


def rejected(table: Table) -> str:
    """Return in a line how many rows of a table were rejected, and where they are."""
    where = f"; they are in {table.aside}" if table.aside else ""
    share = percent(table.rejected / table.rows)
    return f"{table.label}: rejected {table.rejected:,} of {rows(table.rows)} ({share}){where}"


def rows(count: int) -> str:
    """Return a number of rows in words.

    >>> rows(1), rows(1200)
    ('1 row', '1,200 rows')
    """
    return counted(count, "row")


def counted(count: int, what: str) -> str:
    """Return a number of things in words.

    >>> counted(1, "customer")
    '1 customer'
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share in percent; what is not none is not told as none.

    >>> percent(0.0), percent(0.25), percent(0.00001), percent(0.99999)
    ('0 %', '25 %', '<0.1 %', '>99.9 %')
    """
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def shortened(value: str) -> str:
    """Return a value in quotes on one line, cut when it is long."""
    return repr(value if len(value) <= LONGEST_EXAMPLE else value[:LONGEST_EXAMPLE] + "…")
