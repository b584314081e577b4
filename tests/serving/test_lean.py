"""The start of the service: what it does without, and what comes back for who asks."""

import subprocess
import sys

from tests.processes import environment

LEAN = """
import sys
import serving.service
print(*sorted({"sklearn", "scipy.stats", "pandas", "mlflow", "optuna"} & sys.modules.keys()))
"""
BACK = """
import serving.service
import numpy, pandas
from sklearn.linear_model import LogisticRegression
assert LogisticRegression().fit([[0.0], [1.0]], [0, 1]).predict([[1.0]])[0] == 1
print(pandas.DataFrame({"a": [1]})["a"].sum())
"""


def said(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    return done.stdout.strip()


def test_the_service_imports_nothing_that_only_training_needs() -> None:
    assert said(LEAN) == ""


def test_what_was_left_out_can_be_had_later() -> None:
    assert said(BACK) == "1"
