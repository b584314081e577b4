"""A model of the simulated bank, held against the truth that no real data set has."""

import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from features.sources.bank_tables import TRUTH, write_tables
from features.sources.bank_truth import leaving_probability
from tests.processes import environment

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
END, HORIZON, STEP = date(2025, 1, 1), timedelta(90), timedelta(44)


def best_possible(truth: Path) -> float:
    """Mean AUC of the truth itself over the instants at which training tests."""
    rows = pq.read_table(truth, columns=["customer", "left_on"]).to_pylist()
    left = {row["customer"]: row["left_on"] for row in rows if row["left_on"]}
    found = []
    for day in (END - HORIZON - n * STEP for n in range(6)):
        known = leaving_probability(truth, day, HORIZON.days)
        gone = [left.get(c, END) < day + HORIZON for c in known["customer"].to_pylist()]
        found.append(roc_auc_score(gone, known["probability"].to_numpy()))
    return float(np.mean(found))


def test_a_model_sees_bad_treatment_and_no_more_than_the_truth(tmp_path: Path) -> None:
    write_tables(tmp_path / "data" / "bank", 3_000, 1)
    settings = shutil.copy(ROOT / "rapport-bank.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "training", "churn", "--settings", str(settings)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    by = {name: float(auc) for name, auc in re.findall(r"(\w+) +AUC (\d\.\d+)", done.stdout)}
    (model,) = re.findall(r"^  AUC (\d\.\d+)", done.stdout, re.MULTILINE)
    truth = best_possible(tmp_path / "data" / "bank" / TRUTH)
    assert by["rfm"] < 0.55, "what they buy says nothing here: how they are treated does"
    assert 0.60 < float(model) < truth + 0.01, f"the truth reaches {truth:.3f}"
