"""The store: interactions, attributes and decisions, append-only, on SQLAlchemy Core."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from features import clock
from features.errors import InteractionError, SourceError
from features.history import History
from features.interactions import ORDER, Attribute, Interaction
from serving.belonging import histories, owners
from serving.tables import (
    ATTRIBUTES,
    CLOCK,
    DECISIONS,
    IDENTITIES,
    INTERACTIONS,
    METADATA,
    open_engine,
)

FIELDS = ("customer_id", *ORDER)
BATCH = 20_000
MONTH = 30 * clock.DAY
CLOCK_LAG = 1_000_000
"""Microseconds by which the instant of a score may lie behind the present."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: how many are new, and the places of repeats and of conflicts."""

    accepted: int
    duplicates: list[int]
    conflicts: dict[int, InteractionError]


class Store:
    """Interactions as they were recorded. Safe to use from several threads and processes.

    Args:
        url: a database URL; the tables are made when they are missing.
        start: where the recording clock starts (microseconds since 1970 UTC) when the history
            has ended; ``None`` is the present.
        project: whose customers they are; a store of another project is refused.
    """

    def __init__(self, url: str, start: int | None = None, project: str = "") -> None:
        self._engine = open_engine(url)
        self._writer = self._engine.execution_options(immediate=True)
        shown = self._engine.url.render_as_string(hide_password=True)
        try:
            with self._writer.begin() as connection:
                METADATA.create_all(connection)
                insert = _insert(self._engine, CLOCK).on_conflict_do_nothing()
                connection.execute(insert, {"id": 1, "last_recorded": 0, "project": project})
                owner = connection.execute(sa.select(CLOCK.c.project)).scalar_one()
        except sa.exc.SQLAlchemyError as error:
            self.close()
            raise SourceError(
                f"store {shown}",
                str(error).splitlines()[0],
                "a database that can be written",
                "Check `store` under [serving] in the settings.",
            ) from error
        if owner != project:
            self.close()
            raise SourceError(
                f"store {shown}",
                f"the customers of project '{owner}'",
                f"those of '{project}', or an empty database",
                "Name a store of its own under [serving] in the settings.",
            )
        self._base = None if start is None else max(start, self.last_recorded() + 1)
        self._began = time.monotonic_ns()
        self._writing = threading.Lock()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def now(self) -> int:
        """Return the recording clock: the present, or the fixed start plus the time since."""
        if self._base is None:
            return time.time_ns() // 1000
        return self._base + (time.monotonic_ns() - self._began) // 1000

    def last_recorded(self) -> int:
        """Return when the latest interaction was recorded, 0 when there is none."""
        with self._engine.connect() as connection:
            return int(connection.execute(sa.select(CLOCK.c.last_recorded)).scalar_one())

    def as_of(self) -> int:
        """Return an instant that sees every interaction recorded so far, and that stays true.

        It is just after the committed recording clock, and nothing recorded later is stamped
        before it: a score given at it can be computed again. When the clock has fallen a second
        behind the present, it is moved on first.
        """
        last = self.last_recorded()
        if self.now() - last > CLOCK_LAG:
            with self._write() as (_, stamp):
                last = stamp
        return last + 1

    def record(self, items: Sequence[Interaction]) -> Recorded:
        """Append interactions, all stamped with one recording time, durable on return.

        A repeated (source, interaction_id) is kept once: the same again is a duplicate, other
        content a conflict that is reported and not stored.
        """
        duplicates: list[int] = []
        conflicts: dict[int, InteractionError] = {}
        with self._write() as (connection, stamp):
            known = _known(connection, items)
            rows = []
            for place, item in enumerate(items):
                row = _row(replace(item, recorded_at=stamp))
                key = (item.source or "", item.interaction_id or "")
                if item.interaction_id is not None and key in known:
                    if _content(known[key]) == _content(row):
                        duplicates.append(place)
                    else:
                        conflicts[place] = InteractionError(
                            "interaction_id",
                            repr(item.interaction_id),
                            "an id that is new, or the same content again",
                            "The first recorded stays; send a correction under its own id.",
                        )
                    continue
                known[key] = row
                rows.append(row)
            if rows:
                connection.execute(INTERACTIONS.insert(), rows)
        return Recorded(len(rows), duplicates, conflicts)

    def histories(
        self, customers: Sequence[str]
    ) -> dict[str, tuple[list[Interaction], list[Attribute]]]:
        """Return the interactions and attributes of customers; one without any has none.

        What is recorded under a customer's keys is among them, recorded when both were known; a
        fact says both times.
        """
        with self._engine.connect() as connection:
            return histories(connection, customers)

    def customers(self) -> list[str]:
        """Return every customer with an interaction, sorted; a key that is known is not one."""
        query = sa.select(INTERACTIONS.c.customer_id).distinct()
        with self._engine.connect() as connection:
            return sorted(owners(connection, connection.execute(query).scalars()))

    def decide(
        self,
        customer_id: str,
        as_of: int,
        choose: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]],
    ) -> str:
        """Record a decision, durable on return, and return its id.

        Decisions are made one after another, so that no two of them take the last place.

        Args:
            customer_id: about whom.
            as_of: what was known; microseconds.
            choose: makes the decision from those of the month before, each with ``as_of`` and
                ``decision``.
        """
        decision_id = uuid.uuid4().hex
        with self._writing, self._writer.begin() as connection:
            connection.execute(CLOCK.update().values(last_recorded=CLOCK.c.last_recorded))
            made = _decisions(connection, customer_id, as_of)
            row = {"decision_id": decision_id, "customer_id": customer_id, "as_of": as_of}
            text = json.dumps(choose(made))
            connection.execute(DECISIONS.insert(), {**row, "decision": text})
        return decision_id

    def decisions(self, customer_id: str, as_of: int) -> list[dict[str, Any]]:
        """Return the decisions about a customer from the month before an instant on, in order."""
        with self._engine.connect() as connection:
            return _decisions(connection, customer_id, as_of)

    def decision(self, decision_id: str) -> dict[str, Any] | None:
        """Return a recorded decision, ``None`` when there is none of that id."""
        query = sa.select(DECISIONS).where(DECISIONS.c.decision_id == decision_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else {**row._mapping, "decision": json.loads(row.decision)}

    @property
    def imported(self) -> str | None:
        """The digest of the history that was brought in, ``None`` before it was."""
        with self._engine.connect() as connection:
            digest: str | None = connection.execute(sa.select(CLOCK.c.imported)).scalar_one()
        return digest

    def import_history(
        self,
        history: History,
        digest: str,
        progress: Callable[[int], object] = lambda rows: None,
    ) -> int:
        """Bring in a history once, whole or not at all, keeping its recording times.

        Args:
            history: the interactions, attributes and identities.
            digest: names the data, so that others are not taken for them later.
            progress: called with the number of interactions done since the last call.

        Returns:
            How many interactions were new; those whose source and id are known are not.
        """
        names = [*FIELDS, *(n for n in history.numbers if n not in FIELDS)]
        table = history.interactions.select(names).sort_by(
            [("customer_id", "ascending"), ("occurred_at", "ascending")]
        )
        latest = history.known_until - 1
        count = sa.select(sa.func.count(INTERACTIONS.c.seq))
        with self._write() as (connection, _):
            if connection.execute(sa.select(CLOCK.c.imported)).scalar_one() is not None:
                return 0
            before = connection.execute(count).scalar_one()
            insert = _insert(self._engine, INTERACTIONS).on_conflict_do_nothing()
            for batch in table.to_batches(BATCH):
                connection.execute(insert, _import_rows(batch.to_pydict(), history.numbers))
                progress(len(batch))
            for facts in history.attributes.to_batches(BATCH):
                if len(facts):
                    connection.execute(ATTRIBUTES.insert(), facts.to_pylist())
            if len(history.identities):
                connection.execute(IDENTITIES.insert(), history.identities.to_pylist())
            after = connection.execute(count).scalar_one()
            mark = sa.case((CLOCK.c.last_recorded > latest, CLOCK.c.last_recorded), else_=latest)
            connection.execute(CLOCK.update().values(imported=digest, last_recorded=mark))
        return int(after - before)

    @contextmanager
    def _write(self) -> Iterator[tuple[sa.Connection, int]]:
        """Open the one write at a time, with the recording time that it stamps.

        The clock is read once the write is alone: a stamp is never before an instant at which
        somebody else was already told what is known.
        """
        with self._writing, self._writer.begin() as connection:
            connection.execute(CLOCK.update().values(last_recorded=CLOCK.c.last_recorded))
            now = self.now()
            later = sa.case((CLOCK.c.last_recorded >= now, CLOCK.c.last_recorded + 1), else_=now)
            update = CLOCK.update().values(last_recorded=later).returning(CLOCK.c.last_recorded)
            yield connection, int(connection.execute(update).scalar_one())


def _insert(engine: sa.Engine, table: sa.Table) -> Any:
    dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def _decisions(connection: sa.Connection, customer_id: str, as_of: int) -> list[dict[str, Any]]:
    lately = sa.select(DECISIONS.c.as_of, DECISIONS.c.decision).where(
        DECISIONS.c.customer_id == customer_id, DECISIONS.c.as_of > as_of - MONTH
    )
    rows = connection.execute(lately.order_by(DECISIONS.c.as_of))
    return [{"as_of": at, "decision": json.loads(text)} for at, text in rows]


def _known(connection: sa.Connection, items: Sequence[Interaction]) -> dict[tuple[str, str], Any]:
    """Return the stored rows that have the ids of new ones."""
    ids = sorted({(i.source or "", i.interaction_id) for i in items if i.interaction_id})
    key = sa.tuple_(INTERACTIONS.c.source, INTERACTIONS.c.interaction_id)
    known: dict[tuple[str, str], Any] = {}
    for begin in range(0, len(ids), 500):
        query = sa.select(INTERACTIONS).where(key.in_(ids[begin : begin + 500]))
        for row in connection.execute(query):
            known[row.source, row.interaction_id] = dict(row._mapping)
    return known


def _row(item: Interaction) -> dict[str, Any]:
    row = {name: getattr(item, name) for name in FIELDS}
    return {**row, "source": item.source or "", "numbers": _numbers_text(dict(item.numbers))}


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("seq", "recorded_at")}


def _numbers_text(numbers: dict[str, float | None]) -> str | None:
    present = {name: value for name, value in sorted(numbers.items()) if value is not None}
    return json.dumps(present) if present else None


def _import_rows(columns: dict[str, list[Any]], numbers: Sequence[str]) -> list[dict[str, Any]]:
    texts = [
        _numbers_text(dict(zip(numbers, values, strict=True)))
        for values in zip(*(columns[name] for name in numbers), strict=True)
    ] or [None] * len(columns["customer_id"])
    names = [*FIELDS, "numbers"]
    fields = (*(columns[name] for name in FIELDS), texts)
    return [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
