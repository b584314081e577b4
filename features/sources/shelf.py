"""The shelf: what was read of the sources, in memory, or in files where that would not hold it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
from duckdb.func import ARROW

from features import clock
from features.settings import Settings
from features.sources.conditions import LOCAL_TO_UTC
from features.sources.parsing import literal
from features.sources.tables import first_row

MEMORY = "1200MB"
"""What DuckDB may hold while it fills files; the rest waits on disk."""


@dataclass(slots=True)
class Shelf:
    """Tables that queries returned, on a connection; in Parquet files where there is a folder."""

    connection: duckdb.DuckDBPyConnection
    folder: Path | None = None
    n: int = field(default=0)

    def keep(self, query: str) -> str:
        """Keep the rows of a query, in their order, and return the name of the table."""
        name = self._name()
        if self.folder is None:
            self.connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
        else:
            path = literal(str(self.folder / f"{name}.parquet"))
            self.connection.execute(
                f"COPY ({query}) TO {path} (FORMAT parquet, COMPRESSION lz4_raw)"
            )
            self.connection.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({path})")
        return name

    def view(self, query: str) -> str:
        """Name the rows of a query, which is run where they are used."""
        name = self._name()
        self.connection.execute(f"CREATE TEMP VIEW {name} AS {query}")
        return name

    def taken(self, query: str, schema: pa.Schema, name: str) -> pa.Table | pa.dataset.Dataset:
        """Return those rows of the tables that a query takes, as a table or data set of files.

        Files of which it leaves out nothing stay as they are, the others are written anew.

        Args:
            query: takes rows of the tables.
            schema: its columns.
            name: what the rows are called from now on.
        """
        if self.folder is None:
            table = self.connection.sql(query).to_arrow_table().cast(schema)
            self.connection.register(name, table)
            return table
        files = sorted(map(str, self.folder.glob("*.parquet")))
        (there,) = first_row(self.connection, f"SELECT count(*) FROM ({query})")
        if there != sum(pq.read_metadata(file).num_rows for file in files):
            kept = str(self.folder / f"{self.keep(query)}.parquet")
            for file in files:
                Path(file).unlink()
            files = [kept]
        self.connection.read_parquet(files).create_view(name)
        return pa.dataset.dataset(files, schema)

    def _name(self) -> str:
        self.n += 1
        return f"kept_{self.n}"


@contextmanager
def shelf(settings: Settings, folder: Path | None) -> Iterator[Shelf]:
    """Open a connection whose SQL knows the project's clock, and a shelf on it."""
    connection = duckdb.connect()

    def local_to_utc(local: pa.Array) -> pa.Array:
        instants = np.asarray(local.fill_null(0), dtype=np.int64)
        return pa.array(clock.local_to_utc(instants, settings.project.timezone))

    connection.create_function(LOCAL_TO_UTC, local_to_utc, ["BIGINT"], "BIGINT", type=ARROW)
    if folder:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = {literal(str(folder))}")
    try:
        yield Shelf(connection, folder)
    finally:
        connection.remove_function(LOCAL_TO_UTC)  # else DuckDB complains when Python ends
        connection.close()
