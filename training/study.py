"""A study: a deployment's history, signals, models and explanations, for notebooks."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from features import clock
from features.catalog import customer_signals, offer_signals
from features.declaration import ROLES, Signal
from features.excerpts import excerpt, person, with_less, with_more
from features.frames import Signals, catalogue_frame, interactions_frame, signals_frame, values_of
from features.history import History
from features.interactions import Attribute, Interaction, check_interaction
from features.listing import entries
from features.plan import Plan, compile_plan
from features.settings import Settings, find_settings, read_settings
from features.shape import shape_of
from features.sources.reader import read_history
from features.wording import Wording
from training import predictions
from training.evaluation import Tested
from training.explanation import Scale, explanation
from training.models import Model, require_model
from training.registry import CHAMPION, Task
from training.scoring import scored, scoring_of

if TYPE_CHECKING:
    import shap

Moment = str | datetime
"""An instant as people write it: ISO 8601, or a datetime; naive ones are the project's time."""


@dataclass(frozen=True, slots=True)
class Study:
    """A deployment, to look at. Nothing that it does changes the deployment.

    Attributes:
        settings: the deployment's.
        history: everything known.
    """

    settings: Settings
    history: History

    @property
    def now(self) -> datetime:
        """The end of all that is known, in the project's time zone."""
        return clock.to_datetime(self.history.known_until, self.settings.project.timezone)

    @property
    def wording(self) -> Wording:
        """How the deployment calls things."""
        return Wording(self._kinds(), self.settings.project.currency)

    def instant(self, at: Moment | None = None) -> int:
        """Return a moment in microseconds since 1970 UTC; by default the end of what is known."""
        if at is None:
            return self.history.known_until
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return clock.to_instant(moment, self.settings.project.timezone)

    def interactions(self, customers: Iterable[str] | None = None) -> pd.DataFrame:
        """Return interactions of some customers or of all, a row each, in order of time."""
        return interactions_frame(self.history, customers)

    def person(self, customer_id: str) -> tuple[list[Interaction], list[Attribute]]:
        """Return one customer's interactions, oldest first, and attributes, one object each."""
        return person(self.history, customer_id)

    def catalogue(self) -> pd.DataFrame:
        """Return what each signal measures that the data get, a row each, by name."""
        return catalogue_frame(entries(shape_of(self.history, self.settings.roles), self.wording))

    def signals(
        self,
        of: Model | Iterable[Signal] | None = None,
        at: Moment | Iterable[Moment] | None = None,
        customers: Iterable[str] | None = None,
        offers: Iterable[str] = (),
    ) -> Signals:
        """Return the signals of customers as a table whose columns explain themselves.

        Args:
            of: a model, or signals as declared; by default those of the catalogue.
            at: one moment or several; by default the end of what is known.
            customers: by default all.
            offers: ids of offers, a row for each; an offer model needs them.

        Returns:
            A row for each customer, moment (where several are given) and offer.
        """
        one = at is None or isinstance(at, str | datetime)
        moments: Any = [at] if one else at
        instants = [self.instant(each) for each in moments]
        offered = list(offers)
        plan = of.bundle.plan if isinstance(of, Model) else self._plan(of, bool(offered))
        return signals_frame(
            plan, self.wording, self.history, instants, customers, offered, not one
        )

    def interaction(self, customer_id: str, kind: str, at: Moment, **fields: Any) -> Interaction:
        """Return something that could have happened, for ``what_if``.

        Args:
            customer_id: to whom.
            kind: one that the settings know.
            at: when; it was recorded at once.
            **fields: further columns, such as ``amount`` or ``channel``; what the settings declare
                under ``numbers`` too.

        Raises:
            InteractionError: it could not be recorded.
        """
        instant = self.instant(at)
        own = {name: v for name, v in fields.items() if name in Interaction.__dataclass_fields__}
        further = {name: float(v) for name, v in fields.items() if name not in own}
        item = Interaction(customer_id, instant, instant, kind, **own, numbers=further)
        kinds, declared = self.settings.roles.all_kinds(), frozenset(self.settings.numbers())
        check_interaction(item, kinds, declared, self.history.known_until)
        return item

    def what_if(
        self,
        customer_id: str,
        more: Iterable[Interaction] = (),
        less: Collection[Interaction] = (),
    ) -> "Study":
        """Return a study of one customer to whom something more, or less, has happened.

        Its signals come from the changed history by the same engine, all of them together: one
        purchase more changes silence, rhythm, trend and spend at once.
        """
        theirs = excerpt(self.history, [customer_id])
        return replace(self, history=with_more(with_less(theirs, less), more))

    def model(self, task: Task, which: str = CHAMPION) -> Model:
        """Return a registered model, by its alias or version.

        Raises:
            ModelError: there is none, or it cannot be trusted.
        """
        return require_model(self.settings, task, which)

    def tested(self, model: Model) -> Tested:
        """Return the predictions by which a model was tested, beside those of the baselines."""
        return predictions.tested_of(self.settings, model)

    def probabilities(self, model: Model, signals: pd.DataFrame) -> pd.Series:
        """Return what a model says of rows of its signals."""
        bundle = model.bundle
        found = bundle.score(bundle.encode(values_of(signals, bundle.plan)))
        return pd.Series(found, index=signals.index, name="probability")

    def predictions(self, model: Model, at: Moment | None = None, reasons: int = 3) -> pd.DataFrame:
        """Return the scores of all customers with reasons in words, as ``training score`` does."""
        roles = self.settings.roles
        asked = scoring_of(model, self.history, roles, self.instant(at), reasons)
        tables = scored(asked, asked.parts, lambda rows: None)
        found: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return found.set_index(asked.form.keys)

    def explanation(
        self, model: Model, signals: pd.DataFrame, scale: Scale = "probability"
    ) -> "shap.Explanation":
        """Return what each signal does to the probability of each row, for ``shap.plots``.

        Args:
            model: whose.
            signals: at least one row of its signals.
            scale: in probability points, as the service tells them, or in log-odds.

        Raises:
            ModelError: the package ``shap`` is not installed.
        """
        return explanation(model.bundle, values_of(signals, model.bundle.plan), scale)

    def _plan(self, declared: Iterable[Signal] | None, offered: bool) -> Plan:
        if declared is None:
            shape = shape_of(self.history, self.settings.roles)
            declared = offer_signals(shape) if offered else customer_signals(shape)
        return compile_plan(declared, self._kinds(), self.history.timezone)

    def _kinds(self) -> dict[str, tuple[str, ...]]:
        return {role: self.settings.roles.kinds(role) for role in ROLES}


def open_study(settings: str | Path = "") -> Study:
    """Read a deployment's settings and its sources.

    Args:
        settings: the TOML file, looked for here and in the folders above; by default
            ``RAPPORT_SETTINGS`` of the environment, else ``rapport.toml``.

    Raises:
        SettingsError: there is no such file, or it is malformed.
        SourceError: a source cannot be read; for the demo's, run ``make train`` first.
    """
    found = read_settings(find_settings(settings))
    return Study(found, read_history(found))
