"""Predictions: those that a model was tested by, kept with its run for who looks closer later."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import average_precision_score, roc_auc_score

from features import clock
from features.errors import ModelError
from features.settings import Settings
from training.evaluation import Float64, Int8, Tested, calibration_error
from training.models import Model
from training.registry import answering

FILE = "tested.parquet"
PREFIX = "p."
METRICS: dict[str, Callable[[Int8, Float64], float]] = {
    "AUC": lambda label, p: float(roc_auc_score(label, p)),
    "average precision": lambda label, p: float(average_precision_score(label, p)),
    "ECE": calibration_error,
}


def log_tested(mlflow: ModuleType, tested: Tested) -> None:
    """Log predictions of test rows to the open run; customers are numbers that name nobody."""
    columns: dict[str, object] = {
        "customer": np.unique(tested.customer, return_inverse=True)[1],
        "instant": tested.instant,
        "label": tested.label,
    }
    columns |= {f"{PREFIX}{name}": p for name, p in tested.predictions.items()}
    if tested.amount is not None:
        columns["amount"] = tested.amount
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        pq.write_table(pa.table(columns), path)
        mlflow.log_artifact(str(path))


def tested_of(settings: Settings, model: Model) -> Tested:
    """Return the predictions by which a registered model was tested.

    Each row was predicted by the same recipe, fitted on what was known before its instant.

    Raises:
        RegistryError: MLflow does not answer.
        ModelError: the model was registered before they were kept.
    """
    with answering(settings) as mlflow, tempfile.TemporaryDirectory() as folder:
        client = mlflow.MlflowClient()
        run_id = client.get_model_version(model.name, model.version).run_id
        if FILE not in {file.path for file in client.list_artifacts(run_id)}:
            raise ModelError(
                f"tests of '{model.name}' version {model.version}",
                f"no {FILE} in its run",
                "the predictions that it was tested by",
                "Models trained from now on keep them: train again, and promote the new version or "
                "ask for it by its number.",
            )
        found = pq.read_table(client.download_artifacts(run_id, FILE, folder))
    column = {name: found[name].to_numpy() for name in found.column_names}
    return Tested(
        customer=column["customer"],
        instant=column["instant"],
        label=column["label"],
        predictions={
            name.removeprefix(PREFIX): values
            for name, values in column.items()
            if name.startswith(PREFIX)
        },
        amount=column.get("amount"),
    )


def by_instant(tested: Tested, zone: str = "UTC") -> pd.DataFrame:
    """Return the metrics of the model and of each baseline at every test instant.

    Args:
        tested: predictions; instants with labels of one class only are left out.
        zone: whose dates the instants are told in.

    Returns:
        A row an instant; the columns are (metric, model), the first two ``rows`` and ``positive``,
        the share of positives.
    """
    rows = {}
    for instant in np.unique(tested.instant):
        at = tested.instant == instant
        label = tested.label[at]
        if len(np.unique(label)) < 2:
            continue
        told: dict[tuple[str, str], float] = {("rows", ""): len(label)}
        told["positive", ""] = float(label.mean())
        for title, metric in METRICS.items():
            for name, p in tested.predictions.items():
                told[title, name] = metric(label, p[at])
        rows[clock.to_datetime(int(instant), zone).date()] = told
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index.name = "as of"
    return found
