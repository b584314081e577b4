"""A registry of the shop's own, whose champions a test may change."""

import shutil
from pathlib import Path
from typing import Any

from features.settings import Settings, read_settings
from training import registry
from training.models import CACHE
from training.registry import MODEL_NAMES, Task


def copy_of(shop: Settings, folder: Path) -> Settings:
    """Return the shop's settings, tables and registry in a folder of their own."""
    for path in shop.path.parent.iterdir():
        if path.is_file() and path.suffix in (".csv", ".toml", ".db"):
            shutil.copy(path, folder)
    return read_settings(folder / "rapport.toml")


def register(settings: Settings, task: Task, source: str) -> str:
    """Register what lies at a source as the newest version and champion; return its number."""
    version = _client(settings).create_model_version(MODEL_NAMES[task], source)
    crown(settings, task, version.version)
    return str(version.version)


def crown(settings: Settings, task: Task, version: str | int) -> None:
    """Make a version the champion."""
    _client(settings).set_registered_model_alias(MODEL_NAMES[task], "champion", str(version))


def uncrown(settings: Settings, task: Task) -> None:
    """Leave a model without a champion."""
    _client(settings).delete_registered_model_alias(MODEL_NAMES[task], "champion")


def source_of(settings: Settings, task: Task, folder: Path) -> Path:
    """Return a copy of the champion's files, in a folder below which they may be damaged."""
    version = registry.find(settings, task, "1")
    assert version is not None
    bundle = registry.fetch(settings, version, settings.path.parent / CACHE)
    shutil.copytree(bundle, folder / "artifacts" / "bundle")
    return folder


def _client(settings: Settings) -> Any:
    return registry.open_registry(settings).MlflowClient()
