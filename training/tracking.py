"""Tracking: what a training run leaves in MLflow, and the version that it registers."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from features.settings import Settings
from training.bundle import save_bundle
from training.pipeline import Trained
from training.recipe import requirements
from training.registry import (
    CHAMPION,
    MODEL_NAMES,
    PROJECT_TAG,
    RECIPE_TAG,
    Version,
    answering,
    open_registry,
    tracking_uri,
    version_of,
)

ARTIFACTS = "mlartifacts"


@contextmanager
def tracked(settings: Settings, title: str) -> Iterator[None]:
    """Keep a run open: the one that ``mlflow run`` began, else a new one."""
    with answering(settings) as mlflow:
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


def register(settings: Settings, trained: Trained, recipe: str | None, report: str) -> Version:
    """Log a trained model and its report to the open run, register it, and make it champion."""
    mlflow = open_registry(settings)
    name = MODEL_NAMES[trained.task]
    _log(mlflow, trained)
    mlflow.log_text(report, "report.html")
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
            pip_requirements=requirements(),
            registered_model_name=name,
        )
    version = str(info.registered_model_version)
    client = mlflow.MlflowClient()
    client.set_model_version_tag(name, version, RECIPE_TAG, recipe or "")
    client.set_model_version_tag(name, version, PROJECT_TAG, settings.project.name)
    client.set_model_version_tag(name, version, "fingerprint", trained.bundle.fingerprint)
    client.set_registered_model_alias(name, CHAMPION, version)
    return version_of(client.get_model_version(name, version))


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
    if trained.slices:
        told = [{**asdict(each), "off": each.off} for each in trained.slices]
        mlflow.log_dict({"slices": told}, "slices.json")
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
