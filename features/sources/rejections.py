"""Rows that are wrong: found by conditions, counted, written aside, and when to stop for them."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.errors import SourceError
from features.settings import Settings
from features.sources.conditions import Condition
from features.sources.parsing import literal, quoted
from features.sources.report import LONGEST_EXAMPLE, Rejection, Table, percent, rows

ASIDE = Path("var") / "rejected"
Broken = npt.NDArray[np.uint16]
"""For each row the number of the first condition that it meets, from 1; 0 when it is right."""


def aside(settings: Settings) -> Path:
    """Return the folder of the rejected rows, beside the settings file."""
    return settings.path.parent / ASIDE


def reject(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    broken: Broken,
    conditions: Sequence[Condition],
    file: Path | None,
) -> Table:
    """Count the rejected rows of the view ``opened`` by reason, and write them to a file.

    Args:
        connection: where ``opened`` is; it is read once more when there are rejected rows.
        table: what is known of the source table so far.
        broken: of each of its rows, in order.
        conditions: what the numbers in ``broken`` mean.
        file: takes the rows as they came with number and reason; an older one is removed.

    Raises:
        SourceError: the file cannot be written.
    """
    if file:
        _remove(file)
    if not len(places := np.flatnonzero(broken)):
        return table
    counts = np.bincount(broken, minlength=len(conditions) + 1)
    connection.register("broken", pa.table({"place": places + 1, "met": broken[places]}))
    columns: list[str] = [name for name, *_ in connection.execute("DESCRIBE opened").fetchall()]
    renamed = ", ".join(f"c{i}" for i in range(len(columns)))
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW wrong AS SELECT * FROM "
        f"(SELECT row_number() OVER (), * FROM opened) numbered(place, {renamed}) "
        "JOIN broken USING (place)"
    )
    examples = _examples(connection, columns, conditions, counts)
    rejections = [
        Rejection(c.column, int(n), c.rule.wanted, c.rule.remedy, tuple(shown), c.missing)
        for c, n, shown in zip(conditions, counts[1:], examples, strict=True)
        if n
    ]
    if file:
        _write(connection, columns, conditions, file)
    return Table(table.label, table.rows, tuple(rejections), file, table.columns)


def refuse_many(settings: Settings, table: Table, source: str) -> None:
    """Stop when more of a table is rejected than the settings allow.

    Raises:
        SourceError: with the most frequent reason, the share rejected and the share allowed.
    """
    allowed = settings.checks.rejected
    if not table.rows or table.rejected / table.rows <= allowed:
        return
    worst = max(table.rejections, key=lambda rejection: rejection.count)
    share = percent(table.rejected / table.rows)
    reasons = f" for {len(table.rejections)} reasons" if len(table.rejections) > 1 else ""
    where = f" They are in {table.aside}." if table.aside else ""
    raise SourceError(
        f"{source}, column '{worst.column}'",
        worst.got,
        worst.wanted,
        f"{worst.remedy} {table.rejected:,} of {rows(table.rows)} ({share}) rejected{reasons}, "
        f"more than the {percent(allowed)} that [checks] rejected allows: mend or drop them, or "
        f"raise it.{where}",
    )


def file_of(folder: Path | None, section: str, label: str) -> Path | None:
    """Return the file in the folder that takes the rejected rows of a source."""
    return folder / section / f"{quote(label, safe=' ')[:200]}.csv" if folder else None


def _examples(
    connection: duckdb.DuckDBPyConnection,
    columns: list[str],
    conditions: Sequence[Condition],
    counts: npt.NDArray[np.int64],
) -> list[list[tuple[str, int]]]:
    """Return the most frequent values that met each condition; those alike in order of text."""
    found: list[list[tuple[str, int]]] = [[] for _ in conditions]
    shown = [
        f"WHEN {i} THEN left(c{columns.index(c.column)}::VARCHAR, {LONGEST_EXAMPLE + 1})"
        for i, c in enumerate(conditions, 1)
        if counts[i] and c.examples and not c.missing
    ]
    if shown:
        most = max(c.examples for c in conditions)
        for met, value, n in connection.execute(
            f"SELECT met, CASE met {' '.join(shown)} END AS value, count(*) AS n FROM wrong "
            "GROUP BY met, value HAVING value IS NOT NULL QUALIFY row_number() OVER "
            f"(PARTITION BY met ORDER BY n DESC, value) <= {most} ORDER BY met, n DESC, value"
        ).fetchall():
            if len(found[met - 1]) < conditions[met - 1].examples:
                found[met - 1].append((value, n))
    return found


def _write(
    connection: duckdb.DuckDBPyConnection,
    columns: list[str],
    conditions: Sequence[Condition],
    file: Path,
) -> None:
    """Write the rejected rows whole or not at all: number, reason, and every column as text."""
    taken = {name.lower() for name in columns}
    row, reason = _free("row", taken), _free("rejected_because", taken)
    reasons = " ".join(f"WHEN {i} THEN {literal(_reason(c))}" for i, c in enumerate(conditions, 1))
    kept = "".join(f", c{i}::VARCHAR AS {quoted(name)}" for i, name in enumerate(columns))
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(
            f"COPY (SELECT place AS {row}, CASE met {reasons} END AS {reason}{kept} FROM wrong "
            f"ORDER BY place) TO {literal(str(partial))} (FORMAT csv, HEADER)"
        )
        partial.replace(file)
    except (OSError, duckdb.IOException) as error:
        raise SourceError(
            f"rejected rows, '{file}'",
            str(error).partition("\n")[0],
            "a file that can be written",
            "Make room for it, or remove what is there.",
        ) from error


def _reason(condition: Condition) -> str:
    got = "nothing" if condition.missing else "another value"
    return f"column '{condition.column}': got {got}; wanted {condition.rule.wanted}"


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
