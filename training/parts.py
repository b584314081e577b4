"""Parts: scores kept as they are made, so that a run that was stopped goes on where it was."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataError
from features.history import History
from features.reading import open_interactions
from training.scoring import PART, Progress, Scoring, scored

FACTS = "run.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """A folder that holds one run's scores; ``kept`` parts were there from a stopped run."""

    folder: Path
    scoring: Scoring
    kept: frozenset[int]

    def file(self, number: int) -> Path:
        """Return where a part is kept."""
        return self.folder / f"part-{number:06d}.parquet"

    def compute(self, progress: Progress) -> None:
        """Compute every part that is missing; each is kept whole or not at all."""
        parts = list(enumerate(self.scoring.parts))
        progress(sum(self.scoring.rows_of(part) for number, part in parts if number in self.kept))
        missing = [(number, part) for number, part in parts if number not in self.kept]
        tables = scored(self.scoring, [part for _, part in missing], progress)
        for (number, _), table in zip(missing, tables, strict=True):
            unfinished = self.file(number).with_suffix(".unfinished")
            pq.write_table(table, unfinished)
            unfinished.replace(self.file(number))

    def tables(self) -> Iterator[pa.Table]:
        """Yield the scores, part by part."""
        for number in range(len(self.scoring.parts)):
            yield pq.read_table(self.file(number))


@contextmanager
def opened(folder: Path, scoring: Scoring) -> Iterator[Parts]:
    """Open a folder of parts, which is removed when the scores have been written.

    Parts of another model, instant or history are thrown away; those of a run that is stopped
    stay for the next.

    Raises:
        DataError: another process works in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if other := sorted({path.name for path in folder.iterdir()} - {p.name for p in _own(folder)}):
        raise DataError(
            f"folder '{folder}'",
            f"'{other[0]}', which is no part of scores",
            "a folder for parts alone, which is removed in the end",
            "Move what is in it, or name another --out.",
        )
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                "scores",
                "another run that is writing the same ones",
                "one run at a time",
                "Wait for it, or name another --out.",
            ) from error
        facts = json.dumps(_facts(scoring), indent=1)
        if not (folder / FACTS).exists() or (folder / FACTS).read_text(encoding="utf-8") != facts:
            for old in _own(folder):
                old.unlink()
            (folder / FACTS).write_text(facts, encoding="utf-8")
        kept = frozenset(
            number
            for number, part in enumerate(scoring.parts)
            if _is_whole(folder / f"part-{number:06d}.parquet", scoring.rows_of(part))
        )
        yield Parts(folder, scoring, kept)
        for old in _own(folder):
            old.unlink()
        folder.rmdir()
    finally:
        os.close(handle)


def _own(folder: Path) -> list[Path]:
    """Return what a run writes into its folder."""
    return [*folder.glob("part-*.parquet*"), *folder.glob(FACTS)]


def _is_whole(path: Path, rows: int) -> bool:
    try:
        return bool(pq.read_metadata(path).num_rows == rows)
    except (OSError, pa.ArrowInvalid):  # it is not there, or damaged: it is computed again
        return False


def _facts(scoring: Scoring) -> dict[str, Any]:
    """Return what scores follow from, without anything of a customer."""
    form, model = scoring.form, scoring.form.model
    return {
        "model": model.name,
        "version": model.version,
        "bundle": model.digest,
        "costs": dict(model.bundle.card.costs),
        "currency": model.bundle.card.currency,
        "as_of": form.as_of,
        "history": history_digest(scoring.history),
        "kinds": {role: list(kinds) for role, kinds in form.wording.roles.items()},
        "reasons": form.n_reasons,
        "part": PART,
    }


def history_digest(history: History) -> str:
    """Return a fingerprint of all that a history holds, in whatever order its rows are."""
    facts: list[Any] = [history.known_until, history.timezone, history.constants.model_dump()]
    offers = [asdict(history.offers[name]) for name in sorted(history.offers)]
    with duckdb.connect() as connection:
        open_interactions(connection, history.interactions)
        connection.register("attributes", history.attributes)
        connection.register("identities", history.identities)
        for name in ("interactions", "attributes", "identities"):
            query = f"SELECT count(*), sum(hash(t)), bit_xor(hash(t)) FROM {name} t"
            facts.append(connection.execute(query).fetchall())
    text = json.dumps([facts, offers], default=lambda held: sorted(held), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
