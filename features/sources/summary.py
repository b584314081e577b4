"""The check report as text: aligned, and quiet on what is fine."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc

from features import clock
from features.history import History
from features.identities import owners
from features.interactions import INSTANTS
from features.sources import report
from features.sources.report import Report, counted, percent, rows, shortened

INDENT = "  "
UNKNOWN_SHOWN = 5


def lines(settings: Path, history: History) -> Iterator[str]:
    """Write what reading a history found, for people."""
    customers = len(
        owners(history.identities, pc.unique(history.interactions["customer_id"])).unique()
    )
    yield (
        f"{settings}: {counted(len(history.interactions), 'interaction')} of "
        f"{counted(customers, 'customer')}, "
        f"known until {clock.isoformat(history.known_until)}"
    )
    found = history.report
    if found is None:
        return
    for each in found.interactions:
        yield ""
        yield from _interactions(each)
    for attributes in found.attributes:
        yield ""
        yield from _attributes(attributes, history)
    if found.identities:
        yield ""
        yield from _identities(found.identities)
    if found.offers and (found.offers.offers or found.offers.accepted):
        yield ""
        yield from _offers(found.offers)
    yield from _closing(found)


def _interactions(found: report.Interactions) -> Iterator[str]:
    yield from _heading(found.table)
    if found.grouped is not None:
        lines = found.table.rows - found.table.rejected
        yield f"{INDENT}{rows(lines)} are lines of {counted(found.grouped, 'interaction')}"
    yield from _aligned(
        [
            (
                kind.name,
                f"{kind.rows:,}",
                f"of {counted(kind.customers or 0, 'customer')}",
                f"{clock.isoformat(kind.first)} to {clock.isoformat(kind.last)}",
            )
            for kind in found.kinds
        ],
        right=(1,),
    )
    right = found.right
    empty = [column.name for column in found.table.columns if right and column.missing == right]
    yield from _aligned(
        [
            (column.name, _range(column), _missing(column, right))
            for column in found.table.columns
            if (column.missing or column.least is not None) and column.name not in empty
        ]
    )
    if empty:
        yield f"{INDENT}empty in every row: {', '.join(empty)}"
    if found.late:
        yield f"{INDENT}{rows(found.late)} from after the clock left out"
    if found.repeats:
        yield f"{INDENT}{rows(found.repeats)} left out whose interaction_id came before"
    if found.conflict is not None:
        yield (
            f"{INDENT}{counted(found.conflicts, 'id')}, such as {shortened(found.conflict)}, came "
            "again with other content: is the id that of one interaction?"
        )
    if 0 < found.assumed < right:
        yield f"{INDENT}{rows(found.assumed)} without recorded_at: it is taken to be occurred_at"
    if found.early:
        yield f"{INDENT}{rows(found.early)} recorded before they occurred: are the two mixed up?"


def _attributes(found: report.Attributes, history: History) -> Iterator[str]:
    yield from _heading(found.table)
    since = "from their dates on" if found.dated else "since ever: the table has no dates"
    strangers = f", {found.strangers:,} of them without interactions" if found.strangers else ""
    yield f"{INDENT}{counted(found.customers, 'customer')}{strangers}; known {since}"
    right = found.table.rows - found.table.rejected
    yield from _aligned(
        [
            (
                column.name,
                "a number" if history.attribute_numbers[column.name] else "a category",
                _missing(column, right),
            )
            for column in sorted(found.table.columns, key=lambda column: column.name)
        ]
    )


def _identities(found: report.Identities) -> Iterator[str]:
    yield from _heading(found.table)
    since = "from their dates on" if found.dated else "since ever: the table has no dates"
    silent = f", {found.silent:,} of them without interactions" if found.silent else ""
    whose = f"{counted(found.keys, 'key')} of {counted(found.customers, 'customer')}"
    yield f"{INDENT}{whose}{silent}; known {since}"
    for line in report.left_out(found):
        yield INDENT + line


def _offers(found: report.Offers) -> Iterator[str]:
    yield f"offers: {found.offers:,}"
    if found.orphans:
        yield (
            f"{INDENT}{found.orphans:,} of {found.accepted:,} acceptances are of an offer that "
            "had not been shown to the customer: they teach nothing"
        )
    if found.unknown:
        names = ", ".join(shortened(name) for name, _ in found.unknown[:UNKNOWN_SHOWN])
        more = ", …" if len(found.unknown) > UNKNOWN_SHOWN else ""
        count = sum(n for _, n in found.unknown)
        yield (
            f"{INDENT}{counted(len(found.unknown), 'offer')} that {counted(count, 'interaction')} "
            f"name are not in the table: {names}{more}"
        )


def _closing(found: Report) -> Iterator[str]:
    assumed = [
        each.table.label
        for each in found.interactions
        if each.assumed and each.assumed == each.right
    ]
    if assumed:
        yield ""
        yield f"recorded_at is not mapped and taken to be occurred_at: {', '.join(assumed)}"


def _heading(table: report.Table) -> Iterator[str]:
    yield f"{table.label}: {rows(table.rows)}"
    if not table.rejected:
        return
    where = f", written to {table.aside}" if table.aside else ""
    yield f"{INDENT}rejected: {rows(table.rejected)}, {percent(table.rejected / table.rows)}{where}"
    cells = [
        (f"{each.count:,}", f"column '{each.column}': got {each.got}; wanted {each.wanted}")
        for each in sorted(table.rejections, key=lambda each: -each.count)
    ]
    for line in _aligned(cells, right=(0,)):
        yield INDENT + line


def _range(column: report.Column) -> str:
    if column.least is None or column.greatest is None:
        return ""
    if column.name in (*INSTANTS, "due_at"):
        return f"{clock.isoformat(int(column.least))} to {clock.isoformat(int(column.greatest))}"
    return f"{column.least:,.6g} to {column.greatest:,.6g}"


def _missing(column: report.Column, of: int) -> str:
    return f"{percent(column.missing / of)} missing" if column.missing else ""


def _aligned(cells: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> Iterator[str]:
    """Lay out rows of cells in columns."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield (INDENT + "  ".join(padded)).rstrip()
