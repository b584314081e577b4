"""A small shop: tables as a user has them, with customers who drift away, from a seed."""

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path

OPENED, CLOSED = datetime(2024, 1, 1), datetime(2024, 12, 31)
TOPICS = ("tea", "milk", "bread", "fruit")
CAMPAIGNS = 10
SETTINGS = """
[project]
name = "shop"
timezone = "Europe/London"
currency = "GBP"
clock = "2024-12-31T00:00:00"

[[interactions]]
source = "purchases.csv"
kind = "purchase"
channel = "store"
columns = { customer_id = "customer", occurred_at = "at", interaction_id = "id", amount = "paid" }
numbers = { items = "n_items" }

[[interactions]]
source = "items.csv"
kind = "item"
columns = { customer_id = "customer", occurred_at = "at", topic = "what", amount = "paid" }

[[interactions]]
source = "offers_sent.csv"
columns = { customer_id = "customer", occurred_at = "at", offer_id = "offer" }

[[attributes]]
source = "people.csv"
columns = { customer_id = "customer" }

[offers]
source = "offers.csv"

[roles]
value = ["purchase"]
detail = ["item"]
negative = ["complaint"]
offer_shown = ["offer_shown"]
offer_accepted = ["offer_accepted"]

[churn]
horizon = "28d"
active = "42d"

[serving]
store = "sqlite:///var/shop.db"
"""


def write_shop(folder: Path, n_customers: int = 260, seed: int = 1) -> Path:
    """Write a shop's tables and settings into a folder, and return the settings' path."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[list[object]]] = {
        "purchases.csv": [["customer", "at", "id", "paid", "n_items"]],
        "items.csv": [["customer", "at", "what", "paid"]],
        "offers_sent.csv": [["customer", "at", "offer", "kind"]],
        "people.csv": [["customer", "town", "age"]],
        "offers.csv": [
            ["offer_id", "topics", "value", "cost", "channels", "valid_from", "valid_to", "style"]
        ],
    }
    starts = [OPENED + timedelta(days=60 + 32 * c) for c in range(CAMPAIGNS)]
    for c, start in enumerate(starts):
        ends = start + timedelta(days=24)
        tables["offers.csv"].append(
            [f"o{c}", TOPICS[c % 4], 8, 0.4, "post", start.date(), ends.date(), "AB"[c % 2]]
        )
    for number in range(n_customers):
        _customer(rng, f"{number:04d}", starts, tables)
    for name, rows in tables.items():
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    path = folder / "rapport.toml"
    path.write_text(SETTINGS)
    return path


def _customer(
    rng: random.Random,
    customer: str,
    campaigns: list[datetime],
    tables: dict[str, list[list[object]]],
) -> None:
    gap = rng.lognormvariate(1.8, 0.6)
    favourite = rng.choice(TOPICS)
    tables["people.csv"].append([customer, rng.choice(["Bath", "Ayr", ""]), rng.randrange(18, 90)])
    at = OPENED + timedelta(days=rng.uniform(0, 120))
    leaves = at + timedelta(days=rng.expovariate(1 / (160 + 25 * gap)) + 30)
    n = 0
    while at < min(leaves, CLOSED):
        n_items = rng.randrange(1, 5)
        paid = round(n_items * rng.uniform(1, 6), 2)
        stamp = at.isoformat(timespec="seconds")
        tables["purchases.csv"].append([customer, stamp, f"{customer}-{n}", paid, n_items])
        for _ in range(n_items):
            what = favourite if rng.random() < 0.6 else rng.choice(TOPICS)
            tables["items.csv"].append([customer, stamp, what, round(paid / n_items, 2)])
        n += 1
        at += timedelta(days=rng.expovariate(1 / gap) + 0.1)
    for c, start in enumerate(campaigns):
        if rng.random() < 0.7:
            sent = start.isoformat(timespec="seconds")
            tables["offers_sent.csv"].append([customer, sent, f"o{c}", "offer_shown"])
            likely = 0.5 if TOPICS[c % 4] == favourite and start < leaves else 0.05
            if rng.random() < likely and start + timedelta(days=20) < CLOSED:
                taken = (start + timedelta(days=rng.uniform(1, 20))).isoformat(timespec="seconds")
                tables["offers_sent.csv"].append([customer, taken, f"o{c}", "offer_accepted"])
