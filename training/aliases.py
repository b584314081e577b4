"""Aliases: which version serves (``champion``), which would (``challenger``), which served before.

MLflow's registry knows no transactions: whoever moves an alias first takes a lock, a registered
model of an agreed name, which only one process can create on any store and over HTTP.
"""

import os
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from features.errors import ContractError, ModelError
from features.settings import Settings
from training import registry
from training.agreement import differences, require_agreement
from training.bundle import Bundle, Card, load_bundle
from training.registry import CHALLENGER, CHAMPION, MODEL_NAMES, Task, Version

HISTORY_TAG = "rapport.champions"
"""Of the registered model: the versions that were champion, oldest first."""
REMEMBERED = 50
HOLDER_TAG, HELD_TAG = "rapport.holder", "rapport.held"
PATIENCE, PAUSE = 60.0, 0.2
"""Seconds to wait for the lock, and between two attempts: whoever holds it reads one bundle."""
_LEFT: set[str] = set()
"""Tokens of locks that this process could not free, as the connection was lost: still its own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The alias that a new version got, and why."""

    alias: str
    why: str


def enter(settings: Settings, task: Task, version: Version, card: Card) -> Standing:
    """Make a new version the challenger, or champion where no champion can stand beside it.

    Raises:
        ModelError: MLflow does not answer, or another process holds the lock for too long.
    """
    with _locked(settings, task) as client:
        current = registry.champion(settings, task)
        why = unfit(settings, current, card)
        if current and why is None:
            client.set_registered_model_alias(version.name, CHALLENGER, version.version)
            return Standing(CHALLENGER, f"version {current.version} stays champion")
        _crown(client, current, version)
        return Standing(CHAMPION, str(why))


def unfit(settings: Settings, current: Version | None, card: Card) -> str | None:
    """Return why no champion can stand beside a model with this card, ``None`` if one can."""
    if current is None:
        return "there was no champion"
    champion = readable(settings, current)
    if isinstance(champion, str):
        return champion
    if found := differences(settings, champion):
        told = "; ".join(found)
        return f"the settings say otherwise now than for version {current.version}: {told}"
    if dict(champion.card.settings) != dict(card.settings):
        return f"champion version {current.version} was trained for other settings of the task"
    return None


def readable(settings: Settings, version: Version) -> Bundle | str:
    """Return a version's bundle, or why this code cannot read it.

    Raises:
        ModelError: MLflow does not answer, so that nobody can say.
    """
    try:
        return bundle_of(settings, version)
    except (ModelError, ContractError) as error:
        if isinstance(error.__cause__, registry.open_registry(settings).exceptions.MlflowException):
            raise
        return f"version {version.version} cannot be read by this code ({error})"


def bundle_of(settings: Settings, version: Version) -> Bundle:
    """Fetch and prove a version's bundle; raises as ``registry.fetch`` and ``load_bundle``."""
    with tempfile.TemporaryDirectory() as folder:
        return load_bundle(registry.fetch(settings, version, Path(folder)))


def promote(
    settings: Settings, task: Task, champion: Version | None, challenger: Version
) -> str | None:
    """Make the challenger champion, if both are still what they were when they were compared.

    Returns:
        ``None``, or why it was not done: another process has moved an alias since.

    Raises:
        ModelError: MLflow does not answer, or another process holds the lock for too long.
    """
    with _locked(settings, task) as client:
        for alias, then in ((CHAMPION, champion), (CHALLENGER, challenger)):
            now = registry.find(settings, task, alias)
            if (now and now.version) != (then and then.version):
                return (
                    f"meanwhile another process made {_called(now)} {alias}, which was "
                    f"{_called(then)} when they were compared"
                )
        _crown(client, champion, challenger)
        return None


def roll_back(settings: Settings, task: Task) -> tuple[Version, Version]:
    """Make the champion before the current one champion again; return which was, and which is.

    Each time goes one champion further back.

    Raises:
        ModelError: there was none before, or this code cannot read it.
        ContractError: it would compute its signals differently, or the settings say otherwise.
    """
    with _locked(settings, task) as client:
        current = registry.champion(settings, task)
        past = earlier(settings, task, current) if current else []
        if current is None or not past:
            raise ModelError(
                f"model '{MODEL_NAMES[task]}'",
                f"no champion before {_called(current)}",
                "an earlier champion to go back to",
                "Promote another version, or set the alias in MLflow by hand.",
            )
        name = current.name
        previous = registry.version_of(client.get_model_version(name, past[-1]))
        found = f"'{name}' version {previous.version}"
        require_agreement(settings, found, bundle_of(settings, previous))
        client.set_registered_model_alias(name, CHAMPION, previous.version)
        client.set_registered_model_tag(name, HISTORY_TAG, ",".join(past))
        return current, previous


