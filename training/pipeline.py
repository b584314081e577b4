"""The pipeline: from a history to a tested, fitted, explained model."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from features import clock
from features.batch import compute
from features.history import History
from features.settings import Settings
from features.snapshots import snapshot_spine
from features.values import SignalValues
from training import splits
from training.baselines import BASELINES
from training.bundle import Bundle, Card, Explained
from training.checks import TITLES, check_rows, sound_tests, weak_signals
from training.dataset import (
    Dataset,
    churn_dataset,
    cohort_names,
    in_cohort,
    offers_dataset,
)
from training.ensemble import Float64
from training.evaluation import Evaluation, Tested, evaluate
from training.fitting import taken
from training.model import Propensity
from training.money import ProfitCurve, Stakes, Value
from training.parameters import parameters_for, parameters_path
from training.plots import calibration_plot, profit_plot, shap_plot, slices_plot
from training.registry import Task
from training.slices import Slice, slices_of
from training.splits import Split
from training.tasks import Churn, Int64, OfferTask

SHOWN_ROWS = 2_000
Step = Callable[[str, int], object]


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted model with the evidence for it.

    ``tested`` are the predictions that ``evaluation`` measures; ``shown`` the newest encoded rows,
    shape ``(n, n_signals)``, and ``explained`` their effects; ``notes`` say what weakens it.
    """

    task: Task
    bundle: Bundle
    fitted: Propensity
    evaluation: Evaluation
    dataset: Dataset
    figures: dict[str, Figure]
    slices: list[Slice]
    tested: Tested
    shown: Float64
    explained: Explained
    notes: tuple[str, ...] = ()


def train(settings: Settings, history: History, task: Task, begin: Step) -> Trained:
    """Train and test one model.

    Args:
        settings: what the deployment says of the task.
        history: everything known.
        task: which model.
        begin: called when a step begins, with its name and the number of steps.

    Raises:
        DataError: the history cannot carry the model.
    """
    begin("signals", splits.N_TESTS + 3)
    churn = settings.section("churn", Churn)
    offer = settings.section("offer", OfferTask)
    if task == "churn":
        dataset = churn_dataset(history, settings.roles, churn)
        tests = list(splits.churn_splits(dataset.as_of, churn))
        final: Split | None = splits.final_churn_split(dataset.as_of, churn)
    else:
        dataset = offers_dataset(history, settings.roles, offer)
        tests = list(splits.episode_splits(dataset.as_of, dataset.ends))
        final = splits.final_episode_split(dataset.as_of, dataset.ends)
    check_rows(task, dataset)
    tests, notes = sound_tests(task, dataset, tests, final)
    assert final is not None  # for the type checker: refused above
    parameters, unused = parameters_for(settings, task, min(t for t, _ in tests))
    if parameters:
        told = ", ".join(f"{name} {value}" for name, value in parameters.items())
        notes.append(f"parameters of {parameters_path(settings).name}: {told}")
    notes += [unused] if unused else []
    stakes = Stakes.of(settings.section("value", Value).model_dump()) if task == "churn" else None
    if stakes:
        stakes.column(dataset.values.plan)  # refused before anything is fitted
    vocabularies = dataset.values.vocabularies()
    matrix = dataset.values.encode(vocabularies)
    n_steps = len(tests) + 3
    tested, row, fitted = _fit_all(
        dataset, matrix, tests, final, stakes, parameters, lambda name: begin(name, n_steps)
    )
    evaluation = evaluate(tested, stakes)
    bundle = Bundle(
        plan=dataset.values.plan,
        ensemble=fitted.ensemble_,
        calibrator=fitted.calibrator_,
        vocabularies=vocabularies,
        card=_card(settings, task, churn, offer, dataset, evaluation),
    )
    if task == "churn":
        bundle = _with_bands(bundle, history, churn)
    begin("plots", n_steps)
    slices = slices_of(bundle.plan, matrix[row], vocabularies, tested)
    shown = matrix[np.argsort(dataset.as_of, kind="stable")[-SHOWN_ROWS:]]
    explained = bundle.explain(shown)
    figures = _figures(task, bundle, shown, explained, tested, evaluation.profit)
    if slices:
        title = f"Risk of {TITLES[task]} by slice, test instants"
        figures["slices.png"] = slices_plot(slices, title.replace("Risk of offer", "Offer"))
    notes += weak_signals(dataset)
    evidence = evaluation, dataset, figures, slices, tested, shown, explained
    return Trained(task, bundle, fitted, *evidence, tuple(notes))


