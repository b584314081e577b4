"""Checking: what the settings and the data mean for training, told before anything is fitted."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow.compute as pc

from features import clock
from features.batch import compute
from features.catalog import customer_signals
from features.declaration import ROLES
from features.errors import RapportError
from features.history import History
from features.identities import owners
from features.plan import compile_plan
from features.settings import Settings
from features.shape import shape_of
from features.snapshots import snapshot_spine
from features.sources.report import counted, percent
from training import splits
from training.checks import check_rows, sound_tests, weak_signals
from training.dataset import (
    Dataset,
    churn_dataset,
    cohort_signals,
    in_cohort,
    offers_dataset,
)
from training.money import Stakes, Value
from training.parameters import parameters_of
from training.registry import MODEL_NAMES
from training.tasks import UNTIL_VALID_TO, Churn, OfferTask

RECENT = 6
"""How many instants are told one by one."""


def check(settings: Settings, history: History, tell: Callable[[str], object]) -> bool:
    """Tell what training would find, and return whether it would start.

    Args:
        settings: the deployment.
        history: everything known.
        tell: called with each line for people.
    """
    found = True
    parts = [_known(history), _churn(settings, history)]
    parts += [_offers(settings, history)] if settings.offers else []
    for part in parts:
        try:
            for line in part:
                tell(line)
        except RapportError as error:
            tell(f"  error: {error}")
            found = False
    return found


def check_sections(settings: Settings) -> None:
    """Refuse what is wrong with the sections of training before anything is read.

    Raises:
        SettingsError: with the key, the value got, the value wanted and the remedy.
    """
    settings.section("churn", Churn)
    settings.section("offer", OfferTask)
    settings.section("value", Value)
    for task in MODEL_NAMES:
        parameters_of(settings, task)


def _known(history: History) -> Iterator[str]:
    table = history.interactions
    occurred, recorded = table["occurred_at"], table["recorded_at"]
    customers = len(owners(history.identities, pc.unique(table["customer_id"])).unique())
    late = int(pc.sum(pc.greater(recorded, occurred)).as_py() or 0)
    yield f"{counted(len(table), 'interaction')} of {counted(customers, 'customer')}"
    first, last = pc.min(occurred).as_py(), pc.max(occurred).as_py()
    yield f"  {clock.isoformat(first)} to {clock.isoformat(last)}"
    yield f"  known until {clock.isoformat(history.known_until)}"
    yield f"  {percent(late / len(table))} recorded after they occurred"


def _churn(settings: Settings, history: History) -> Iterator[str]:
    task, roles = settings.section("churn", Churn), settings.roles
    yield ""
    yield f"churn: {_meaning(task, roles.kinds('value'), roles.kinds('exit'))}"
    dataset = churn_dataset(history, roles, task)
    instants = np.unique(dataset.as_of)
    yield "  the last instants whose outcome is known, the customers asked of, and those lost:"
    for at in instants[-RECENT:].tolist():
        label = dataset.label[dataset.as_of == at]
        yield f"  {_day(at)}  {len(label):>9,}  {percent(float(label.mean())):>7}"
    now = _cohort_now(settings, history, task)
    yield f"  {_day(history.known_until)}  {now:>9,}  not known yet"
    yield f"  {counted(len(instants), 'instant')} to learn from, {_step(instants)}"
    days = (history.known_until - int(instants[-1])) // clock.DAY
    yield f"  left out: those of the last {days} days, whose outcome the data do not hold yet"
    yield from _left_out(dataset)
    tests = list(splits.churn_splits(dataset.as_of, task))
    check_rows("churn", dataset)
    final = splits.final_churn_split(dataset.as_of, task)
    tests, notes = sound_tests("churn", dataset, tests, final)
    yield f"  {counted(len(tests), 'instant')} to test at, from {_day(tests[0][0])} on"
    yield _signals(settings, history, dataset, "that say whom it asks about")
    yield from _notes(dataset, notes)
    yield from _money(settings, dataset)


def _offers(settings: Settings, history: History) -> Iterator[str]:
    task = settings.section("offer", OfferTask)
    yield ""
    until = "until the offer ends" if task.horizon == UNTIL_VALID_TO else f"within {task.horizon}"
    yield f"offers: accepted {until} of those shown"
    dataset = offers_dataset(history, settings.roles, task)
    share = percent(float(dataset.label.mean()))
    yield f"  {counted(len(dataset), 'offer')} shown to learn from, {share} accepted"
    yield from _left_out(dataset)
    tests = list(splits.episode_splits(dataset.as_of, dataset.ends))
    final = splits.final_episode_split(dataset.as_of, dataset.ends)
    check_rows("offers", dataset)
    tests, notes = sound_tests("offers", dataset, tests, final)
    yield f"  {counted(len(tests), 'block')} of days to test on, from {_day(tests[0][0])} on"
    yield _signals(settings, history, dataset, "of a customer and an offer")
    yield from _notes(dataset, notes)


def _meaning(task: Churn, value: tuple[str, ...], leaving: tuple[str, ...]) -> str:
    """Return in words who is asked about, and who counts as lost.

    >>> _meaning(Churn(), ("purchase",), ())
    "lost is who has no 'purchase' in 28d; asked of those with one in the last 60d"
    """
    of, left = (" or ".join(map(repr, kinds)) for kinds in (value, leaving))
    lost = f"no {of}" if task.definition == "lapse" else f"{left or 'an exit'}"
    later = "" if task.gap_us == 0 else f", from {task.gap} later on"
    one = "one" if task.definition == "lapse" else of
    return (
        f"lost is who has {lost} in {task.horizon}{later}; "
        f"asked of those with {one} in the last {task.active}"
    )


def _cohort_now(settings: Settings, history: History, task: Churn) -> int:
    """Return how many customers the model would speak for now."""
    kinds = {role: settings.roles.kinds(role) for role in ROLES}
    plan = compile_plan(cohort_signals(task), kinds, history.timezone)
    values = compute(plan, history, snapshot_spine(history, [history.known_until]))
    return int(in_cohort(values, task).sum())


def _step(instants: splits.Int64) -> str:
    if len(instants) < 2:
        return f"at {_day(int(instants[0]))}"
    days = int(np.diff(instants).min()) // clock.DAY
    return f"{counted(days, 'day')} apart, from {_day(int(instants[0]))} on"


def _left_out(dataset: Dataset) -> Iterator[str]:
    for reason, count in dataset.left_out.items():
        if count:
            yield f"  left out: {counted(count, 'row')}, {reason}"


def _signals(settings: Settings, history: History, dataset: Dataset, others: str) -> str:
    """Say how many signals the model has, those of the catalogue apart from the others."""
    own = len(customer_signals(shape_of(history, settings.roles)))
    more = len(dataset.values.plan.names) - own
    return f"  {counted(own, 'signal')} of a customer" + (
        f", {more:,} more {others}" if more else ""
    )


def _notes(dataset: Dataset, notes: list[str]) -> Iterator[str]:
    for note in (*notes, *weak_signals(dataset)):
        yield f"  note: {note}"


def _money(settings: Settings, dataset: Dataset) -> Iterator[str]:
    """Say what ``[value]`` means for this data, and what is odd about it."""
    value = settings.section("value", Value)
    stakes = Stakes.of(value.model_dump())
    if stakes is None:
        stated = [name for name, amount in value.model_dump().items() if amount]
        if stated:
            lacking = [name for name in Value.model_fields if name not in stated]
            yield (
                f"  note: [value] states {' and '.join(stated)} but no {' and '.join(lacking)}: "
                "bands are thirds of the cohort, and nothing says whom contacting pays for"
            )
        return
    amounts = stakes.amounts(dataset.values.plan, dataset.values.matrix)
    there = amounts[~np.isnan(amounts)]
    if unknown := len(amounts) - len(there):
        yield (
            f"  note: [value] at_risk '{stakes.at_risk}' is missing in "
            f"{percent(unknown / len(amounts))} of the rows: no money is told of these"
        )
    if not len(there) or float(np.median(there)) <= 0:
        yield f"  note: [value] at_risk '{stakes.at_risk}' is mostly zero: contacting never pays"
        return
    needed = stakes.contact_cost / (stakes.save_rate * float(np.median(there)))
    lost = float(dataset.label.mean())
    yield f"  [value]: contacting pays above a risk of {percent(needed)} ({percent(lost)} are lost)"
    if needed >= 1:
        yield "  note: contacting costs more than it can save: are the amounts of one kind?"


def _day(instant: int) -> str:
    return clock.isoformat(instant)[:10]
