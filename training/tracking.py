"""Tracking: what a training run leaves in MLflow, and the version that it registers."""

import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from features import clock
from features.contract import contract_of
from features.errors import redacted
from features.settings import Settings
from training.bundle import save_bundle
from training.evaluation import Evaluation
from training.models import Model
from training.pipeline import Trained
from training.predictions import log_tested
from training.provenance import code_version, dataset_digest, log_dataset
from training.recipe import requirements
from training.registry import (
    MODEL_NAMES,
    PROJECT_TAG,
    RECIPE_TAG,
    Version,
    answering,
    open_registry,
    tracking_uri,
    version_of,
)
from training.signature import example_of, signature_of
from training.tuning import Tuned

ARTIFACTS = "mlartifacts"
CODE_TAG, FAILURE_TAG = "code_version", "failure"
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
MOST_OF_REASON = 1_000


@contextmanager
def tracked(settings: Settings, title: str) -> Iterator[None]:
    """Keep a run open: the one that ``mlflow run`` began, else a new one.

    What ends it early is kept with it: the status FAILED, and the reason as the tag ``failure``.

    Raises:
        ModelError: MLflow does not answer.
    """
    with answering(settings) as mlflow:
        if "MLFLOW_RUN_ID" not in os.environ and mlflow.active_run() is None:
            _choose_experiment(mlflow, settings)
        run = mlflow.start_run(run_name=title, nested=mlflow.active_run() is not None)
        try:
            mlflow.set_tag(CODE_TAG, code_version())
            yield
        except BaseException as error:
            _fail(mlflow, run.info.run_id, error)
            raise
        mlflow.end_run()


def _fail(mlflow: ModuleType, run_id: str, error: BaseException) -> None:
    """Close the open run as failed; a server that has gone cannot be told."""
    reason = redacted(str(error).partition("\n")[0]) or type(error).__name__
    before = os.environ.get(RETRIES)
    os.environ[RETRIES] = "1"  # the failure itself was waited for already
    try:
        # First of all: MLflow closes at exit what is still open, as finished.
        mlflow.end_run("FAILED")
        mlflow.MlflowClient().set_tag(run_id, FAILURE_TAG, reason[:MOST_OF_REASON])
    except mlflow.exceptions.MlflowException:
        logging.getLogger(__name__).warning(
            "MLflow could not be told that run %s failed: it may still be shown as running", run_id
        )
    finally:
        if before is None:
            del os.environ[RETRIES]
        else:
            os.environ[RETRIES] = before


def _choose_experiment(mlflow: ModuleType, settings: Settings) -> None:
    name = settings.project.name
    if mlflow.get_experiment_by_name(name) is None:
        local = tracking_uri(settings).startswith("sqlite:")
        place = (settings.path.parent.resolve() / ARTIFACTS).as_uri() if local else None
        mlflow.create_experiment(name, artifact_location=place)
    mlflow.set_experiment(name)


def register(
    settings: Settings, trained: Trained, recipe: str | None, report: str, known_until: int
) -> Version:
    """Log a trained model and its report to the open run, and register it.

    A version appears with its artifacts and tags or not at all; ``aliases.enter`` comes after.

    Args:
        settings: where to.
        trained: the model with its evidence.
        recipe: the fingerprint of all that it follows from, if there is one.
        report: the page about it, HTML.
        known_until: the end of the history that it learned from, microseconds UTC.
    """
    mlflow = open_registry(settings)
    name, card = MODEL_NAMES[trained.task], trained.bundle.card
    digest = dataset_digest(trained.dataset, trained.bundle.vocabularies)
    signature = signature_of(mlflow, trained.bundle)
    facts = {
        "rows": card.rows,
        "customers": len(np.unique(trained.dataset.customer)),
        "positives": int(trained.dataset.label.sum()),
        "known_until": clock.isoformat(known_until),
        RECIPE_TAG: recipe or "",
    }
    log_dataset(mlflow, settings, trained.task, digest, signature.inputs, facts)
    _log(mlflow, trained, clock.isoformat(known_until))
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
            signature=signature,
            input_example=example_of(trained.bundle),
            pip_requirements=requirements(),
        )
    tags = {
        RECIPE_TAG: recipe or "",
        PROJECT_TAG: settings.project.name,
        CODE_TAG: code_version(),
        "task": trained.task,
        "rows": str(card.rows),
        "trained_until": card.trained_until,
        "auc": f"{card.metrics['auc']:.4f}",
        "fingerprint": trained.bundle.fingerprint,
        "data": digest,
    }
    with redirect_stderr(io.StringIO()):  # where MLflow tells what we tell
        version = mlflow.register_model(info.model_uri, name, tags=tags).version
    client = mlflow.MlflowClient()
    return version_of(client.get_model_version(name, version))


