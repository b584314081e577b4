"""Models: registered versions, fetched, proved and ready to score."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from features.errors import ModelError, redacted
from features.settings import Settings
from training import registry
from training.agreement import require_agreement
from training.bundle import BUNDLE, Bundle, load_bundle
from training.money import Value
from training.registry import Task, Version

CACHE = Path("var") / "models"


@dataclass(frozen=True, slots=True)
class Model:
    """A bundle and what it is called in the registry; ``digest`` is that of all it holds."""

    name: str
    version: str
    alias: str
    bundle: Bundle
    digest: str = ""


def load_model(settings: Settings, task: Task, which: str = registry.CHAMPION) -> Model | None:
    """Fetch and prove a model of a task, ``None`` when there is none.

    Args:
        settings: whose registry and project.
        task: which model.
        which: an alias, or the number of a version.

    Raises:
        ModelError: the registry does not answer, or what it holds cannot be trusted.
        ContractError: this code would compute some of the model's signals differently, or the
            settings say otherwise than when it was trained.
    """
    version = registry.find(settings, task, which)
    return None if version is None else fetch_model(settings, task, version, which)


def fetch_model(
    settings: Settings, task: Task, version: Version, which: str = registry.CHAMPION
) -> Model:
    """Fetch and prove a version; one that was fetched before needs no registry.

    The money of its card is what the settings state now, whatever they stated in training.

    Args:
        settings: whose registry and project.
        task: what it must be a model of.
        version: which model.
        which: the alias or number by which it was found.

    Raises:
        RegistryError: the registry does not answer.
        ModelError: what it holds cannot be trusted.
        ContractError: this code would compute some of the model's signals differently, or the
            settings say otherwise than when it was trained.
    """
    cache = settings.path.parent / CACHE
    folder = registry.fetch(settings, version, cache)
    try:
        bundle = load_bundle(folder)
    except ModelError:  # the copy may be damaged: take another before giving up
        shutil.rmtree(folder)
        folder = registry.fetch(settings, version, cache)
        bundle = load_bundle(folder)
    if bundle.card.task != task:
        raise ModelError(
            f"model '{version.name}' version {version.version}",
            f"a model of {bundle.card.task}",
            f"a model of {task}",
            f"Put the alias '{registry.CHAMPION}' back on a version that training registered.",
        )
    require_agreement(settings, f"'{version.name}' version {version.version}", bundle)
    digest = hashlib.sha256((folder / BUNDLE).read_bytes()).hexdigest()
    return Model(version.name, version.version, which, _with_money(settings, bundle), digest)


def _with_money(settings: Settings, bundle: Bundle) -> Bundle:
    """Return a bundle by the money of now: no model learns from it."""
    costs, currency = settings.section("value", Value).model_dump(), settings.project.currency
    return replace(bundle, card=replace(bundle.card, costs=costs, currency=currency))


def require_model(settings: Settings, task: Task, which: str = registry.CHAMPION) -> Model:
    """Return a model of a task as ``load_model`` does.

    Raises:
        ModelError: there is none, besides the reasons of ``load_model``.
    """
    model = load_model(settings, task, which)
    if model is None:
        place = redacted(registry.tracking_uri(settings))
        sought = f"no version {which}" if which.isdigit() else f"no version with alias '{which}'"
        raise ModelError(
            f"model '{registry.MODEL_NAMES[task]}'",
            f"{sought} at {place}",
            "a trained model",
            f"Run `python -m training main --settings {settings.path}`; a model that is kept "
            "elsewhere is found by [tracking] uri or MLFLOW_TRACKING_URI.",
        )
    return model
