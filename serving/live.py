"""Live models: the scorer that serves, and the watch that puts another in its place."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from features.errors import ContractError, ModelError, RapportError
from features.settings import Settings
from serving import champions
from serving.loading import build_scorer, load_offers
from serving.metrics import meters
from serving.scorer import Scorer
from serving.store import Store
from training import registry
from training.models import Model, fetch_model, require_model
from training.registry import RegistryError, Task, Version

EVERY = 10.0
LOGGER = logging.getLogger(__name__)
REGISTRY, SILENT = "registry", "the model registry does not answer, or lacks its files"


@dataclass(frozen=True, slots=True)
class Served:
    """A scorer, which versions it has, and since when each serves; it never changes."""

    scorer: Scorer
    versions: Mapping[Task, Version]
    since: Mapping[Task, datetime]

    def models(self) -> dict[Task, Model]:
        """Return the models by task."""
        models: dict[Task, Model] = {"churn": self.scorer.churn_model}
        if self.scorer.offer_model is not None:
            models["offers"] = self.scorer.offer_model
        return models


class LiveScorer:
    """Serves the champions: asks the registry for them, and swaps when they change.

    What serves is one reference to something that never changes: a request that took it keeps it
    to its end. Whatever cannot be fetched, proved or built leaves it where it is.

    Args:
        settings: whose models.
        store: the histories.
        swapped: called after each swap, by the thread that made it.

    Raises:
        ModelError: no model can be served: none in the registry, or the registry does not answer
            and none was served before.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        swapped: Callable[[Served], object] = lambda served: None,
    ) -> None:
        registry.hurry()
        self._settings, self._store, self._swapped = settings, store, swapped
        self._offers = load_offers(settings)
        self._tasks: tuple[Task, ...] = ("churn", "offers") if self._offers else ("churn",)
        self._problems: Mapping[str, str] = {}
        self._refused: dict[Task, Version] = {}
        self._alone, self._stop = threading.Lock(), threading.Event()
        self._watch: threading.Thread | None = None
        self._served = self._begin()
        self._remember()

    @property
    def served(self) -> Served:
        """What serves now."""
        return self._served

    @property
    def scorer(self) -> Scorer:
        """The scorer that serves now; one request takes it once."""
        return self._served.scorer

    @property
    def problems(self) -> Mapping[str, str]:
        """What keeps newer models from serving, in words for everybody, by what it is about."""
        return MappingProxyType(self._problems)

    def start(self, every: float = EVERY) -> None:
        """Look for other champions from now on, every so many seconds, until ``close``."""
        self._watch = threading.Thread(target=self._look, args=(every,), daemon=True, name="models")
        self._watch.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._watch is not None:
            self._watch.join(timeout=10)

    def refresh(self) -> bool:
        """Look once for other champions, and return whether the models were swapped."""
        with self._alone:
            problems: dict[str, str] = {}
            before = self._served
            try:
                self._swap(self._champions(), problems)
            except RegistryError as error:
                self._tell(problems, REGISTRY, SILENT, error)
            except ModelError as error:
                self._tell(problems, REGISTRY, "a champion is of another project", error)
            self._note(problems)
        if self._served is before:
            return False
        self._remember()
        self._swapped(self._served)
        return True

    def _look(self, every: float) -> None:
        while not self._stop.wait(every):
            try:
                self.refresh()
            except Exception as error:  # the watch must outlive whatever the registry does
                problems = dict(self._problems)
                self._tell(problems, REGISTRY, "looking for new models failed", error)
                self._note(problems)

    def _champions(self) -> dict[Task, Version | None]:
        return {task: registry.champion(self._settings, task) for task in self._tasks}

    def _swap(self, found: Mapping[Task, Version | None], problems: dict[str, str]) -> None:
        """Put the champions found in the place of what serves, as far as they can be trusted."""
        served = self._served
        models, versions, since = served.models(), dict(served.versions), dict(served.since)
        wanted: list[Task] = []
        for task, version in found.items():
            if version is None:
                if task in models:
                    self._tell(problems, task, f"the registry has no champion of {task} any more")
            elif version == self._refused.get(task):
                problems[task] = self._problems.get(task, _refusal(version))
            elif version != versions.get(task):
                try:
                    models[task] = fetch_model(self._settings, task, version)
                except RegistryError as error:
                    self._tell(problems, REGISTRY, SILENT, error)
                except RapportError as error:
                    self._refuse(problems, task, version, error)
                else:
                    wanted.append(task)
                    versions[task], since[task] = version, datetime.now(UTC)
        if not wanted:
            return
        try:
            scorer = self._build(models)
        except RapportError as error:
            for task in wanted:
                self._refuse(problems, task, versions[task], error)
            return
        self._served = Served(scorer, versions, since)
        for task in wanted:
            LOGGER.info("serves %s version %s now", versions[task].name, versions[task].version)

    def _refuse(
        self, problems: dict[str, str], task: Task, version: Version, error: RapportError
    ) -> None:
        self._refused[task] = version
        self._tell(problems, task, _refusal(version), error)

    def _build(self, models: Mapping[Task, Model]) -> Scorer:
        return build_scorer(
            self._settings, self._store, self._offers, models["churn"], models.get("offers")
        )

    def _begin(self) -> Served:
        """Serve the champions, or what served last where they cannot be had or trusted."""
        try:
            found = self._champions()
        except RegistryError as error:
            return self._last(error, SILENT)
        if found["churn"] is None:
            require_model(self._settings, "churn")
        try:
            return self._first({task: v for task, v in found.items() if v is not None})
        except RegistryError as error:
            return self._last(error, SILENT)
        except RapportError as error:
            return self._last(error, "a champion was refused")

    def _last(self, error: RapportError, problem: str) -> Served:
        last = self._recall()
        if "churn" not in last:
            raise error
        served = self._first(last)
        problems: dict[str, str] = {}
        self._tell(problems, REGISTRY, problem, error)
        self._note(problems)
        return served

    def _first(self, versions: Mapping[Task, Version]) -> Served:
        mine = {task: version for task, version in versions.items() if task in self._tasks}
        models = {task: fetch_model(self._settings, task, v) for task, v in mine.items()}
        now = datetime.now(UTC)
        return Served(self._build(models), mine, dict.fromkeys(mine, now))

    def _recall(self) -> dict[Task, Version]:
        try:
            return champions.recall(self._settings)
        except ModelError as error:
            LOGGER.warning("%s", error)
            return {}

    def _remember(self) -> None:
        try:
            champions.remember(self._settings, self._served.versions)
        except OSError as error:
            LOGGER.warning("which models serve cannot be written down: %s", error)

    def _note(self, problems: Mapping[str, str]) -> None:
        self._problems = problems
        meters().problems.set(len(problems))

    def _tell(
        self,
        problems: dict[str, str],
        about: str,
        problem: str,
        error: Exception | None = None,
    ) -> None:
        """Note a problem, and log it when it is new."""
        problems[about] = problem
        if self._problems.get(about) != problem:
            why = "" if error is None else f": {error}"
            LOGGER.warning("%s%s; what served goes on serving", problem, why)


def _refusal(version: Version) -> str:
    return f"{version.name} version {version.version} was refused"


def rehearse(settings: Settings, store: Store) -> None:
    """Put a scorer together once, so that what is wrong is told before there is a server.

    By the models that served last, which takes no registry; where none did, or the registry shows
    at once that it has no champion, by its champions.

    Raises:
        RapportError: what would keep a service from starting.
    """
    offers = load_offers(settings)
    try:
        last = champions.recall(settings)
        models = {task: fetch_model(settings, task, v) for task, v in last.items()}
    except (ModelError, ContractError):
        models = {}  # the registry may have better ones
    if "churn" in models and registry.may_have_champion(settings, "churn"):
        build_scorer(settings, store, offers, models["churn"], models.get("offers"))
    else:
        LiveScorer(settings, store)
