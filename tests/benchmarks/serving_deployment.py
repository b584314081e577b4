"""The deployment that is measured: the settings' models over a store and a catalogue of its own."""

import csv
import json
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from features.offers import Offer
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from serving.loading import load_offers, open_store
from serving.settings import store_url
from training.registry import tracking_uri

OFFERS, WORTH = 50, 100
"""Worth enough to be proposed to nearly everybody, or there would be no reasons to give."""
VALID = ("2017-01-01", "2019-01-01")
"""Around the demo's clock."""
DAYS = 350


@dataclass(frozen=True, slots=True)
class Deployment:
    """Settings in a scratch folder, and what a process needs to find the models."""

    settings: Settings
    environment: dict[str, str]

    @property
    def path(self) -> Path:
        """The settings' file."""
        return self.settings.path

    def near(self, size: int, n: int) -> list[str]:
        """Return so many stored customers whose number of interactions is nearest to a size."""
        query = sa.text(
            "SELECT customer_id FROM interactions GROUP BY customer_id "
            "ORDER BY abs(count(*) - :size), customer_id LIMIT :n"
        )
        engine = sa.create_engine(store_url(self.settings))
        with engine.connect() as connection:
            found = [str(name) for name in connection.scalars(query, {"size": size, "n": n})]
        engine.dispose()
        return found


@contextmanager
def deployed(settings_path: Path) -> Iterator[Deployment]:
    """Give a deployment with the settings' history in its store and fifty valid offers.

    The settings are those of the demo, or others whose tables lie in ``data`` and whose table of
    offers is ``data/offers.csv``.
    """
    given = read_settings(settings_path)
    given_offers = list(load_offers(given).values())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "data").symlink_to(given.path.parent.resolve() / "data")
        _write_offers(folder / "offers.csv", given_offers)
        path = folder / "rapport.toml"
        path.write_text(_with_offers(given.path.read_text(encoding="utf-8")), encoding="utf-8")
        uri = tracking_uri(given)
        os.environ["MLFLOW_TRACKING_URI"] = uri
        settings = read_settings(path)
        with open_store(settings) as store:
            store.import_history(read_history(settings), "benchmark")
        more = {"MLFLOW_TRACKING_URI": uri, "RAPPORT_SETTINGS": str(path)}
        yield Deployment(settings, more)


def _with_offers(text: str) -> str:
    """Return settings with our catalogue in the place of theirs."""
    before, _, after = text.partition("[offers]")
    rest = after.partition("\n[")[2]
    return f'{before}[offers]\nsource = "offers.csv"\n\n[{rest}'


def _write_offers(path: Path, given: Sequence[Offer]) -> None:
    """Write fifty offers with the topics of those given in turn, all valid."""
    further = list(given[0].attributes)
    names = ("offer_id", "topics", "value", "customer_value", "cost", "channels")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "valid_from", "valid_to", *further])
        for n in range(OFFERS):
            like = given[n % len(given)]
            told = [f"b{n}", "|".join(sorted(like.topics)), WORTH + n, 4.0, 0.5, "post"]
            writer.writerow([*told, *VALID, *(like.attributes[name] for name in further)])


def batches(prefix: str, customers: Sequence[str], size: int, n: int, seed: int = 7) -> list[str]:
    """Return bodies of ``POST /v1/interactions``: so many of a size, of these customers in turn."""
    rng = random.Random(seed)
    kinds, bodies = ("purchase", "item", "item", "item"), []
    for batch in range(n):
        items = []
        for place in range(size):
            day, kind = rng.randrange(1, DAYS), rng.choice(kinds)
            items.append(
                {
                    "customer_id": customers[(batch * size + place) % len(customers)],
                    "interaction_id": f"{prefix}-{batch}-{place}",
                    "kind": kind,
                    "channel": "store",
                    "occurred_at": f"2017-{1 + day // 30:02d}-{1 + day % 28:02d}"
                    f"T{rng.randrange(8, 20):02d}:{rng.randrange(60):02d}:00Z",
                    "topic": f"TOPIC {rng.randrange(40)}" if kind == "item" else None,
                    "amount": round(rng.lognormvariate(2, 1), 2),
                }
            )
        bodies.append(json.dumps({"interactions": items}))
    return bodies
