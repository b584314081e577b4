"""Tables as users bring them, made from the demo's data with the defects that such tables have."""

from pathlib import Path

import duckdb

SHAPES = ("events", "invoices", "bare", "silos")


def write_own(data: Path, folder: Path, shape: str, every: int = 1) -> None:
    """Write the tables of a shape into a folder.

    Args:
        data: the demo's tables.
        folder: takes them.
        shape: one of ``SHAPES``.
        every: takes one household in so many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        for name in ("baskets", "items"):
            connection.execute(
                f"CREATE VIEW {name} AS SELECT * FROM '{data / name}.parquet' "
                f"WHERE household_id::INT % {every} = 0"
            )
        for name in ("mailings", "redemptions"):
            connection.execute(
                f"CREATE VIEW {name} AS SELECT * FROM read_csv('{data / name}.csv', "
                f"all_varchar=true) WHERE household_id::INT % {every} = 0"
            )
        WRITERS[shape](connection, folder)


def _copy(
    connection: duckdb.DuckDBPyConnection, query: str, file: Path, more: str = "HEADER"
) -> None:
    connection.execute(f"COPY ({query}) TO '{file}' (FORMAT csv, {more})")


def _events(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """An event log: several kinds and channels, ids of its own, some customers missing."""
    _copy(
        connection,
        """
        SELECT row_number() OVER (ORDER BY event_time, user_id, event_type) AS event_id,
               CASE WHEN hash(user_id, event_time) % 400 = 0 THEN NULL ELSE user_id END AS user_id,
               event_type, channel, strftime(event_time, '%Y-%m-%dT%H:%M:%S%z:00') AS event_time,
               revenue
        FROM (
            SELECT household_id AS user_id, 'purchase' AS event_type,
                   CASE WHEN hash(household_id) % 3 = 0 THEN 'app' ELSE 'store' END AS channel,
                   started_at AS event_time, sales AS revenue FROM baskets
            UNION ALL SELECT household_id, 'newsletter_sent', 'email',
                   mailed_on::TIMESTAMPTZ, NULL FROM mailings
            UNION ALL SELECT household_id, 'support_call', 'phone',
                   started_at + INTERVAL 2 DAY, NULL FROM baskets
                   WHERE hash(basket_id) % 60 = 0 AND started_at < '2017-12-20'
            UNION ALL SELECT household_id, 'complaint', 'phone',
                   started_at + INTERVAL 1 DAY, NULL FROM baskets
                   WHERE hash(basket_id) % 150 = 1 AND started_at < '2017-12-20')
        """,
        folder / "events.csv",
    )


def _invoices(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Retail invoices: lines, returns with negative quantities, a quarter without a customer."""
    _copy(
        connection,
        """
        WITH line AS (
            SELECT b.basket_id, i.household_id, i.category, i.sales, b.started_at,
                   (1 + hash(b.basket_id, i.category) % 3)::INT AS n
            FROM items i JOIN baskets b
              ON i.household_id = b.household_id AND i.bought_at = b.started_at
            WHERE i.sales > 0)
        SELECT "Invoice", "StockCode", "Description", "Quantity",
               strftime(moment, '%-m/%-d/%Y %-H:%M') AS "InvoiceDate", "Price",
               CASE WHEN hash("Invoice", 1) % 4 = 0 THEN NULL ELSE household_id END
                   AS "Customer ID", 'United States' AS "Country"
        FROM (
            SELECT basket_id AS "Invoice", hash(category) % 100000 AS "StockCode",
                   category AS "Description", n AS "Quantity", started_at AS moment,
                   round(sales / n, 2) AS "Price", household_id FROM line
            UNION ALL SELECT 'C' || basket_id, hash(category) % 100000, category, -n,
                   started_at + INTERVAL 3 DAY, round(sales / n, 2), household_id FROM line
                   WHERE hash(basket_id) % 80 = 0 AND started_at < '2017-12-20')
        ORDER BY moment, "Invoice", "StockCode", "Quantity", "Price"
        """,
        folder / "invoices.csv",
    )


def _bare(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A bare list as a spreadsheet of another country writes it: who, which day, how much."""
    _copy(
        connection,
        'SELECT household_id AS "Kunde", strftime(started_at, \'%d.%m.%Y\') AS "Datum", '
        "replace(printf('%.2f', sales), '.', ',') AS \"Betrag\" FROM baskets "
        "ORDER BY started_at, household_id, sales",
        folder / "umsatz.csv",
        "HEADER, DELIMITER ';'",
    )


def _silos(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Two systems with keys of their own, the table that joins them, and facts about people."""
    _copy(
        connection,
        "SELECT household_id AS customer_id, started_at AS sold_at, sales AS total FROM baskets",
        folder / "till.csv",
    )
    _copy(
        connection,
        "SELECT 'w' || household_id AS visitor_id, started_at - INTERVAL 1 HOUR AS visited_at, "
        "'web' AS channel FROM baskets WHERE hash(basket_id) % 3 = 0",
        folder / "web_visits.csv",
    )
    _copy(
        connection,
        "SELECT DISTINCT 'w' || household_id AS web_key, household_id AS customer FROM baskets",
        folder / "logins.csv",
    )
    _copy(
        connection,
        "SELECT DISTINCT household_id AS customer_id, "
        "CASE hash(household_id) % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'south' END AS region, "
        "18 + hash(household_id) % 60 AS age FROM baskets",
        folder / "people.csv",
    )


WRITERS = {"events": _events, "invoices": _invoices, "bare": _bare, "silos": _silos}
