"""The recipe: a fingerprint of everything a model follows from, to know when it is current."""

import hashlib
import importlib.metadata
import json
from pathlib import Path

from features import clock, kernel
from features.settings import Settings
from features.sources.digest import data_digest
from training.parameters import parameters_of
from training.registry import MODEL_NAMES

LAYERS = ("features", "training")
# What scoring a bundle needs; MLflow pins the versions installed now.
REQUIREMENTS = (
    "mlflow",
    "lightgbm",
    "numba",
    "numpy",
    "pandas",
    "pydantic",
    "scikit-learn",
    "scipy",
    "tzdata",
)


def requirements() -> list[str]:
    """Return what scoring a bundle needs, with the versions installed."""
    return [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]


def recipe_of(settings: Settings) -> str | None:
    """Return the fingerprint of settings, data, code and libraries.

    ``None`` where a source is a database: nothing says cheaply whether it changed.
    """
    data = data_digest(settings)
    if data is None:
        return None
    raw = {name: part for name, part in settings.raw.items() if name != "serving"}
    stated = {task: parameters_of(settings, task) for task in MODEL_NAMES}
    facts = [data, raw, stated, requirements(), clock.TZDATA_VERSION, kernel.ENGINE_VERSION]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    digest.update(code_digest().encode())
    return digest.hexdigest()[:16]


def code_digest() -> str:
    """Return the fingerprint of the code that models follow from."""
    digest, root = hashlib.sha256(), Path(__file__).parent.parent
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
