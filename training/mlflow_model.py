"""The model as MLflow serves it: a file that MLflow runs instead of a pickle."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.categories import Categories
from features.values import SignalValues
from training.bundle import Bundle, load_bundle


class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Scores rows of named signals with a bundle: probabilities, not labels."""

    bundle: Bundle

    def load_context(self, context: Any) -> None:
        """Read the bundle that was logged beside this file."""
        self.bundle = load_bundle(Path(context.artifacts["bundle"]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the probability of each row; columns are the signals, by name."""
        plan, categories = self.bundle.plan, Categories()
        matrix = np.empty((len(model_input), len(plan.signals)))
        for j, (name, category) in enumerate(zip(plan.names, plan.categories, strict=True)):
            column = model_input[name]
            if category:
                texts = [None if pd.isna(value) else str(value) for value in column]
                matrix[:, j] = [categories.encode(value, number=False) for value in texts]
            else:
                matrix[:, j] = column.to_numpy(dtype=np.float64)
        return self.bundle.score(self.bundle.encode(SignalValues(plan, matrix, categories)))


mlflow.models.set_model(BundleModel())
