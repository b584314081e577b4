"""Risks: what a churn model says of customers, the same for one that asks as for all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.catalog import RECENCY
from features.values import SignalValues
from features.wording import Wording
from training.bundle import Bundle
from training.money import Stakes, tercile_band
from training.reasons import Reason, reasons_of

Float64 = npt.NDArray[np.float64]
Status = Literal["in_cohort", "lapsed", "unknown"]


@dataclass(frozen=True, slots=True)
class ChurnScore:
    """One customer's risk. Effects of reasons and ``other_effect`` sum to
    ``probability - baseline``. ``value_at_risk`` is probability times what would be lost;
    ``contacting_pays`` by the settings' cost and save rate. Both are ``None`` where the settings
    or the customer's signals do not say."""

    customer_id: str
    status: Status
    probability: float
    baseline: float
    base_rate: float
    band: str
    reasons: list[Reason]
    other_effect: float
    value_at_risk: float | None = None
    contacting_pays: bool | None = None


def statuses(bundle: Bundle, matrix: Float64) -> list[Status]:
    """Return for each encoded row whether the churn model speaks for the customer."""
    never = np.isnan(matrix[:, bundle.plan.names.index(RECENCY)])  # no value interaction, ever
    inside = bundle.in_cohort(matrix)
    return [
        "unknown" if none else "in_cohort" if known else "lapsed"
        for none, known in zip(never.tolist(), inside.tolist(), strict=True)
    ]


def churn_scores(
    bundle: Bundle,
    wording: Wording,
    stakes: Stakes | None,
    customers: Sequence[str],
    values: SignalValues,
    n_reasons: int,
) -> list[ChurnScore]:
    """Return the risk of each customer.

    Args:
        bundle: the churn model.
        wording: how the deployment calls things.
        stakes: what a customer and a contact are worth, ``None`` where nothing says.
        customers: at least one.
        values: a row of signals for each of them, in order.
        n_reasons: how many reasons to give for each.
    """
    matrix = bundle.encode(values)
    explained = bundle.explain(matrix)
    baseline, base_rate = explained.baseline, bundle.card.base_rate
    scores = []
    for i, (customer, status) in enumerate(zip(customers, statuses(bundle, matrix), strict=True)):
        if status == "unknown":
            rest = base_rate - baseline
            scores.append(
                ChurnScore(customer, status, base_rate, baseline, base_rate, status, [], rest)
            )
            continue
        probability = float(explained.probability[i])
        reasons, rest = reasons_of(
            bundle.plan, wording, values.row(i), explained.effects[i], n_reasons
        )
        band, at_risk, pays = str(status), None, None
        if status == "in_cohort":
            band, at_risk, pays = _money(bundle, stakes, probability, matrix[[i]])
        scores.append(
            ChurnScore(
                customer,
                status,
                probability,
                baseline,
                base_rate,
                band,
                reasons,
                rest,
                at_risk,
                pays,
            )
        )
    return scores


def _money(
    bundle: Bundle, stakes: Stakes | None, probability: float, matrix: Float64
) -> tuple[str, float | None, bool | None]:
    """Return the band, the value at risk and whether contacting pays, of one encoded row."""
    amount = float(stakes.amounts(bundle.plan, matrix)[0]) if stakes else np.nan
    if stakes is None or np.isnan(amount):
        return tercile_band(probability, bundle.card.bands), None, None
    band = stakes.band(probability, amount)
    return band, probability * amount, band == "high"
