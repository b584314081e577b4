"""Answers: what a model says of many rows, as columns, the same for every way of scoring all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.batch import Spine
from features.categories import Categories
from features.offers import Offer
from features.values import SignalValues
from features.wording import Wording
from training.models import Model
from training.money import Stakes
from training.reasons import Told, sayer, told
from training.risks import risks

Float64 = npt.NDArray[np.float64]
TIME = pa.timestamp("us", tz="UTC")
REMEMBERED = 100_000
"""How many phrases are remembered while rows are told."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a model's scores at an instant (microseconds UTC) are written down.

    ``offers`` are those each customer is scored for, by id; empty for a churn model.
    """

    model: Model
    wording: Wording
    as_of: int
    n_reasons: int
    offers: Mapping[str, Offer]

    @property
    def keys(self) -> list[str]:
        """The columns that name a row within one run."""
        return ["customer_id", "offer_id"] if self.offers else ["customer_id"]

    @property
    def stakes(self) -> Stakes | None:
        """What a customer and a contact are worth, by the card of a churn model."""
        card = self.model.bundle.card
        return Stakes.of(card.costs) if card.task == "churn" else None

    @property
    def schema(self) -> pa.Schema:
        """The columns of the scores."""
        fields = [("customer_id", pa.string())]
        fields += [("offer_id", pa.string())] if self.offers else []
        fields += [("as_of", TIME)]
        fields += [] if self.offers else [("status", pa.string())]
        fields += [("probability", pa.float64())]
        fields += [("expected_value", pa.float64())] if self.offers else [("band", pa.string())]
        if self.stakes:
            fields += [("value_at_risk", pa.float64()), ("contacting_pays", pa.bool_())]
        for i in range(1, self.n_reasons + 1):
            fields += [(f"reason_{i}", pa.string()), (f"reason_{i}_effect", pa.float64())]
            fields += [(f"reason_{i}_signal", pa.string())]
        return pa.schema([*fields, ("model", pa.string()), ("model_version", pa.string())])

    def answerer(self, categories: Categories) -> Callable[[Spine, SignalValues], pa.Table]:
        """Return what gives the scores of at least one row, and remembers how it is put.

        Args:
            categories: of all values that it will be given.
        """
        meanings = self.model.bundle.meanings
        say = lru_cache(REMEMBERED)(sayer(meanings, self.wording, categories))

        def answer(spine: Spine, values: SignalValues) -> pa.Table:
            columns, effects = self._scored(spine, values)
            reasons = told(meanings, say, values, effects, self.n_reasons)
            return self._table(spine, columns, reasons)

        return answer

    def _table(self, spine: Spine, columns: dict[str, object], reasons: Told) -> pa.Table:
        n = len(spine)
        columns |= {"customer_id": spine.customer_id, "offer_id": spine.offer_id}
        columns |= {"as_of": spine.as_of, "model": pa.repeat(self.model.name, n)}
        columns |= {"model_version": pa.repeat(self.model.version, n)}
        for i, (texts, names) in enumerate(zip(reasons.texts, reasons.signals, strict=True), 1):
            columns[f"reason_{i}"], columns[f"reason_{i}_signal"] = texts, names
            effects = reasons.effects[:, i - 1]
            columns[f"reason_{i}_effect"] = pa.array(effects, mask=np.isnan(effects))
        nothing = [None] * n  # one may ask for more reasons than there are groups of meaning
        schema = self.schema
        return pa.table(
            [pa.array(columns.get(f.name, nothing), f.type) for f in schema], schema=schema
        )

    def _scored(self, spine: Spine, values: SignalValues) -> tuple[dict[str, object], Float64]:
        """Return the columns of scores, and the effects of signals, shape ``(n, n_signals)``."""
        bundle = self.model.bundle
        if spine.offer_id is not None:
            explained = bundle.explain(bundle.encode(values))
            likely = explained.probability.tolist()
            named = zip(spine.offer_id.to_pylist(), likely, strict=True)
            worth = [self.offers[offer].worth(p) for offer, p in named]
            return {"probability": likely, "expected_value": worth}, explained.effects
        found = risks(bundle, self.stakes, values)
        columns: dict[str, object] = {
            "status": found.status,
            "probability": found.probability,
            "band": found.band,
            "value_at_risk": found.at_risk,
            "contacting_pays": found.pays,
        }
        return columns, found.effects