def _log(mlflow: ModuleType, trained: Trained, known_until: str) -> None:
    card = trained.bundle.card
    mlflow.log_params({f"task.{key}": value for key, value in card.settings.items()})
    mlflow.log_params(
        {
            **{key: str(value) for key, value in trained.fitted.parameters_.items()},
            "rows": card.rows,
            "signals": len(trained.bundle.plan.signals),
            "trained_from": card.trained_from,
            "trained_until": card.trained_until,
            "known_until": known_until,
            "calibrator": str(asdict(trained.bundle.calibrator)),
            **{f"left_out.{why}": n for why, n in trained.dataset.left_out.items()},
        }
    )
    evaluation = trained.evaluation
    _log_evaluation(mlflow, evaluation)
    mlflow.log_dict(contract_of(trained.bundle.plan), "signal_contract.json")
    if trained.notes:
        mlflow.log_text("\n".join(trained.notes), "notes.txt")
    if trained.slices:
        told = [{**asdict(each), "off": each.off} for each in trained.slices]
        mlflow.log_dict({"slices": told}, "slices.json")
    for name, figure in trained.figures.items():
        mlflow.log_figure(figure, name)
    log_tested(mlflow, trained.tested)


def log_evaluation(
    settings: Settings, model: Model, known_until: int, evaluation: Evaluation
) -> None:
    """Log to the open run what a registered model reached on rows that it had not seen."""
    with answering(settings) as mlflow:
        mlflow.log_params(
            {
                # `mlflow run` keeps the command's own options under their plain names.
                "model.name": model.name,
                "model.version": model.version,
                "model.trained_until": model.bundle.card.trained_until,
                "known_until": clock.isoformat(known_until),
            }
        )
        _log_evaluation(mlflow, evaluation)


def _log_evaluation(mlflow: ModuleType, evaluation: Evaluation) -> None:
    mlflow.log_metrics(dict(evaluation.metrics))
    mlflow.log_metrics({f"auc.{name}": value for name, value in evaluation.auc.items()})
    for name, (mean, low, high) in evaluation.gain.items():
        mlflow.log_metrics(
            {f"gain.{name}": mean, f"gain.{name}.low": low, f"gain.{name}.high": high}
        )
    for step, (_, metrics) in enumerate(sorted(evaluation.by_instant.items())):
        mlflow.log_metrics({f"test.{name}": v for name, v in metrics.items()}, step=step)


def log_trial(settings: Settings, number: int, parameters: Mapping[str, Any], loss: float) -> None:
    """Log a trial of tuning as a run within the open one."""
    with answering(settings) as mlflow, mlflow.start_run(run_name=f"trial {number}", nested=True):
        mlflow.log_params(dict(parameters))
        mlflow.log_metric("log_loss", loss)


def log_tuned(settings: Settings, tuned: Tuned) -> None:
    """Log to the open run what tuning found."""
    with answering(settings) as mlflow:
        mlflow.log_params({f"best.{name}": value for name, value in tuned.parameters.items()})
        figures = ("loss", "default_loss", "gain", "error", "trials")
        mlflow.log_metrics({name: float(getattr(tuned, name)) for name in figures})
