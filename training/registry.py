"""The registry: models tracked in MLflow, found again by alias."""

import importlib.metadata
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from features.errors import ModelError
from features.settings import Settings
from training.bundle import save_bundle
from training.pipeline import Task, Trained

MODEL_NAMES: dict[Task, str] = {"churn": "rapport-churn", "offers": "rapport-offers"}
CHAMPION = "champion"
RECIPE_TAG = "rapport.recipe"
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
# What scoring a bundle needs; MLflow pins the versions installed now.
REQUIREMENTS = ("mlflow", "lightgbm", "numba", "numpy", "pandas", "pydantic", "scikit-learn",
                "scipy", "tzdata")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """A registered model version."""

    name: str
    version: str
    model_uri: str
    recipe: str | None


def tracking_uri(settings: Settings) -> str:
    """Return where runs are tracked: ``MLFLOW_TRACKING_URI``, else SQLite beside the settings."""
    local = f"sqlite:///{settings.path.parent.resolve() / DATABASE}"
    return os.environ.get("MLFLOW_TRACKING_URI") or local


def open_registry(settings: Settings) -> ModuleType:
    """Return MLflow, pointed at the settings' tracking server, telemetry off."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(tracking_uri(settings))
    return mlflow


@contextmanager
def tracked(settings: Settings, title: str) -> Iterator[None]:
    """Keep a run open: the one that ``mlflow run`` began, else a new one."""
    mlflow = open_registry(settings)
    if "MLFLOW_RUN_ID" not in os.environ and mlflow.active_run() is None:
        _choose_experiment(mlflow, settings)
    with mlflow.start_run(run_name=title, nested=mlflow.active_run() is not None):
        yield


def _choose_experiment(mlflow: ModuleType, settings: Settings) -> None:
    name = settings.project.name
    if mlflow.get_experiment_by_name(name) is None:
        local = tracking_uri(settings).startswith("sqlite:")
        place = (settings.path.parent.resolve() / ARTIFACTS).as_uri() if local else None
        mlflow.create_experiment(name, artifact_location=place)
    mlflow.set_experiment(name)


def register(settings: Settings, trained: Trained, recipe: str | None) -> Version:
    """Log a trained model to the open run, register it, and make it champion."""
    mlflow = open_registry(settings)
    name = MODEL_NAMES[trained.task]
    _log(mlflow, trained)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints of MLflow's that ask for what is given elsewhere
        bundle = Path(folder) / "bundle"
        save_bundle(trained.bundle, bundle)
        root = Path(__file__).parent
        info = mlflow.pyfunc.log_model(
            name=name,
            python_model=str(root / "mlflow_model.py"),
            artifacts={"bundle": str(bundle)},
            code_paths=[str(root), str(root.parent / "features")],
            signature=_signature(mlflow, trained),
            pip_requirements=[f"{p}=={importlib.metadata.version(p)}" for p in REQUIREMENTS],
            registered_model_name=name,
        )
    version = str(info.registered_model_version)
    client = mlflow.MlflowClient()
    client.set_model_version_tag(name, version, RECIPE_TAG, recipe or "")
    client.set_model_version_tag(name, version, "fingerprint", trained.bundle.fingerprint)
    client.set_registered_model_alias(name, CHAMPION, version)
    return Version(name, version, info.model_uri, recipe)


def _log(mlflow: ModuleType, trained: Trained) -> None:
    card = trained.bundle.card
    mlflow.log_params({f"task.{key}": value for key, value in card.settings.items()})
    mlflow.log_params(
        {
            **{key: str(value) for key, value in trained.fitted.parameters.items()},
            "rows": card.rows,
            "signals": len(trained.bundle.plan.signals),
            "trained_from": card.trained_from,
            "trained_until": card.trained_until,
            "calibrator": str(asdict(trained.bundle.calibrator)),
            **{f"left_out.{why}": n for why, n in trained.dataset.left_out.items()},
        }
    )
    evaluation = trained.evaluation
    mlflow.log_metrics(dict(evaluation.metrics))
    mlflow.log_metrics({f"auc.{name}": value for name, value in evaluation.auc.items()})
    for name, (mean, low, high) in evaluation.gain.items():
        mlflow.log_metrics(
            {f"gain.{name}": mean, f"gain.{name}.low": low, f"gain.{name}.high": high}
        )
    for step, (_, metrics) in enumerate(sorted(evaluation.by_instant.items())):
        mlflow.log_metrics({f"test.{name}": v for name, v in metrics.items()}, step=step)
    for name, figure in trained.figures.items():
        mlflow.log_figure(figure, name)


def _signature(mlflow: ModuleType, trained: Trained) -> Any:
    plan = trained.bundle.plan
    columns = [
        mlflow.types.ColSpec("string" if category else "double", name, required=False)
        for name, category in zip(plan.names, plan.categories, strict=True)
    ]
    return mlflow.models.ModelSignature(
        inputs=mlflow.types.Schema(columns),
        outputs=mlflow.types.Schema([mlflow.types.ColSpec("double")]),
    )


def champion(settings: Settings, task: Task) -> Version | None:
    """Return the version that serves, ``None`` when there is none yet."""
    mlflow = open_registry(settings)
    try:
        found = mlflow.MlflowClient().get_model_version_by_alias(MODEL_NAMES[task], CHAMPION)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise ModelError(
            "model registry", str(error).splitlines()[0], "an MLflow that answers",
            f"Check the server at {tracking_uri(settings)}, or set MLFLOW_TRACKING_URI.",
        ) from error  # fmt: skip
    return Version(
        found.name, str(found.version), f"models:/{found.name}/{found.version}",
        found.tags.get(RECIPE_TAG),
    )  # fmt: skip


def fetch(settings: Settings, version: Version, folder: Path) -> Path:
    """Copy a version's bundle below ``folder`` unless it is there, and return its path."""
    mlflow = open_registry(settings)
    place = folder / version.name / version.version
    if not place.exists():
        partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
        with tempfile.TemporaryDirectory() as scratch:
            path = mlflow.artifacts.download_artifacts(
                f"{version.model_uri}/artifacts/bundle", dst_path=scratch
            )
            shutil.copytree(path, partial)
        partial.rename(place)
    return place
