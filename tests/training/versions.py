"""Registered versions for tests, without training: a bundle's folder logged to a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from features.settings import Settings
from training import registry
from training.bundle import Bundle, save_bundle
from training.registry import Task, Version


def register(
    settings: Settings, bundle: Bundle, folder: Path, task: Task = "churn", **card: Any
) -> Version:
    """Register a bundle as the next version of its model; ``card`` changes its card."""
    mlflow = registry.open_registry(settings)
    client, name = mlflow.MlflowClient(), registry.MODEL_NAMES[task]
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(name)
    if mlflow.get_experiment_by_name("tests") is None:
        mlflow.create_experiment("tests", artifact_location=(folder / "artifacts").as_uri())
    experiment = mlflow.get_experiment_by_name("tests").experiment_id
    run = client.create_run(experiment)
    number = len(client.search_model_versions(f"name='{name}'"))
    place = folder / f"{name}-{number}"
    save_bundle(replace(bundle, card=replace(bundle.card, task=task, **card)), place)
    client.log_artifacts(run.info.run_id, str(place), "model/artifacts/bundle")
    client.set_terminated(run.info.run_id)
    source = f"{run.info.artifact_uri}/model"
    tags = {registry.PROJECT_TAG: settings.project.name}
    return registry.version_of(
        client.create_model_version(name, source, run.info.run_id, tags=tags)
    )
