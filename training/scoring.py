"""Scoring: every customer by a model at one instant, part by part, as the API would answer."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from features.batch import Spine, compute
from features.declaration import ROLES
from features.errors import DataError
from features.history import History
from features.sections import Roles
from features.snapshots import snapshot_spine
from features.values import SignalValues
from features.wording import Wording
from training.models import Model
from training.money import Stakes
from training.reasons import Reason, reasons_of
from training.risks import churn_scores

PART, BLOCK = 20_000, 250
"""Rows that are computed and kept together, and rows that a thread explains at a time."""
TIME = pa.timestamp("us", tz="UTC")
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is asked: a model's scores of customers at an instant (microseconds UTC).

    ``offers`` are the offers each customer is scored for; empty for a churn model.
    """

    model: Model
    history: History
    wording: Wording
    as_of: int
    n_reasons: int
    customers: pa.Array
    offers: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The columns that name a row within one run."""
        return ["customer_id", "offer_id"] if self.offers else ["customer_id"]

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The customers of each part, as the place of the first and of the one after the last."""
        step = max(1, PART // max(1, len(self.offers)))
        n = len(self.customers)
        return [(first, min(first + step, n)) for first in range(0, n, step)]

    def rows_of(self, part: tuple[int, int]) -> int:
        """Return how many rows a part has."""
        return (part[1] - part[0]) * max(1, len(self.offers))

    @property
    def schema(self) -> pa.Schema:
        """The columns of the scores."""
        fields = [("customer_id", pa.string())]
        fields += [("offer_id", pa.string())] if self.offers else []
        fields += [("as_of", TIME)]
        fields += [] if self.offers else [("status", pa.string())]
        fields += [("probability", pa.float64())]
        fields += [("expected_value", pa.float64())] if self.offers else [("band", pa.string())]
        if not self.offers and stakes_of(self.model):
            fields += [("value_at_risk", pa.float64()), ("contacting_pays", pa.bool_())]
        for i in range(1, self.n_reasons + 1):
            fields += [(f"reason_{i}", pa.string()), (f"reason_{i}_effect", pa.float64())]
            fields += [(f"reason_{i}_signal", pa.string())]
        return pa.schema([*fields, ("model", pa.string()), ("model_version", pa.string())])


def stakes_of(model: Model) -> Stakes | None:
    """Return what a customer and a contact are worth by the settings a model was trained with."""
    return Stakes.of(model.bundle.card.costs) if model.bundle.card.task == "churn" else None


def scoring_of(model: Model, history: History, roles: Roles, as_of: int, n_reasons: int) -> Scoring:
    """Ask for the scores of every customer, an offer model's for each offer that is valid.

    Raises:
        DataError: no offer is valid at the instant.
        SettingsError: what is at risk is the name of no signal.
    """
    offers: tuple[str, ...] = ()
    if model.bundle.card.task == "offers":
        offers = tuple(sorted(o.offer_id for o in history.offers.values() if o.open_at(as_of)))
        if not offers:
            raise DataError(
                "offers",
                f"none of {len(history.offers):,} that is valid then",
                "an offer that can be accepted at the instant",
                "Name another instant with --at, or bring the table of offers up to date.",
            )
    if stakes := stakes_of(model):
        stakes.column(model.bundle.plan)  # a name that is no signal is refused now
    return Scoring(
        model=model,
        history=history,
        wording=Wording({r: roles.kinds(r) for r in ROLES}, model.bundle.card.currency),
        as_of=as_of,
        n_reasons=n_reasons,
        customers=snapshot_spine(history, [as_of]).customer_id,
        offers=offers,
    )


def scores(scoring: Scoring, part: tuple[int, int], progress: Progress) -> pa.Table:
    """Return the scores of one part, by customer and offer.

    Signals are computed for the part together; its rows are explained side by side, each block
    on one thread, for the ensemble works without Python's lock.

    Args:
        scoring: what is asked.
        part: one of ``scoring.parts``.
        progress: called with the number of rows done since the last call.
    """
    n_offers = max(1, len(scoring.offers))
    customers = scoring.customers[slice(*part)].take(
        pa.array(np.repeat(np.arange(part[1] - part[0]), n_offers))
    )
    offers = pa.array(list(scoring.offers) * (part[1] - part[0])) if scoring.offers else None
    spine = Spine(customers, np.full(len(customers), scoring.as_of, dtype=np.int64), offers)
    values = compute(scoring.model.bundle.plan, scoring.history, spine)
    names = customers.to_pylist()
    rows_of = _offer_rows if scoring.offers else _churn_rows

    def block(first: int) -> list[dict[str, Any]]:
        last = min(first + BLOCK, len(names))
        some = SignalValues(values.plan, values.matrix[first:last], values.categories)
        return list(rows_of(scoring, names[first:last], some, first))

    found = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows in pool.map(block, range(0, len(names), BLOCK)):
            found.append(pa.Table.from_pylist(rows, schema=scoring.schema))
            progress(len(rows))
    return pa.concat_tables(found)


def _churn_rows(
    scoring: Scoring, customers: Sequence[str], values: SignalValues, first: int
) -> Iterator[dict[str, Any]]:
    stakes = stakes_of(scoring.model)
    bundle, wording = scoring.model.bundle, scoring.wording
    for score in churn_scores(bundle, wording, stakes, customers, values, scoring.n_reasons):
        yield {
            **_common(scoring, score.customer_id, score.reasons),
            "status": score.status,
            "probability": score.probability,
            "band": score.band,
            "value_at_risk": score.value_at_risk,
            "contacting_pays": score.contacting_pays,
        }


def _offer_rows(
    scoring: Scoring, customers: Sequence[str], values: SignalValues, first: int
) -> Iterator[dict[str, Any]]:
    bundle = scoring.model.bundle
    explained = bundle.explain(bundle.encode(values))
    for i, customer in enumerate(customers):
        offer = scoring.history.offers[scoring.offers[(first + i) % len(scoring.offers)]]
        probability = float(explained.probability[i])
        reasons, _ = reasons_of(
            bundle.plan, scoring.wording, values.row(i), explained.effects[i], scoring.n_reasons
        )
        yield {
            **_common(scoring, customer, reasons),
            "offer_id": offer.offer_id,
            "probability": probability,
            "expected_value": offer.worth(probability),
        }


def _common(scoring: Scoring, customer: str, reasons: list[Reason]) -> dict[str, Any]:
    """Return what every row says; a reason's signal is the strongest of those behind it."""
    row: dict[str, Any] = {
        "customer_id": customer,
        "as_of": scoring.as_of,
        "model": scoring.model.name,
        "model_version": scoring.model.version,
    }
    for i, reason in enumerate(reasons, 1):
        row[f"reason_{i}"], row[f"reason_{i}_effect"] = reason.text, reason.effect
        row[f"reason_{i}_signal"] = reason.signals[0][0]
    return row
