"""Provenance: the data set and the code that a model follows from, as MLflow keeps them."""

import hashlib
import importlib.metadata
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from features.errors import redacted
from features.settings import Settings
from features.values import SignalValues
from training.dataset import Dataset

ROOT = Path(__file__).parent.parent
CHUNK = 100_000


def code_version() -> str:
    """Return the git commit that runs, ``-dirty`` if it was changed, else the package's version."""
    if (ROOT / ".git").exists():  # an installed package may lie in somebody else's repository
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        try:
            found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            return found.stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return _package_version()  # no git on this machine, or not its user's repository
    return _package_version()


def _package_version() -> str:
    try:
        return importlib.metadata.version("rapport")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"  # a copied folder


def sources_of(settings: Settings) -> list[str]:
    """Return the sources that the settings name, without users, passwords and queries."""
    tables = [*settings.interactions, *settings.attributes, settings.identities, settings.offers]
    return [redacted(table.source) for table in tables if table]


def dataset_digest(dataset: Dataset, vocabularies: Mapping[str, Sequence[str]]) -> str:
    """Return a fingerprint of rows, labels and signals: data that come out alike have one."""
    plan, values = dataset.values.plan, dataset.values
    digest = hashlib.sha256("\n".join(plan.names).encode())
    for array in (dataset.customer, dataset.as_of, dataset.ends, dataset.label):
        digest.update(np.ascontiguousarray(array).data)
    for begin in range(0, len(dataset), CHUNK):
        part = SignalValues(plan, values.matrix[begin : begin + CHUNK], values.categories)
        digest.update(np.ascontiguousarray(part.encode(vocabularies)).data)
    return digest.hexdigest()[:16]


def log_dataset(
    mlflow: ModuleType, settings: Settings, name: str, digest: str, schema: Any, facts: Any
) -> None:
    """Log the data set as the open run's input: what it is, never its rows.

    Args:
        mlflow: with a run open.
        settings: name the sources.
        name: of the data set.
        digest: its fingerprint.
        schema: MLflow's schema of its signals.
        facts: further facts by name, such as the number of rows.
    """
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    source = CodeDatasetSource({"sources": sources_of(settings)})
    found = MetaDataset(source, name=name, digest=digest, schema=schema)
    mlflow.log_input(
        found, context="training", tags={key: str(value) for key, value in facts.items()}
    )
