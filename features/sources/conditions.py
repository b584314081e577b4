"""How the columns of a table are read as interactions, and when one of its rows is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from features.interactions import INSTANTS, NUMBERS
from features.rules import KIND, LONGEST_TEXT, RANGES, REQUIRED, TEXT, Rule
from features.settings import Settings
from features.sources.parsing import (
    Parsed,
    factors_of,
    instants_of,
    literal,
    parsed_boolean,
    parsed_product,
    quoted,
    text,
)
from features.tables import InteractionsSource

TEXTS = ("customer_id", "interaction_id", "kind", "channel", "topic", "case_id", "offer_id")
TIMES = (*INSTANTS, "due_at")
CONSTANTS = ("kind", "channel", "topic")
NOTHING = Rule(
    "a value in every row",
    "An interaction needs a customer, a time and a kind.",
)
FORM = "Mend those values, or map another column."
FUTURE = Rule("times that have come", "Mend those times.")
EXAMPLES, KINDS = 3, 10
ASSUMED, MET, GROUP = "recorded as it happened", "condition met", "the group"
"""Columns beside those of interactions."""
LOCAL_TO_UTC = "local_to_utc"
"""What the clock's function is called in SQL."""
TYPES = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Condition:
    """When a row is wrong, in SQL, and how to say so.

    ``column`` is the table's; ``missing`` when nothing is there to show, ``examples`` how many
    of the values may be shown.
    """

    column: str
    sql: str
    rule: Rule
    missing: bool = False
    examples: int = EXAMPLES


def kinds_remedy(kinds: list[str]) -> str:
    """Return what to do about a kind that is none of those known."""
    return (
        f"Known: {', '.join(kinds)}. Add the new ones under [roles]; "
        "those of no other meaning under `other`."
    )


def parsed_columns(
    settings: Settings, source: InteractionsSource, columns: dict[str, str], types: dict[str, str]
) -> dict[str, Parsed]:
    """Return how each of our columns is read, by its name."""
    parsed = {}
    for name in (*TEXTS, *TIMES, *NUMBERS, "resolved", *settings.numbers()):
        constant = getattr(source, name) if name in CONSTANTS else None
        if constant is not None:
            parsed[name] = Parsed(literal(constant))
        elif name not in columns:
            parsed[name] = Parsed("NULL")
        elif name in TEXTS:
            parsed[name] = text(columns[name])
        elif name in TIMES:
            form = source.time_format
            read = instants_of(columns[name], types[columns[name]], form)
            parsed[name] = as_instants(settings, read)
        elif name == "resolved":
            parsed[name] = parsed_boolean(columns[name])
        else:
            factors = factors_of(columns[name], types)
            parsed[name] = parsed_product(factors, types, source.decimal)
    if source.group is not None:
        parsed[GROUP] = text(source.group)
    return parsed


def conditions_of(
    settings: Settings,
    parsed: Mapping[str, Parsed],
    columns: dict[str, str],
    types: Mapping[str, str],
    latest: int,
) -> list[Condition]:
    """Return when a row is rejected; the rules are those of ``check_interaction``."""
    found = []
    for name in (name for name in parsed if name in columns):
        theirs, value = columns[name], quoted(name)
        if parsed[name].wanted:
            rule, wrong = Rule(parsed[name].wanted, FORM), f'{value} IS NULL AND "given {name}"'
            # Of a product no single value can be shown.
            shown_values = EXAMPLES if theirs in types else 0
            found.append(Condition(theirs, wrong, rule, examples=shown_values))
        if name in REQUIRED:
            found.append(Condition(theirs, f"{value} IS NULL", NOTHING, missing=True))
        if name == "kind":
            kinds = sorted(settings.roles.all_kinds())
            rule = Rule(KIND.wanted, kinds_remedy(kinds))
            known = ", ".join(map(literal, kinds))
            found.append(Condition(theirs, f"{value} NOT IN ({known})", rule, examples=KINDS))
        elif name in TEXTS:
            shown_values = 0 if name == "customer_id" else 1
            found.append(text_condition(theirs, value, shown_values))
        elif name in INSTANTS:
            found.append(Condition(theirs, f"{value} > {latest}", FUTURE))
        elif name in RANGES:
            allowed = RANGES[name]
            sql = f"NOT {value} BETWEEN {allowed.low} AND '{allowed.high}'::DOUBLE"
            found.append(Condition(theirs, sql, allowed.rule))
    return found


def as_instants(settings: Settings, parsed: Parsed) -> Parsed:
    """Return how times are read whose wall clock, without a zone of their own, is the project's."""
    if parsed.naive == "false" or settings.project.timezone == "UTC":
        return parsed
    value = f"CASE WHEN {parsed.naive} THEN {LOCAL_TO_UTC}({parsed.value}) ELSE {parsed.value} END"
    return replace(parsed, value=value)


def selection(
    parsed: Mapping[str, Parsed], conditions: list[Condition], label: str, schema: pa.Schema
) -> str:
    """Return the query of interactions, and of the first condition that a row meets.

    Args:
        parsed: how each column is read.
        conditions: when a row is wrong.
        label: what the source is called.
        schema: that of the interactions.
    """
    values = ", ".join(f"{p.value} AS {quoted(name)}" for name, p in parsed.items())
    given = "".join(f', {p.given} AS "given {n}"' for n, p in parsed.items() if p.wanted)
    ours = {name: quoted(name) for name in parsed} | {
        "recorded_at": "coalesce(recorded_at, occurred_at)",
        "source": literal(label),
    }
    columns = ", ".join(
        f"({ours[field.name]})::{TYPES[str(field.type)]} AS {quoted(field.name)}"
        for field in schema
    )
    columns += f", {quoted(GROUP)}" if GROUP in parsed else ""
    return (
        f"SELECT {columns}, recorded_at IS NULL AS {quoted(ASSUMED)}, {quoted(MET)} "
        f"FROM (SELECT *, {first_met(conditions)} AS {quoted(MET)} "
        f"FROM (SELECT {values}{given} FROM opened))"
    )


def unrecordable(value: str) -> str:
    """Return when text cannot be recorded, in SQL: ``features.rules.is_text`` for a table."""
    long = f"(strlen({value}) > {LONGEST_TEXT} AND length({value}) > {LONGEST_TEXT})"
    return f"({long} OR contains({value}, chr(0)))"


def text_condition(column: str, value: str, examples: int = EXAMPLES) -> Condition:
    """Return the condition that a text cannot be recorded."""
    return Condition(column, unrecordable(value), TEXT, examples=examples)


def first_met(conditions: Sequence[Condition]) -> str:
    """Return SQL for the number of the first condition that a row meets, else 0."""
    whens = " ".join(f"WHEN {c.sql} THEN {i}" for i, c in enumerate(conditions, 1) if c.sql)
    return f"(CASE {whens} ELSE 0 END)::USMALLINT" if whens else "0::USMALLINT"
