"""What the models are worth on the demo's data, by two protocols fixed beforehand.

``python -m tests.benchmarks.quality``: lapse at six instants of 2017, each by a model of weekly
snapshots whose labels were complete by then; and redemption of the campaigns that began in October
and November, by a model of those that had ended before 30 September. With ``--bank CUSTOMERS``:
exits of the simulated bank, held against the hazard by which its customers leave.
"""

import argparse
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from features import clock
from features.history import History
from features.settings import Settings, read_settings
from features.sources.bank_tables import TRUTH, write_tables
from features.sources.bank_truth import expected_leaving, leaving_probability
from features.sources.reader import read_history
from tests.benchmarks.environments import ROOT
from tests.benchmarks.report import Line, Report
from training.dataset import Dataset, churn_dataset, offers_dataset
from training.evaluation import Float64, Tested, evaluate
from training.pipeline import fitted_by, predict_test
from training.splits import WEEK, Split, churn_split_at, churn_splits, episode_split
from training.tasks import Churn, OfferTask

PARAMETERS: dict[str, float] = {}
"""The defaults: what is tuned is tuned on later windows than the first of these tests."""
LAPSE_TESTS = ("09-15", "10-01", "10-15", "11-01", "11-15", "12-01")
ENDED_BY, FROM, UNTIL = "2017-10-01", "2017-10-01", "2017-12-01"
TOLD = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.4,
    "num_threads": 2,
    "verbosity": -1,
}
LAPSE = {"auc": "at least 0.862", "ece": "at most 0.007"}
LAPSE_GAINS = {
    "recency": "interval above 0",
    "rfm": "interval above 0",
    "logistic": "not below 0",
}
REDEMPTION = {
    "auc": "at least 0.840",
    "average_precision": "at least 0.58",
    "ece": "at most 0.030",
}
REDEMPTION_GAINS = {"rfm": "interval above 0"}


def instant(day: str, history: History) -> int:
    """Return the first moment of a day where the data is from, microseconds UTC."""
    return clock.to_instant(datetime.fromisoformat(day), history.timezone)


def lapse(settings: Settings, history: History) -> Tested:
    """Predict lapse at each test instant."""
    task = settings.section("churn", Churn)
    span = task.gap_us + task.horizon_us
    first = int(np.min(np.array(history.interactions["occurred_at"], dtype=np.int64)))
    begin = first + task.active_days * clock.DAY
    tests = [instant(f"2017-{day}", history) for day in LAPSE_TESTS]
    grids = {test: [*range(test - span, begin - 1, -WEEK), test] for test in tests}
    instants = sorted({at for grid in grids.values() for at in grid})
    dataset = churn_dataset(history, settings.roles, task, instants)
    matrix = dataset.values.encode(dataset.values.vocabularies())
    parts = []
    for test, grid in tqdm(grids.items(), desc="lapse", leave=False):
        # Rows of the other tests' weeks lie beyond every part of this one.
        own = np.where(np.isin(dataset.as_of, grid), dataset.as_of, history.known_until)
        split = churn_split_at(own, task, test)
        if split is None:
            raise SystemExit(f"too little history before {clock.isoformat(test)}")
        parts.append(_tested(dataset, matrix, split, test))
    return _together(parts)


def redemption(settings: Settings, history: History) -> Tested:
    """Predict whether those to whom a campaign was mailed redeem it."""
    dataset = offers_dataset(history, settings.roles, settings.section("offer", OfferTask))
    begins, ends = instant(FROM, history), instant(UNTIL, history)
    known = dataset.ends <= instant(ENDED_BY, history)
    split = episode_split(
        dataset.as_of, dataset.ends, known, (dataset.as_of >= begins) & (dataset.as_of < ends)
    )
    if split is None:
        raise SystemExit(f"too little history before {FROM}")
    matrix = dataset.values.encode(dataset.values.vocabularies())
    return _tested(dataset, matrix, split, begins)


