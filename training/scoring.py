"""Scoring: every customer by a model at one instant, part by part, as the API would answer."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.batch import Spine, stream
from features.declaration import ROLES
from features.errors import DataError
from features.history import History
from features.offers import Offer
from features.sections import Roles
from features.snapshots import snapshot_spine
from features.values import SignalValues
from features.wording import Wording
from training.answers import Form
from training.models import Model

PART, BLOCK = 20_000, 1_000
"""Rows that are kept together, and rows that a thread explains at a time."""
Progress = Callable[[int], object]
Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is asked: the scores of customers of a history, and how they are written down."""

    form: Form
    history: History
    customers: pa.Array

    @property
    def parts(self) -> list[Part]:
        """The customers of each part, as the place of the first and of the one after the last."""
        step = max(1, PART // max(1, len(self.form.offers)))
        n = len(self.customers)
        return [(first, min(first + step, n)) for first in range(0, n, step)]

    def rows_of(self, part: Part) -> int:
        """Return how many rows a part has."""
        return (part[1] - part[0]) * max(1, len(self.form.offers))


def form_of(
    model: Model, offers: dict[str, Offer], roles: Roles, as_of: int, n_reasons: int
) -> Form:
    """Return how scores at an instant are written down, an offer model's of all valid offers.

    Raises:
        DataError: no offer is valid at the instant.
        SettingsError: what is at risk is the name of no signal.
    """
    valid: dict[str, Offer] = {}
    if model.bundle.card.task == "offers":
        valid = {name: offers[name] for name in sorted(offers) if offers[name].open_at(as_of)}
        if not valid:
            raise DataError(
                "offers",
                f"none of {len(offers):,} that is valid then",
                "an offer that can be accepted at the instant",
                "Name another instant with --at, or bring the table of offers up to date.",
            )
    wording = Wording({r: roles.kinds(r) for r in ROLES}, model.bundle.card.currency)
    form = Form(model, wording, as_of, n_reasons, valid)
    if form.stakes:
        form.stakes.column(model.bundle.plan)  # a name that is no signal is refused now
    return form


def scoring_of(model: Model, history: History, roles: Roles, as_of: int, n_reasons: int) -> Scoring:
    """Ask for the scores of every customer, as ``form_of`` says."""
    form = form_of(model, dict(history.offers), roles, as_of, n_reasons)
    return Scoring(form, history, snapshot_spine(history, [as_of]).customer_id)


def spine_of(form: Form, customers: pa.Array) -> Spine:
    """Return a row for each customer and, of an offer model, each offer."""
    names, n = list(form.offers), len(customers)
    offers = pa.array(names * n, pa.string()) if names else None
    rows = customers.take(pa.array(np.repeat(np.arange(n), max(1, len(names)))))
    return Spine(rows, np.full(len(rows), form.as_of, dtype=np.int64), offers)


def scored(scoring: Scoring, parts: Sequence[Part], progress: Progress) -> Iterator[pa.Table]:
    """Yield the scores of some parts, by customer and offer.

    The history is read once. While rows are explained, each block on one thread, for the ensemble
    works without Python's lock, the signals of the next ones are computed.

    Args:
        scoring: what is asked.
        parts: some of ``scoring.parts``, in order.
        progress: called with the number of rows done since the last call.
    """
    if not parts:
        return
    left = [scoring.rows_of(part) for part in parts]
    kept: list[pa.Table] = []
    for table in _streamed(scoring, parts, progress):
        while len(table):
            taken = table.slice(0, left[0])
            table = table.slice(len(taken))
            kept.append(taken)
            left[0] -= len(taken)
            if left[0] == 0:
                yield pa.concat_tables(kept)
                kept = []
                del left[0]


def _streamed(scoring: Scoring, parts: Sequence[Part], progress: Progress) -> Iterator[pa.Table]:
    form = scoring.form
    asked = spine_of(form, pa.concat_arrays([scoring.customers[slice(*p)] for p in parts]))
    answer: Callable[[Spine, SignalValues], pa.Table] | None = None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for places, values in stream(form.model.bundle.plan, scoring.history, asked):
            answer = answer or form.answerer(values.categories)
            blocks = [slice(first, first + BLOCK) for first in range(0, len(values), BLOCK)]
            spines = [asked.rows(places[block]) for block in blocks]
            for table in pool.map(answer, spines, [values.rows(block) for block in blocks]):
                progress(len(table))
                yield table
