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


@dataclass(frozen=True, slots=True)
class Risks:
    """What a churn model says of many customers, beside the reasons.

    ``status``, ``band``, ``at_risk`` and ``pays`` have an entry for each; ``effects`` are those of
    signals, shape ``(n, n_signals)``, 0 for who is unknown.
    """

    status: list[Status]
    probability: list[float]
    baseline: float
    effects: Float64
    band: list[str]
    at_risk: list[float | None]
    pays: list[bool | None]


def statuses(bundle: Bundle, matrix: Float64) -> list[Status]:
    """Return for each encoded row whether the churn model speaks for the customer."""
    never = np.isnan(matrix[:, bundle.plan.names.index(RECENCY)])  # no value interaction, ever
    inside = bundle.in_cohort(matrix)
    return [
        "unknown" if none else "in_cohort" if known else "lapsed"
        for none, known in zip(never.tolist(), inside.tolist(), strict=True)
    ]


def risks(bundle: Bundle, stakes: Stakes | None, values: SignalValues) -> Risks:
    """Return the risk of at least one customer.

    Args:
        bundle: the churn model.
        stakes: what a customer and a contact are worth, ``None`` where nothing says.
        values: a row of signals for each customer.
    """
    matrix = bundle.encode(values)
    explained = bundle.explain(matrix)
    status = statuses(bundle, matrix)
    unknown = np.array([each == "unknown" for each in status])
    probability = np.where(unknown, bundle.card.base_rate, explained.probability).tolist()
    amounts = stakes.amounts(bundle.plan, matrix).tolist() if stakes else [np.nan] * len(matrix)
    money = [
        _money(bundle, stakes, p, amount) if known == "in_cohort" else (str(known), None, None)
        for known, p, amount in zip(status, probability, amounts, strict=True)
    ]
    return Risks(
        status,
        probability,
        explained.baseline,
        np.where(unknown[:, None], 0.0, explained.effects),
        [band for band, _, _ in money],
        [at_risk for _, at_risk, _ in money],
        [pays for *_, pays in money],
    )


def churn_scores(
    bundle: Bundle,
    wording: Wording,
    stakes: Stakes | None,
    customers: Sequence[str],
    values: SignalValues,
    n_reasons: int,
) -> list[ChurnScore]:
    """Return the risk of each customer, with reasons.

    Args:
        bundle: the churn model.
        wording: how the deployment calls things.
        stakes: what a customer and a contact are worth, ``None`` where nothing says.
        customers: at least one.
        values: a row of signals for each of them, in order.
        n_reasons: how many reasons to give for each.
    """
    found, base_rate = risks(bundle, stakes, values), bundle.card.base_rate
    told = reasons_of(bundle.meanings, wording, values, found.effects, n_reasons)
    scores = []
    for i, (customer, (reasons, rest)) in enumerate(zip(customers, told, strict=True)):
        status, probability = found.status[i], found.probability[i]
        if status == "unknown":
            rest = base_rate - found.baseline
        scores.append(
            ChurnScore(
                customer,
                status,
                probability,
                found.baseline,
                base_rate,
                found.band[i],
                reasons,
                rest,
                found.at_risk[i],
                found.pays[i],
            )
        )
    return scores


def _money(
    bundle: Bundle, stakes: Stakes | None, probability: float, amount: float
) -> tuple[str, float | None, bool | None]:
    """Return the band, the value at risk and whether contacting pays, of one in the cohort."""
    if stakes is None or np.isnan(amount):
        return tercile_band(probability, bundle.card.bands), None, None
    band = stakes.band(probability, amount)
    return band, probability * amount, band == "high"
