"""Rhythm: what a history says of how often customers come back."""

import pytest

from training.rhythm import Rhythm
from training.tasks import Churn


@pytest.mark.parametrize(
    ("asked", "lost", "told"),
    [
        (1200, 0.25, "in the last 28d 25% of 1,200 were lost"),
        (
            0,
            float("nan"),
            "in the last 28d nobody could be lost: none came in the time before that",
        ),
    ],
)
def test_what_could_not_be_counted_is_said(asked: int, lost: float, told: str) -> None:
    churn = Churn.model_validate({"horizon": "28d", "active": "56d"})
    assert Rhythm(churn, 7.0, 20.0, 100, asked, lost).told == told
