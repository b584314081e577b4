"""The store: interactions, attributes and decisions, append-only, on SQLAlchemy Core."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from features.errors import SourceError
from features.interactions import Interaction
from serving.belonging import EVERYBODY, Belongings, Histories, last_recorded, owners
from serving.decisions import Choose, add_decision, decision_of, reserving_since, taken
from serving.engine import PATIENCE, is_sqlite, open_engine, reading
from serving.erasing import Erased, are_erased, erase_rows, erased_error, held_of, scrub
from serving.growing import take_in
from serving.importing import Imported
from serving.keeping import Retained, forget
from serving.recording import Recorded, append
from serving.revision import bring_up_to_date, claim
from serving.scorelog import ScoreLog
from serving.tables import CLOCK, SCORES

if TYPE_CHECKING:  # it brings pandas
    from features.history import History

CLOCK_LAG = 1_000_000
"""Microseconds by which the instant of a score may lie behind the present."""


class Store:
    """Interactions as they were recorded. Safe to use from several threads and processes.

    Args:
        url: a database URL; an empty database, or one of an older revision, is brought up to date.
        start: where the recording clock starts (microseconds since 1970 UTC) when the history
            has ended; ``None`` is the present.
        project: whose customers they are; a store of another project is refused.
    """

    def __init__(self, url: str, start: int | None = None, project: str = "") -> None:
        self._engine = open_engine(url)
        self._writer = self._engine.execution_options(immediate=True)
        self._scores = ScoreLog(self._write_scores)
        try:
            with self._writer.begin() as connection:
                bring_up_to_date(connection, self._shown)
                claim(connection, project, self._shown)
        except SourceError:
            self.close()
            raise
        except sa.exc.SQLAlchemyError as error:
            self.close()
            raise SourceError(
                self._shown,
                str(error).splitlines()[0],
                "a database that can be written",
                "Check `store` under [serving] in the settings.",
            ) from error
        self._base = None if start is None else max(start, self.last_recorded() + 1)
        self._began = time.monotonic_ns()
        self._writing = threading.Lock()

    def close(self) -> None:
        """Write what is still to be logged, and let go of the database."""
        self._scores.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def embedded(self) -> bool:
        """Whether the database is a part of this process, and nobody waits for another one."""
        return is_sqlite(self._engine)

    def now(self) -> int:
        """Return the recording clock: the present, or the fixed start plus the time since."""
        if self._base is None:
            return time.time_ns() // 1000
        return self._base + (time.monotonic_ns() - self._began) // 1000

    def last_recorded(self) -> int:
        """Return when the latest interaction was recorded, 0 when there is none."""
        with reading(self._engine) as cursor:
            return last_recorded(cursor)

    def as_of(self) -> int:
        """Return an instant that sees every interaction recorded so far, and that stays true.

        It is just after the committed recording clock, and nothing recorded later is stamped
        before it: a score at it can be computed again. A clock a second behind is moved on first.
        """
        last = self.last_recorded()
        if self.now() - last > CLOCK_LAG:
            with self._write() as (_, stamp, _):
                last = stamp
        return last + 1

    def record(self, items: Sequence[Interaction]) -> Recorded:
        """Append interactions, all stamped with one recording time, durable on return.

        A repeated (source, interaction_id) is kept once: the same again is a duplicate, other
        content a conflict. Conflicts, what no database could hold, and what is of a customer who
        was erased are reported and not stored.
        """
        with self._write(len(items)) as (connection, stamp, seq):
            return append(connection, items, stamp, seq)

    def histories(self, customers: Sequence[str]) -> Histories:
        """Return the interactions and attributes of customers; one without any has none.

        What is recorded under a customer's keys is among them, recorded when both were known.
        """
        with reading(self._engine) as cursor:
            return Belongings(cursor, self._engine.dialect.name).histories(customers)

    def known(self, customers: Sequence[str]) -> tuple[int, Histories]:
        """Return ``as_of()`` and ``histories(customers)``, read at once where the clock allows."""
        with reading(self._engine) as cursor:
            if self.now() - (last := last_recorded(cursor)) <= CLOCK_LAG:
                found = Belongings(cursor, self._engine.dialect.name).histories(customers)
                return last + 1, found
        return self.as_of(), self.histories(customers)

    def whose(self, names: Sequence[str], at: int | None = None) -> list[str]:
        """Return of each name whose key it was known to be at an instant, else the name."""
        with reading(self._engine) as cursor:
            when = self.now() if at is None else at
            return Belongings(cursor, self._engine.dialect.name).whose(names, when)

    def customers(self) -> list[str]:
        """Return every customer with an interaction, sorted; a key that is known is not one."""
        with self._engine.connect() as connection:
            names = connection.exec_driver_sql(EVERYBODY).scalars().all()
            return sorted(owners(connection, names))

    def erased(self, customers: Sequence[str]) -> list[bool]:
        """Return of each name whether it is that of a customer who was erased."""
        with self._engine.connect() as connection:
            return are_erased(connection, customers)

    def decide(self, customer_id: str, as_of: int, choose: Choose) -> str:
        """Record a decision, durable on return, and return its id.

        Decisions are made one after another, so that no two of them take the last place.

        Args:
            customer_id: about whom.
            as_of: what was known; microseconds.
            choose: makes the decision from the month's that reserved, each with ``as_of`` and
                ``decision``; it reserves, too, unless its ``reserved`` is false.

        Raises:
            InteractionError: the customer was erased.
        """
        with self._alone() as connection:
            if are_erased(connection, [customer_id])[0]:
                raise erased_error()
            return add_decision(connection, customer_id, as_of, choose)

    def decisions(self, customer_id: str, as_of: int) -> list[dict[str, Any]]:
        """Return a customer's decisions that reserved, from the month before an instant on."""
        with self._engine.connect() as connection:
            return reserving_since(connection, customer_id, as_of)

    def taken(self, offers: Collection[str], kinds: Collection[str], as_of: int) -> dict[str, int]:
        """Return how often each of some offers was accepted before an instant, by anybody."""
        with self._engine.connect() as connection:
            return taken(connection, offers, kinds, as_of)

    def decision(self, decision_id: str) -> dict[str, Any] | None:
        """Return a recorded decision, ``None`` when there is none of that id."""
        with self._engine.connect() as connection:
            return decision_of(connection, decision_id)

    def log_scores(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Log scores, each with the columns of the table ``scores``; they are written soon."""
        self._scores.add([dict(row) for row in rows])

    def _write_scores(self, rows: Sequence[dict[str, Any]]) -> None:
        with self._alone() as connection:
            erased = are_erased(connection, [row["customer_id"] for row in rows])
            if kept := [row for row, gone in zip(rows, erased, strict=True) if not gone]:
                connection.execute(SCORES.insert(), kept)

    @property
    def imported(self) -> str | None:
        """The digest of the history that was brought in, ``None`` before it was."""
        with self._engine.connect() as connection:
            digest: str | None = connection.execute(sa.select(CLOCK.c.imported)).scalar_one()
        return digest

    @property
    def kept_since(self) -> int | None:
        """From when interactions are kept, microseconds UTC; ``None``: none was too old yet.

        A score of an instant before it cannot be computed again.
        """
        with self._engine.connect() as connection:
            since: int | None = connection.execute(sa.select(CLOCK.c.kept_since)).scalar_one()
        return since

    def import_history(
        self,
        history: "History",
        digest: str,
        progress: Callable[[int], object] = lambda rows: None,
    ) -> Imported:
        """Bring in a history, whole or not at all, keeping its recording times.

        What it has more when it is brought in again is recorded now.

        Args:
            history: the interactions, attributes and identities.
            digest: names the data, so that others are not taken for them later.
            progress: called with the number of interactions done since the last call.

        Raises:
            SourceError: it lacks something that was brought in before.
        """
        with self._write(len(history.interactions)) as (connection, stamp, seq):
            return take_in(connection, history, digest, stamp, seq, progress)

    def erase(self, customer_id: str, wipe: bool = True) -> Erased:
        """Erase all that is held of a customer, under every name, durable on return.

        Nothing more is recorded or imported of them: a salted digest of each name stays.

        Args:
            customer_id: the customer, or one of their keys.
            wipe: whether their bytes are wiped from the files too, which rewrites a SQLite store
                (writers wait meanwhile); ``scrub`` does it once for several customers.
        """
        with self._write() as (connection, stamp, _):
            counts = erase_rows(connection, customer_id, stamp)
        return Erased(**counts, scrubbed=wipe and self.scrub())

    def scrub(self) -> bool:
        """Wipe the bytes of deleted rows; whether all are wiped, or a reader was in the way."""
        return scrub(self._engine)

    def export(self, customer_id: str) -> dict[str, Any]:
        """Return all that is held of a customer, under every name, as plain data for JSON."""
        with self._engine.connect() as connection:
            return held_of(connection, customer_id)

    def retain(self, since: int, dry: bool = False) -> Retained:
        """Delete interactions that happened, and decisions made, before an instant.

        Scores of instants before it cannot be computed again.

        Args:
            since: microseconds since 1970 UTC; what is as old stays.
            dry: only count.
        """
        with self._write() as (connection, _, _):
            counts = forget(connection, since, dry)
        return Retained(*counts, scrubbed=not dry and self.scrub())

    @property
    def _shown(self) -> str:
        return f"store {self._engine.url.render_as_string(hide_password=True)}"

    @contextmanager
    def _write(self, n: int = 0) -> Iterator[tuple[sa.Connection, int, int]]:
        """Open the one write at a time; give its recording time, and the first of ``n`` places.

        The clock is read once the write is alone: a stamp is never before an instant at which
        somebody else was already told what is known.
        """
        with self._alone() as connection:
            now = self.now()
            last = CLOCK.c.last_recorded
            later = sa.case((last >= now, last + 1), else_=now)
            update = CLOCK.update().values(last_recorded=later, seq=CLOCK.c.seq + n)
            stamp, seq = connection.execute(update.returning(last, CLOCK.c.seq)).one()
            yield connection, int(stamp), int(seq) - n + 1

    @contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """Open the one write at a time, in all processes."""
        if not self._writing.acquire(timeout=PATIENCE / 1000):
            raise sa.exc.TimeoutError("the writes before this one take too long")
        try:
            with self._writer.begin() as connection:
                connection.execute(CLOCK.update().values(last_recorded=CLOCK.c.last_recorded))
                yield connection
        finally:
            self._writing.release()