def earlier(settings: Settings, task: Task, current: Version) -> list[str]:
    """Return the versions that were champion before the current one, oldest first."""
    with registry.answering(settings) as mlflow:
        return _before(mlflow.MlflowClient(), current)


def unlock(settings: Settings, task: Task) -> bool:
    """Remove the lock that a process left when it was killed; return whether there was one."""
    with registry.answering(settings) as mlflow:
        client = mlflow.MlflowClient()
        if _tags(mlflow, client, _lock(task)) is None:
            return False
        client.delete_registered_model(_lock(task))
        return True


def _called(version: Version | None) -> str:
    return f"version {version.version}" if version else "no version"


def _crown(client: Any, current: Version | None, version: Version) -> None:
    """Make a version champion and remember the current one.

    The history is written first: a process that dies before it moves the alias leaves a history
    that holds its champion, from which a later one goes on.
    """
    if current and current.version == version.version:  # a promotion that was killed half-way
        client.delete_registered_model_alias(version.name, CHALLENGER)
        return
    past = [*_before(client, current), current.version] if current else []
    history = ",".join([*past, version.version][-REMEMBERED:])
    client.set_registered_model_tag(version.name, HISTORY_TAG, history)
    client.set_registered_model_alias(version.name, CHAMPION, version.version)
    client.delete_registered_model_alias(version.name, CHALLENGER)


def _before(client: Any, current: Version) -> list[str]:
    """Return the champions before the current one which still exist, oldest first."""
    tags = client.get_registered_model(current.name).tags
    history = [version for version in tags.get(HISTORY_TAG, "").split(",") if version]
    if current.version in history:
        history = history[: len(history) - 1 - history[::-1].index(current.version)]
    existing = {str(v.version) for v in client.search_model_versions(f"name='{current.name}'")}
    return [version for version in history if version in existing and version != current.version]


def _lock(task: Task) -> str:
    return f"{MODEL_NAMES[task]}-lock"


@contextmanager
def _locked(settings: Settings, task: Task) -> Iterator[Any]:
    """Give MLflow's client while no other process moves the aliases of this model."""
    with registry.answering(settings) as mlflow:
        client = mlflow.MlflowClient()
        token = _take(mlflow, client, _lock(task), uuid.uuid4().hex)
        try:
            yield client
        finally:
            try:
                held = _tags(mlflow, client, _lock(task))
                if held is not None and held.get(HOLDER_TAG) == token:
                    client.delete_registered_model(_lock(task))
                _LEFT.discard(token)
            except mlflow.exceptions.MlflowException:
                _LEFT.add(token)
                raise


def _take(mlflow: ModuleType, client: Any, lock: str, token: str) -> str:
    """Return the token under which the lock is held: the one given, or one that was left."""
    deadline = time.monotonic() + PATIENCE
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    held = f"since {since} by process {os.getpid()} on {socket.gethostname()}"
    while True:
        try:
            client.create_registered_model(lock, tags={HOLDER_TAG: token, HELD_TAG: held})
            return token
        except mlflow.exceptions.MlflowException as error:
            # it may be deleted while MLflow words that it exists
            if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"):
                raise
        tags = _tags(mlflow, client, lock)
        if tags is not None and tags.get(HOLDER_TAG) in {token, *_LEFT}:
            return str(tags[HOLDER_TAG])  # a request whose answer was lost had taken it
        if tags is not None and time.monotonic() > deadline:
            raise ModelError(
                f"lock '{lock}'",
                f"one held {tags.get(HELD_TAG, 'by something else')}",
                "to move the aliases alone",
                "Wait for that process; if it was killed, run "
                "`python -m training promote --unlock`.",
            )
        time.sleep(PAUSE)


def _tags(mlflow: ModuleType, client: Any, lock: str) -> dict[str, str] | None:
    try:
        tags: dict[str, str] = client.get_registered_model(lock).tags
    except mlflow.exceptions.MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return tags
