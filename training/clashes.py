"""Clashes: what tables that were found together cannot all be in one file of settings."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from features.sources.guessing import offers_columns
from features.sources.sorting import Table
from training.writing import plain

SINGLE = ("offers", "identities")
"""Sections that there is one of."""


def settled(tables: Sequence[Table]) -> list[Table]:
    """Return the tables with one of offers, one of identities, and interactions told apart.

    Of several it is the one of which most columns are known, then the one of most rows; the others
    are left out, with the reason.
    """
    best = {
        section: max(of, key=_worth)
        for section in SINGLE
        if (of := [table for table in tables if table.section == section])
    }
    labels: list[str] = []
    found = []
    for table in tables:
        if not table.profile.rows:
            table = replace(table, section=None, found=None, why="no row below its header")
        kept = best.get(table.section or "")
        if kept is not None and table.name != kept.name:
            table = _left_out(table, kept)
        if table.section == "interactions":
            label = _own_label(table, labels)
            table = replace(table, profile=replace(table.profile, label=label))
            labels.append(label)
        found.append(table)
    return found


def _worth(table: Table) -> tuple[int, int]:
    known = offers_columns(table.profile) if table.section == "offers" else {}
    return len(known), table.profile.rows


def _left_out(table: Table, kept: Table) -> Table:
    why = f"{table.why}, but there is one [{table.section}] alone, and '{kept.profile.label}' is it"
    return replace(table, section=None, found=None, why=why)


def _own_label(table: Table, taken: Collection[str]) -> str:
    """Return a label that no other has: of its folder, too, or numbered."""
    label = plain(table.profile.label) or "table"
    if label not in taken:
        return label
    folder = "" if table.query else plain(Path(table.source).parent.name)
    longer = [f"{folder}_{label}"] if folder else []
    return next(
        name
        for name in (*longer, *(f"{label}_{i}" for i in range(2, len(taken) + 3)))
        if name not in taken
    )
