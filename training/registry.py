"""The registry: model versions in MLflow, found by alias and fetched as bundles."""

import hashlib
import importlib
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from features.errors import ModelError, redacted
from features.sections import Section
from features.settings import Settings

Task = Literal["churn", "offers"]
MODEL_NAMES: dict[Task, str] = {"churn": "rapport-churn", "offers": "rapport-offers"}
CHAMPION, CHALLENGER = "champion", "challenger"
RECIPE_TAG, PROJECT_TAG = "rapport.recipe", "rapport.project"
SQLITE = "sqlite:///"
# A server that restarts is waited for, half a minute at most; one that is gone is told of soon.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4", "MLFLOW_HTTP_REQUEST_TIMEOUT": "15"}
# Who serves has a model at hand, and asks again soon.
HASTE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
QUIET = {
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# MLflow writes the URI it is given into the environment: what we chose is not the user's choice.
_DEFAULTS: set[str] = set()


class RegistryError(ModelError):
    """The registry does not answer, or its artifacts are not where it says: try again later."""


class ArtifactsMissing(Exception):
    """The registry names artifacts that are not where it says."""


@dataclass(frozen=True, slots=True)
class Version:
    """A registered model version."""

    name: str
    version: str
    model_uri: str
    source: str
    recipe: str | None


class Tracking(Section):
    """``[tracking]``: where runs and models are kept, a URI of MLflow's.

    A relative SQLite path starts at the settings file's folder. The environment's
    ``MLFLOW_TRACKING_URI`` comes before it.
    """

    uri: str = "sqlite:///mlflow.db"


def tracking_uri(settings: Settings) -> str:
    """Return where runs are tracked: ``MLFLOW_TRACKING_URI``, else what ``[tracking]`` says."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if given and given not in _DEFAULTS:
        return given
    default = settings.database(settings.section("tracking", Tracking).uri)
    _DEFAULTS.add(default)
    return default


def hurry() -> None:
    """Give up soon on a server that does not answer, in this process and those it starts."""
    for name, value in HASTE.items():
        if os.environ.get(name) in (None, PATIENCE[name]):
            os.environ[name] = value
    # Each attempt would be a line; what came of it is told once.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def open_registry(settings: Settings) -> ModuleType:
    """Return MLflow, pointed at the settings' tracking server; what the user set of it stays."""
    for name, value in (QUIET | PATIENCE).items():
        os.environ.setdefault(name, value)
    mlflow = importlib.import_module("mlflow")

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    # An environment made by uv has no pip, and needs none.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    uri = tracking_uri(settings)
    if uri.startswith(SQLITE):
        Path(uri.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    return mlflow


@contextmanager
def answering(settings: Settings) -> Iterator[ModuleType]:
    """Give MLflow, and turn what is wrong with it into an error for people."""
    mlflow = open_registry(settings)
    try:
        yield mlflow
    except (mlflow.exceptions.MlflowException, ArtifactsMissing) as error:
        raise RegistryError(
            "model registry",
            redacted(str(error).splitlines()[0]),
            "an MLflow that answers and holds its artifacts",
            f"Check the server at {redacted(tracking_uri(settings))}, or set MLFLOW_TRACKING_URI.",
        ) from error


def champion(settings: Settings, task: Task) -> Version | None:
    """Return the version that serves, ``None`` when there is none yet.

    Raises:
        RegistryError: MLflow does not answer.
        ModelError: its champion is of another project.
    """
    return find(settings, task, CHAMPION)


def may_have_champion(settings: Settings, task: Task) -> bool:
    """Return whether there may be a champion, ``False`` where a SQLite registry shows none.

    It takes no MLflow, whose import is most of the time that a first question takes.
    """
    uri = tracking_uri(settings)
    if not uri.startswith(SQLITE):
        return True
    path = Path(uri.removeprefix(SQLITE))
    if not path.is_file():
        return False
    query = "SELECT count(*) FROM registered_model_aliases WHERE name = ? AND alias = ?"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            (found,) = opened.execute(query, (MODEL_NAMES[task], CHAMPION)).fetchone()
    except sqlite3.Error:  # another MLflow's tables: it will say
        return True
    return bool(found)


def find(settings: Settings, task: Task, which: str) -> Version | None:
    """Return the version of an alias or of a number, ``None`` when there is none.

    Raises:
        RegistryError: MLflow does not answer.
        ModelError: the version is of another project.
    """
    with answering(settings) as mlflow:
        client, name = mlflow.MlflowClient(), MODEL_NAMES[task]
        get = client.get_model_version if which.isdigit() else client.get_model_version_by_alias
        try:
            found = get(name, which)
        except mlflow.exceptions.MlflowException as error:
            no_alias = error.error_code == "INVALID_PARAMETER_VALUE" and "not found" in str(error)
            if error.error_code == "RESOURCE_DOES_NOT_EXIST" or no_alias:
                return None
            raise
    project = found.tags.get(PROJECT_TAG, settings.project.name)
    if project != settings.project.name:
        told = f"a {which} of" if not which.isdigit() else f"version {which} of"
        raise ModelError(
            f"model '{found.name}'",
            f"{told} the project '{project}'",
            f"one of '{settings.project.name}'",
            "Keep each project's settings in a folder, or on an MLflow server, of its own.",
        )
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
    """Copy a version's bundle below ``folder`` unless it is there, and return its path.

    Raises:
        RegistryError: it is not there, and MLflow does not answer or does not have it.
    """
    # A registry that is begun anew counts its versions anew.
    which = hashlib.sha256(version.source.encode()).hexdigest()[:8]
    place = folder / version.name / f"{version.version}-{which}"
    if not place.exists():
        partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
        with tempfile.TemporaryDirectory() as scratch:
            with answering(settings) as mlflow:
                try:
                    path = mlflow.artifacts.download_artifacts(
                        f"{version.model_uri}/artifacts/bundle", dst_path=scratch
                    )
                except OSError as error:
                    raise ArtifactsMissing(str(error)) from error
            shutil.copytree(path, partial)
        if place.exists():  # another process was faster
            shutil.rmtree(partial)
        else:
            partial.rename(place)
    return place
