"""Reading a table of the rows to compute: customers, instants and offers."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features import clock
from features.batch import Spine
from features.errors import SourceError
from features.settings import Settings
from features.sources.parsing import instants_of, text
from features.sources.tables import open_table, reading, shown


def read_rows(settings: Settings, path: str) -> Spine:
    """Read the columns ``customer_id``, ``as_of`` and, if there, ``offer_id`` of a table.

    Args:
        settings: naive times are read in its project's time zone.
        path: a Parquet or CSV file.

    Raises:
        SourceError: the file cannot be read, lacks a column, or a row lacks customer or time.
    """
    source = str(Path(path).resolve())
    with duckdb.connect() as connection, reading(settings, source):
        table = open_table(connection, settings, source, None)
        types = dict(zip(table.columns, map(str, table.types), strict=True))
        for name in ("customer_id", "as_of"):
            if name not in types:
                raise SourceError(
                    shown(path),
                    f"no column '{name}'",
                    "a customer_id and an as_of in every row",
                    f"The table has: {', '.join(types)}.",
                )
        at = instants_of("as_of", types["as_of"])
        offer = text("offer_id").value if "offer_id" in types else "NULL"
        read = table.project(
            f"{text('customer_id').value} AS customer_id, {at.value} AS as_of, "
            f"{at.naive} AS naive, {offer} AS offer_id, CAST(as_of AS VARCHAR) AS told"
        ).to_arrow_table()
    for name in ("customer_id", "as_of"):
        if count := read[name].null_count:
            place = read[name].combine_chunks().is_null().index(True).as_py()
            told = read["told"][place].as_py() if name == "as_of" else None
            raise SourceError(
                f"{shown(path)}, column '{name}'",
                f"{'nothing' if told is None else repr(told)} in row {place + 1}"
                + (f" and no better in {count - 1:,} more" if count > 1 else ""),
                at.wanted if name == "as_of" else "a customer in every row",
                "Mend or drop those rows.",
            )
    as_of = np.array(read["as_of"].to_numpy(), dtype=np.int64)
    naive = read["naive"].to_numpy(zero_copy_only=False).astype(bool)
    as_of[naive] = clock.local_to_utc(as_of[naive], settings.project.timezone)
    offers = read["offer_id"].cast(pa.string()).combine_chunks() if "offer_id" in types else None
    return Spine(read["customer_id"].combine_chunks(), as_of, offers)
