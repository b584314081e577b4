"""The proposal: settings for tables that nobody has described, each guess with its reason."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import redacted
from features.sources.fitting import is_named
from features.sources.guessing import customer_column, offers_columns
from features.sources.kinds import roles_of
from features.sources.profile import Column
from features.sources.report import counted, percent, rows
from features.sources.sorting import Table
from training.writing import heading, line, remark

WIDTH = 40
RETURN = "return"
ROLES = {
    "value": "what they come for; who has none for long is lost",
    "detail": "parts of a value interaction",
    "negative": "bad experiences",
    "contact": "they turned to you",
    "advocacy": "they spoke for you",
    "exit": "they left",
    "offer_shown": "you offered something",
    "offer_accepted": "and they took it",
    "offer_declined": "or refused it",
    "other": "no special meaning; move what has one",
}


@dataclass(frozen=True, slots=True)
class Project:
    """What no table says: how the deployment is called, where its clocks stand, its money."""

    name: str
    timezone: str
    why_timezone: str
    currency: str


def lines(project: Project, tables: Sequence[Table], churn: Sequence[str]) -> Iterator[str]:
    """Write the settings file, line by line.

    Args:
        project: what no table says.
        tables: what was found in them.
        churn: the lines of ``[churn]``, and of what else only the whole history tells.
    """
    of = {section: [t for t in tables if t.section == section] for section in SECTIONS}
    yield "# Proposed by `python -m training init`: read it, mend what is wrong, then run"
    yield "#   python -m training check     what models would learn from it"
    yield "#   python -m training main      train, test and register them"
    yield ""
    yield "[project]"
    yield line("name", project.name)
    yield line("timezone", project.timezone, project.why_timezone)
    why = (
        ""
        if project.currency or not any(kinds_of(of["interactions"]).values())
        else '? such as "EUR": it is shown beside amounts'
    )
    yield line("currency", project.currency, why)
    yield from (told for told in churn if told.startswith("clock"))
    for section, write in SECTIONS.items():
        for table in of[section]:
            yield ""
            yield from write(table)
    for table in tables:
        if table.section is None:
            yield ""
            yield remark(f"{redacted(table.source)}{_within(table)} is left out: {table.why}.")
    yield ""
    yield from _roles(of["interactions"], bool(of["offers"]))
    yield from _checks(of["interactions"])
    yield ""
    yield from (told for told in churn if not told.startswith("clock"))
    yield ""
    yield "# [value]                          # says whom contacting pays for; assume, then measure"
    yield "# at_risk = 100.0                  # lost with a customer: an amount, or a signal's name"
    yield "# contact_cost = 2.0               # of one contact"
    yield "# save_rate = 0.1                  # the share of those about to leave whom it keeps"


def _interactions(table: Table) -> Iterator[str]:
    assert table.found is not None  # it is of this section
    found = table.found
    asked = "? " if table.asks else ""
    yield heading("[[interactions]]", f"{asked}{rows(table.profile.rows)}: {table.why}")
    yield from _source(table)
    if "kind" not in found.columns:
        yield line("kind", table.kind, "of every row, by the name of the table")
    if table.has_returns:
        yield line("returns", RETURN, "the kind of what has a negative amount")
    if found.group is not None:
        n = table.profile.columns[found.group].distinct
        yield line("group", found.group, f"its rows are lines of {n:,} purchases")
        yield line("sums", [*found.sums], "added up over the lines; the rest once")
    if found.time_format is not None:
        yield line("time_format", found.time_format, _swapped(table))
    if found.decimal != ".":
        yield line("decimal", found.decimal)
    yield from _columns("interactions", table, found.columns)
    for name in table.unused:
        yield line(name, "", "left out, see below")
    if found.numbers:
        yield heading("[interactions.numbers]", "further numbers, each with signals of its own")
        for name, column in found.numbers.items():
            yield line(name, column, _described(table, column))
    for column, why in found.left.items():
        yield remark(f'left out: "{column}", {why}')


def _attributes(table: Table) -> Iterator[str]:
    yield heading("[[attributes]]", f"{rows(table.profile.rows)}: {table.why}")
    yield from _source(table)
    who = customer_column(table.profile)
    assert who is not None  # it is of this section
    columns = {"customer_id": who.name}
    times = [c for c in table.profile.columns.values() if c.is_time]
    if times and set(times[0].words) & {"known", "recorded", "updated", "since"}:
        columns["known_at"] = times[0].name
    if times and times[0].form:
        yield line("time_format", times[0].form)
    if "known_at" not in columns and table.learnt_later:
        yield "# ? undated facts are taken as known since ever: take out of the table what was"
        yield remark(f"  learnt later, such as {', '.join(table.learnt_later)}")
    yield from _columns("attributes", table, columns)


def _identities(table: Table) -> Iterator[str]:
    assert table.found is not None  # it is of this section
    yield heading("[identities]", table.why)
    yield from _source(table)
    if table.found.time_format is not None:
        yield line("time_format", table.found.time_format)
    yield from _columns("identities", table, table.found.columns)


def _offers(table: Table) -> Iterator[str]:
    offers = counted(table.profile.rows, "offer")
    yield heading("[offers]", f"{offers}: {table.why}")
    yield from _source(table)
    columns = offers_columns(table.profile)
    forms = {table.profile.columns[c].form for n, c in columns.items() if n.startswith("valid")}
    if form := next((form for form in forms if form), None):
        yield line("time_format", form)
    yield from _columns("offers", table, columns)


def _within(table: Table) -> str:
    return f", table {table.profile.label}," if table.query is not None else ""


SECTIONS = {
    "interactions": _interactions,
    "attributes": _attributes,
    "identities": _identities,
    "offers": _offers,
}


def _source(table: Table) -> Iterator[str]:
    yield line("source", table.source)
    told = None if table.query is not None else Path(table.source).stem
    if table.section == "interactions" and table.profile.label != told:
        yield line("name", table.profile.label)
    if table.query is not None:
        yield line("query", table.query)


def _columns(section: str, table: Table, columns: Mapping[str, str]) -> Iterator[str]:
    yield f"[{section}.columns]"
    asked = table.found.asked if table.found else {}
    for name, column in columns.items():
        told = _described(table, column)
        yield line(name, column, f"? {told}: {asked[name]}" if name in asked else told)


def _described(table: Table, column: str) -> str:
    """Say in a few words what a column holds; of an id no value."""
    if column not in table.profile.columns:
        return "their product"
    c = table.profile.columns[column]
    told = _held(c)
    return f"{told}; missing in {percent(c.missing)}" if c.missing else told


def _held(c: Column) -> str:
    if c.is_time:
        return "times with their zone" if c.zoned else "times" if c.timed else "days"
    if c.is_number and not c.is_whole:
        return f"{c.least:,.2f} to {c.greatest:,.2f}"
    if c.is_number and 1 < c.distinct <= 60 and not is_named(c):
        return f"{c.least:,.0f} to {c.greatest:,.0f}"
    if c.is_number and c.distinct > 60:
        return f"{c.distinct:,} different"
    if 1 < c.distinct <= 6:
        told = ", ".join(c.values)
        return told if len(told) <= WIDTH else told[:WIDTH].rpartition(", ")[0] + ", …"
    return f"{c.distinct:,} different"


def _swapped(table: Table) -> str:
    assert table.found is not None  # it is of this section
    column = table.profile.columns[table.found.columns["occurred_at"]]
    return "" if column.swapped is None else f'? or "{column.swapped}": both fit every row'


def kinds_of(tables: Sequence[Table]) -> dict[str, bool]:
    """Return the kinds of all tables of interactions, and whether each has amounts."""
    kinds: dict[str, bool] = {}
    for table in tables:
        has_amounts = table.found is not None and "amount" in table.found.columns
        for kind in table.kinds:
            kinds[kind] = kinds.get(kind, False) or has_amounts
    return kinds


def _roles(tables: Sequence[Table], offers: bool) -> Iterator[str]:
    roles = roles_of(kinds_of(tables))
    if any(table.has_returns for table in tables):
        roles["negative"] = sorted({*roles.get("negative", []), RETURN})
    yield heading("[roles]", "what kinds mean")
    shown_alone = not offers and "offer_accepted" not in roles
    for role, why in ROLES.items():
        if role in roles:
            asked = shown_alone and role == "offer_shown"
            yield line(role, roles[role], f"? {why}; can it be accepted?" if asked else why)


def _checks(tables: Sequence[Table]) -> Iterator[str]:
    """Allow the rows that cannot be read to be left out, where they are more than a few."""
    worst = max((table.unreadable for table in tables), default=0.0)
    if worst > 0.009:
        allowed = min(1.0, math.ceil(100 * worst + 1) / 100)
        told = f"? {percent(worst)} of a table lack a customer or a time, or cannot be read"
        yield ""
        yield "[checks]"
        yield line("rejected", allowed, told)


def source_of(given: str, beside: Path) -> str:
    """Return how a settings file in a folder names a file that was given on the command line."""
    if "://" in given:
        return given
    path = Path(given).absolute()
    try:
        return str(path.relative_to(beside.absolute()))
    except ValueError:
        return str(path)
