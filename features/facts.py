"""Facts: the attributes of customers as the kernel reads them."""

import duckdb
import numpy as np
import pyarrow as pa

from features import arrays, chunks
from features.categories import Categories
from features.encoding import numeric_attributes
from features.plan import Plan


def stage(plan: Plan, attributes: pa.Table, connection: duckdb.DuckDBPyConnection) -> None:
    """Put the attributes that a plan reads beside the customers of the table ``wanted``."""
    codes = plan.attribute_codes
    connection.register("attributes", attributes)
    names = pa.table({"name": pa.array(codes, pa.string()), "n": np.arange(len(codes))})
    connection.register("names", names)
    connection.execute(
        "CREATE TEMP TABLE facts AS "
        "SELECT c, known_at, greatest(known_at, since) AS counts, n, name, value "
        "FROM attributes JOIN wanted USING (customer_id) JOIN names USING (name) ORDER BY c"
    )


def facts_of(
    plan: Plan,
    connection: duckdb.DuckDBPyConnection,
    first: int,
    last: int,
    categories: Categories,
) -> arrays.Facts:
    """Return the attributes of customers ``first`` to ``last`` from the oldest to the latest."""
    table = connection.sql(
        f"SELECT c, counts, n, value FROM facts WHERE c >= {first} AND c < {last} "
        "ORDER BY c, known_at, name, value"
    ).to_arrow_table()
    numeric = numeric_attributes(plan)
    is_number = [numeric[name] for name in plan.attributes]
    name = np.array(table["n"].to_numpy(), dtype=np.int64)
    encoded = [
        categories.encode(value, is_number[n])
        for value, n in zip(table["value"].to_pylist(), name.tolist(), strict=True)
    ]
    return arrays.Facts(
        start=chunks.starts(table["c"].to_numpy() - first, last - first),
        known=np.array(table["counts"].to_numpy(), dtype=np.int64),
        name=name,
        value=np.array(encoded, dtype=np.float64),
    )
