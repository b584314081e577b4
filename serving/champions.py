"""Champions: which versions served last, remembered beside the copies of their bundles."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from features.errors import ModelError
from features.settings import Settings
from training.models import CACHE
from training.registry import MODEL_NAMES, Task, Version


def remember(settings: Settings, versions: Mapping[Task, Version]) -> None:
    """Write down what serves now, whole or not at all.

    Raises:
        OSError: the folder cannot be written to.
    """
    place = _place(settings)
    place.parent.mkdir(parents=True, exist_ok=True)
    plain = {task: asdict(version) for task, version in versions.items()}
    with tempfile.NamedTemporaryFile("w", dir=place.parent, delete=False) as file:
        json.dump(plain, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(place)


def recall(settings: Settings) -> dict[Task, Version]:
    """Return what served last, nothing when nothing did.

    Raises:
        ModelError: the file cannot be read as what ``remember`` wrote.
    """
    place = _place(settings)
    try:
        plain = json.loads(place.read_text(encoding="utf-8"))
        return {task: Version(**plain[task]) for task in MODEL_NAMES if task in plain}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"'{place}'",
            f"{type(error).__name__}: {error}",
            "what the service wrote when it last swapped its models",
            "Remove the file; it is written again when the registry answers.",
        ) from error


def _place(settings: Settings) -> Path:
    # A folder may hold the settings of several projects, whose models have the same names.
    project = hashlib.sha256(settings.project.name.encode()).hexdigest()[:8]
    return settings.path.parent / CACHE / f"champions-{project}.json"