def bank(customers: int, folder: Path) -> tuple[Tested, list[str]]:
    """Predict who leaves the simulated bank.

    Returns:
        The predictions, among them those of the true hazard (if nothing more happens), of the
        truth (whatever is to come) and of trees that were told the truth of the rows they learned
        from, which is as much as these signals can say; the ten signals that move the newest model
        most.
    """
    write_tables(folder / "data" / "bank", customers, seed=1)
    shutil.copy(ROOT / "rapport-bank.toml", folder)
    settings = read_settings(folder / "rapport-bank.toml")
    history = read_history(settings)
    task = settings.section("churn", Churn)
    dataset = churn_dataset(history, settings.roles, task)
    matrix = dataset.values.encode(dataset.values.vocabularies())
    truths = _truths(dataset, folder / "data" / "bank" / TRUTH, history.timezone, task)
    known = ~np.isnan(truths["truth"])  # others have left: not recorded yet
    parts = []
    for test, split in tqdm(list(churn_splits(dataset.as_of, task)), desc="bank", leave=False):
        part = _tested(dataset, matrix, split, test)
        learned = split.refit & known
        told = lgb.train(TOLD, lgb.Dataset(matrix[learned], truths["truth"][learned]), 400)
        there = known[split.test]
        of_test = {name: truth[split.test] for name, truth in truths.items()}
        of_test["told"] = np.asarray(told.predict(matrix[split.test]))
        parts.append(
            Tested(
                customer=part.customer[there],
                instant=part.instant[there],
                label=part.label[there],
                predictions={n: p[there] for n, p in {**part.predictions, **of_test}.items()},
            )
        )
    model = fitted_by(dataset, matrix, split, PARAMETERS)
    effects, _ = model.ensemble_.contributions(matrix[split.test])
    top = np.argsort(-np.abs(effects).mean(axis=0))[:10]
    return _together(parts), [dataset.values.plan.names[j] for j in top]


def _truths(dataset: Dataset, path: Path, timezone: str, task: Churn) -> dict[str, Float64]:
    """Return how likely each row's customer was to leave, by the hazard and by the truth."""
    days = task.horizon_us // clock.DAY
    truths = {name: np.full(len(dataset.label), np.nan) for name in ("hazard", "truth")}
    for at in tqdm(np.unique(dataset.as_of), desc="truth", leave=False):
        rows, day = dataset.as_of == at, clock.to_datetime(int(at), timezone).date()
        names = dataset.customers.take(pa.array(dataset.customer[rows]))
        for name, truth in (("hazard", leaving_probability), ("truth", expected_leaving)):
            found = truth(path, day, days)
            place = pc.index_in(names, found["customer"].cast(pa.string()))
            truths[name][rows] = found["probability"].take(place).to_numpy()
    return truths


def _together(parts: list[Tested]) -> Tested:
    return Tested(
        customer=np.concatenate([part.customer for part in parts]),
        instant=np.concatenate([part.instant for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        predictions={
            name: np.concatenate([part.predictions[name] for part in parts])
            for name in parts[0].predictions
        },
    )


def _tested(dataset: Dataset, matrix: Float64, split: Split, test: int) -> Tested:
    label = dataset.label[split.test]
    return Tested(
        customer=dataset.customer[split.test],
        instant=np.full(len(label), test),
        label=label,
        predictions=predict_test(dataset, matrix, split, PARAMETERS),
    )


def tell(
    report: Report, title: str, tested: Tested, wanted: dict[str, str], gains: dict[str, str]
) -> None:
    """Add what was measured to the report."""
    found = evaluate(tested)
    report.section(f"{title}: {len(tested.label):,} rows, {int(tested.label.sum()):,} positive")
    for name in ("auc", "average_precision", "ece", "lift_top_decile"):
        report.add(Line(name, f"{found.metrics[name]:.4f}", wanted.get(name, "")))
    for name, (mean, low, high) in found.gain.items():
        value = f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"
        note = f"{name} alone {found.auc[name]:.4f}"
        report.add(Line(f"AUC over {name}", value, gains.get(name, ""), note))
    if len(found.by_instant) > 1:
        aucs = ", ".join(f"{metrics['auc']:.3f}" for metrics in found.by_instant.values())
        report.add(Line("AUC at each instant", aucs))


def main() -> None:
    """Measure, and write a table if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="a file for the table, in Markdown")
    parser.add_argument("--bank", type=int, metavar="CUSTOMERS", help="the simulated bank instead")
    arguments = parser.parse_args()
    if arguments.bank:
        report = Report(f"The model on {arguments.bank:,} simulated customers")
        with tempfile.TemporaryDirectory() as folder:
            tested, top = bank(arguments.bank, Path(folder))
        tell(report, "Exit in 90 days", tested, {}, {"hazard": "at least -0.010"})
        p, truth = tested.predictions["model"], tested.predictions["truth"]
        slope = np.polyfit(p, truth, 1)[0]
        report.add(Line("slope of the truth over the prediction", f"{slope:.3f}", "0.95 to 1.05"))
        report.add(Line("truth and prediction, means", f"{truth.mean():.4f}, {p.mean():.4f}"))
        for name in top:
            report.add(Line("moves it most", name, ""))
        return
    settings = read_settings(ROOT / "rapport.toml")
    history = read_history(settings)
    report = Report("The models on Complete Journey")
    tell(report, "Redemption", redemption(settings, history), REDEMPTION, REDEMPTION_GAINS)
    tell(report, "Lapse", lapse(settings, history), LAPSE, LAPSE_GAINS)
    if arguments.write:
        arguments.write.write_text(report.markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
