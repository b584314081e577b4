"""The signature: what MLflow is told of a model's columns, and made-up rows as an example."""

from types import ModuleType
from typing import Any

import pandas as pd

from features.contract import probes_of
from training.bundle import Bundle


def signature_of(mlflow: ModuleType, bundle: Bundle) -> Any:
    """Return MLflow's signature: the signals by name, numbers as doubles, and a probability."""
    plan = bundle.plan
    # Floats even where a signal counts: a required integer could not be missing.
    columns = [
        mlflow.types.ColSpec("string" if category else "double", name, required=False)
        for name, category in zip(plan.names, plan.categories, strict=True)
    ]
    return mlflow.models.ModelSignature(
        inputs=mlflow.types.Schema(columns),
        outputs=mlflow.types.Schema([mlflow.types.ColSpec("double")]),
    )


def example_of(bundle: Bundle) -> pd.DataFrame:
    """Return rows of signals to call the model with: those of the probe histories, nobody's own."""
    plan = bundle.plan
    rows = [probe["expected"] for probe in probes_of(plan, bundle.vocabularies)]
    columns = dict(zip(plan.names, zip(*rows, strict=True), strict=True))
    return pd.DataFrame(
        {
            name: pd.Series(columns[name], dtype=object)
            if category
            else [float.fromhex(bits) for bits in columns[name]]
            for name, category in zip(plan.names, plan.categories, strict=True)
        }
    )
