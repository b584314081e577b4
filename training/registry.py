"""The registry: model versions in MLflow, found by alias and fetched as bundles."""

import hashlib
import importlib
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from features.errors import ModelError
from features.settings import Settings

Task = Literal["churn", "offers"]
MODEL_NAMES: dict[Task, str] = {"churn": "rapport-churn", "offers": "rapport-offers"}
CHAMPION = "champion"
RECIPE_TAG = "rapport.recipe"
DATABASE = "mlflow.db"
# MLflow writes the URI it is given into the environment: what we chose is not the user's choice.
_DEFAULTS: set[str] = set()


@dataclass(frozen=True, slots=True)
class Version:
    """A registered model version."""

    name: str
    version: str
    model_uri: str
    source: str
    recipe: str | None


def tracking_uri(settings: Settings) -> str:
    """Return where runs are tracked: ``MLFLOW_TRACKING_URI``, else SQLite beside the settings."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if given and given not in _DEFAULTS:
        return given
    default = f"sqlite:///{settings.path.parent.resolve() / DATABASE}"
    _DEFAULTS.add(default)
    return default


def open_registry(settings: Settings) -> ModuleType:
    """Return MLflow, pointed at the settings' tracking server, telemetry off."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    mlflow = importlib.import_module("mlflow")

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(tracking_uri(settings))
    return mlflow


def champion(settings: Settings, task: Task) -> Version | None:
    """Return the version that serves, ``None`` when there is none yet."""
    mlflow = open_registry(settings)
    try:
        found = mlflow.MlflowClient().get_model_version_by_alias(MODEL_NAMES[task], CHAMPION)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise ModelError(
            "model registry",
            str(error).splitlines()[0],
            "an MLflow that answers",
            f"Check the server at {tracking_uri(settings)}, or set MLFLOW_TRACKING_URI.",
        ) from error
    return version_of(found)


def version_of(found: Any) -> Version:
    """Return MLflow's model version as ours."""
    return Version(
        name=found.name,
        version=str(found.version),
        model_uri=f"models:/{found.name}/{found.version}",
        source=str(found.source),
        recipe=found.tags.get(RECIPE_TAG),
    )


def fetch(settings: Settings, version: Version, folder: Path) -> Path:
    """Copy a version's bundle below ``folder`` unless it is there, and return its path."""
    mlflow = open_registry(settings)
    # A registry that is begun anew counts its versions anew.
    which = hashlib.sha256(version.source.encode()).hexdigest()[:8]
    place = folder / version.name / f"{version.version}-{which}"
    if not place.exists():
        partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
        with tempfile.TemporaryDirectory() as scratch:
            path = mlflow.artifacts.download_artifacts(
                f"{version.model_uri}/artifacts/bundle", dst_path=scratch
            )
            shutil.copytree(path, partial)
        partial.rename(place)
    return place