def _fit_all(
    dataset: Dataset,
    matrix: Float64,
    tests: list[tuple[int, Split]],
    final: Split,
    stakes: Stakes | None,
    parameters: Mapping[str, Any],
    begin: Callable[[str], object],
) -> tuple[Tested, Int64, Propensity]:
    """Fit the recipe before each test instant and on everything; predict each instant's rows.

    Returns the predictions, the rows of the data set that they are of, and the final fit.

    Fits run side by side, each on one thread: LightGBM's own threads wait for one another, and
    on a busy machine they wait a hundred times longer than they work.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        fitting = pool.submit(fitted_by, dataset, matrix, final, parameters)
        parts = []
        testing = [
            pool.submit(predict_test, dataset, matrix, split, parameters) for _, split in tests
        ]
        for (instant, _), each in zip(tests, testing, strict=True):
            begin(f"test {clock.to_datetime(instant):%d %b %Y}")
            parts.append(each.result())
        begin("final fit")
        fitted = fitting.result()
    chosen = np.concatenate([np.flatnonzero(split.test) for _, split in tests])
    instants = [np.full(int(split.test.sum()), instant) for instant, split in tests]
    tested = Tested(
        customer=dataset.customer[chosen],
        instant=np.concatenate(instants),
        label=dataset.label[chosen],
        predictions={name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
        amount=stakes.amounts(dataset.values.plan, matrix[chosen]) if stakes else None,
    )
    return tested, chosen, fitted


def predict_test(
    dataset: Dataset, matrix: Float64, split: Split, parameters: Mapping[str, Any]
) -> dict[str, Float64]:
    """Predict a split's test rows by the model and by each baseline fitted before them."""
    plan, label = dataset.values.plan, dataset.label
    model = fitted_by(dataset, matrix, split, parameters)
    known, test = (taken(matrix, split.refit), label[split.refit]), taken(matrix, split.test)
    baselines = {n: b(plan, *known, test) for n, b in BASELINES.items()}
    return {"model": model.predict_proba(test)[:, 1], **baselines}


def fitted_by(
    dataset: Dataset, matrix: Float64, split: Split, parameters: Mapping[str, Any]
) -> Propensity:
    """Return the recipe fitted by a split of a data set, whose encoded signals are ``matrix``."""
    plan = dataset.values.plan
    return Propensity(**parameters).fit(
        matrix,
        dataset.label,
        names=plan.names,
        categorical=[j for j, category in enumerate(plan.categories) if category],
        groups=dataset.customer,
        as_of=dataset.as_of,
        split=split,
    )


def _card(
    settings: Settings,
    task: Task,
    churn: Churn,
    offer: OfferTask,
    dataset: Dataset,
    evaluation: Evaluation,
) -> Card:
    section = churn if task == "churn" else offer
    active, gone = cohort_names(churn) if task == "churn" else (None, None)
    return Card(
        task=task,
        settings=section.model_dump(),
        base_rate=float(dataset.label.mean()),
        trained_from=clock.isoformat(int(dataset.as_of.min())),
        trained_until=clock.isoformat(int(dataset.ends.max())),
        rows=len(dataset),
        metrics=dict(evaluation.metrics),
        costs=settings.section("value", Value).model_dump(),
        currency=settings.project.currency,
        cohort_signal=active,
        gone_signal=gone,
    )


def _with_bands(bundle: Bundle, history: History, task: Churn) -> Bundle:
    """Set the thresholds between low, medium and high to the terciles of today's cohort."""
    values = compute(bundle.plan, history, snapshot_spine(history, [history.known_until]))
    kept = in_cohort(values, task)
    now = SignalValues(values.plan, values.matrix[kept], values.categories)
    low, high = (
        np.quantile(bundle.score(bundle.encode(now)), [1 / 3, 2 / 3]) if len(now) else (0.0, 0.0)
    )
    return replace(bundle, card=replace(bundle.card, bands=(float(low), float(high))))


def _figures(
    task: Task,
    bundle: Bundle,
    shown: Float64,
    explained: Explained,
    tested: Tested,
    profit: ProfitCurve | None,
) -> dict[str, Figure]:
    figures = {
        "calibration.png": calibration_plot(
            tested, f"Calibration of {TITLES[task]}, test instants"
        ),
        "shap_summary.png": shap_plot(
            explained.effects,
            shown,
            bundle.plan.names,
            f"What moves the probability of {TITLES[task]}",
        ),
    }
    if profit is not None:
        figures["profit.png"] = profit_plot(profit, bundle.card.currency)
    return figures
