"""Money: whom contacting pays for, by what the settings say a customer and a contact are worth.

The model says who is likely to leave, not who would stay for being contacted: ``save_rate`` is
the share of those that does, assumed in the settings or measured against a control group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from features.errors import SettingsError, nearest
from features.plan import Plan
from features.sections import Section

Float64 = npt.NDArray[np.float64]
Band = Literal["low", "medium", "high"]


class Value(Section):
    """``[value]``: money, for decisions. ``training.money`` says how.

    What it says today counts, whatever it said when a model was trained.
    """

    at_risk: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | str = 0.0
    contact_cost: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0
    save_rate: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is at stake with a customer, in the project's currency.

    Contacting a customer who leaves with probability ``p`` is expected to bring
    ``p * save_rate * at_risk - contact_cost``.

    Attributes:
        at_risk: what is lost with a customer: an amount, or the name of a signal or attribute.
        contact_cost: what contacting one costs.
        save_rate: the share of those about to leave who stay when contacted.
    """

    at_risk: float | str
    contact_cost: float
    save_rate: float

    @classmethod
    def of(cls, costs: Mapping[str, Any]) -> "Stakes | None":
        """Return the stakes of ``[value]``, ``None`` unless it states all three."""
        stakes = cls(**{name: costs.get(name, 0.0) for name in cls.__slots__})
        stated = stakes.at_risk and stakes.contact_cost > 0 and stakes.save_rate > 0
        return stakes if stated else None

    def column(self, plan: Plan) -> int | None:
        """Return the place of the signal that says what is at risk; ``None`` for an amount.

        Raises:
            SettingsError: no numeric signal has this name.
        """
        if not isinstance(self.at_risk, str):
            return None
        numeric = [n for n, c in zip(plan.names, plan.categories, strict=True) if not c]
        for name in (self.at_risk, f"attribute_{self.at_risk}"):
            if name in numeric:
                return plan.names.index(name)
        raise SettingsError(
            "[value] at_risk",
            repr(self.at_risk),
            "an amount, or the name of a numeric signal of the churn model or of an attribute",
            nearest(self.at_risk, numeric),
        )

    def amounts(self, plan: Plan, matrix: Float64) -> Float64:
        """Return what is at risk with each encoded row, shape ``(n,)``; missing is NaN."""
        column = self.column(plan)
        if column is None:
            return np.full(len(matrix), float(self.at_risk))
        found: Float64 = matrix[:, column].astype(np.float64)
        return found

    def bring(self, probability: Float64 | float, amounts: Float64 | float) -> Float64:
        """Return what contacting each is expected to bring, costs deducted.

        >>> Stakes(400.0, 5.0, 0.25).bring(np.array([0.01, 0.25]), np.array([400.0, 400.0]))
        array([-4., 20.])
        """
        return np.asarray(probability * self.save_rate * amounts - self.contact_cost)

    def band(self, probability: float, amount: float) -> Band:
        """Return ``high`` where contacting pays, ``medium`` where it would at twice the risk."""
        if self.bring(probability, amount) > 0.0:
            return "high"
        return "medium" if self.bring(min(1.0, 2.0 * probability), amount) > 0.0 else "low"


@dataclass(frozen=True, slots=True)
class ProfitCurve:
    """What contacting the most promising share of customers brings, in money a customer.

    All of shape ``(n + 1,)``, from contacting nobody to everybody: ``share`` of customers,
    ``expected`` by the model's probabilities, ``realised`` by who left in fact. ``best`` is the
    share whose contact is expected to pay.
    """

    share: Float64
    expected: Float64
    realised: Float64
    best: float

    @property
    def at_best(self) -> tuple[float, float]:
        """What contacting the best share was expected to bring a customer, and would have."""
        place = round(self.best * (len(self.share) - 1))
        return float(self.expected[place]), float(self.realised[place])


def profit_curve(
    stakes: Stakes, label: npt.NDArray[np.int8], probability: Float64, amounts: Float64
) -> ProfitCurve:
    """Return what would have come of contacting those tested, the most promising first.

    Args:
        stakes: what a customer and a contact are worth.
        label: 1 for who left, shape ``(n,)``.
        probability: the model's, shape ``(n,)``.
        amounts: what is at risk with each, shape ``(n,)``; nobody is contacted for NaN.
    """
    known = ~np.isnan(amounts)
    expected = np.where(known, stakes.bring(probability, amounts), 0.0)
    realised = np.where(known, stakes.bring(label.astype(np.float64), amounts), 0.0)
    order = np.argsort(-expected, kind="stable")
    n = len(label)
    return ProfitCurve(
        share=np.arange(n + 1) / n,
        expected=np.concatenate(([0.0], np.cumsum(expected[order]))) / n,
        realised=np.concatenate(([0.0], np.cumsum(realised[order]))) / n,
        best=float((expected > 0.0).sum()) / n,
    )


def tercile_band(probability: float, terciles: Sequence[float] | None) -> Band:
    """Return the band of a probability where no money is stated: thirds of the cohort."""
    low, high = terciles or (0.0, 0.0)
    if probability < low:
        return "low"
    return "medium" if probability < high else "high"
