"""The report: one page about one trained model, for a person to read and to keep."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from features.declaration import ROLES
from features.settings import Settings
from features.wording import Wording
from training import curves, movers, svg, telling
from training.evaluation import ahead
from training.intervals import Estimate, error_by_chance, estimates
from training.pipeline import Trained
from training.provenance import code_version
from training.registry import Task

FOLDER = Path("var") / "reports"
METRICS = (
    ("auc", "AUC", "how often a positive is ranked above another row; a coin has 0.5", 3),
    (
        "average_precision",
        "Average precision",
        "share of positives among those chosen, over all cuts",
        3,
    ),
    ("lift_top_decile", "Top-tenth lift", "times more positives than at random", 1),
    ("log_loss", "Log loss", "lower is better", 3),
    ("brier", "Brier score", "squared error; lower is better", 3),
    ("ece", "ECE", "distance of predicted from observed, ten bins; lower is better", 3),
)


def report_path(settings: Settings, task: Task) -> Path:
    """Return where the report of a task's newest model lies: beside the settings."""
    return settings.path.parent / FOLDER / f"{task}.html"


def save_report(settings: Settings, task: Task, page: str) -> Path:
    """Write a report to where it belongs, and return the path."""
    path = report_path(settings, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def report_of(settings: Settings, trained: Trained) -> str:
    """Return the page: HTML that loads nothing and runs nothing; the same for the same model."""
    return _templates().get_template("report.html").render(**_facts(settings, trained))


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": lambda share: f"{share:.1%}",
        "count": lambda number: f"{number:,.0f}",
        "signed": lambda gain: f"{gain:+.3f}".replace("-", "\N{MINUS SIGN}"),
        "points": lambda effect: f"{100 * effect:.2f}",
    }
    return environment


def _facts(settings: Settings, trained: Trained) -> dict[str, Any]:
    """Return what the template says."""
    wording = Wording({role: settings.roles.kinds(role) for role in ROLES}, _currency(trained))
    zone, evaluation = settings.project.timezone, trained.evaluation
    measured = estimates(trained.tested)
    profit = evaluation.profit
    return {
        "task": trained.task,
        "project": settings.project.name,
        "text": telling.told(trained, wording, zone),
        "metrics": evaluation.metrics,
        "headline": _headline(measured["model"]),
        "rows": _metric_rows(measured),
        "baselines": [curves.NAMES.get(name, name) for name in evaluation.gain],
        "chance": error_by_chance(trained.tested),
        "gains": [
            (
                curves.NAMES.get(name, name),
                *gain,
                telling.verdict(*gain[1:]),
                ahead(trained.tested, name),
            )
            for name, gain in evaluation.gain.items()
        ],
        "figures": _figures(trained, zone),
        "profit": profit and (profit.best, *profit.at_best, float(profit.realised[-1])),
        "money": wording.money,
        "groups": movers.groups_of(trained),
        "movers": movers.movers_of(trained, wording),
        "slices": telling.slices_told(trained, wording),
        "top": telling.top_of(trained),
        "instants": [
            (telling.day(instant, zone), int((trained.tested.instant == instant).sum()), metrics)
            for instant, metrics in sorted(evaluation.by_instant.items())
        ],
        "parameters": {
            name: f"{value:.3g}" if isinstance(value, float) else value
            for name, value in {
                **trained.fitted.parameters_,
                **{f"calibrator {k}": v for k, v in asdict(trained.bundle.calibrator).items()},
            }.items()
            if value is not None
        },
        "code": code_version(),
        "fingerprint": trained.bundle.fingerprint,
        "signals": len(trained.bundle.plan.signals),
    }


def _currency(trained: Trained) -> str:
    return trained.bundle.card.currency


def _headline(model: Any) -> list[tuple[str, str, str, str]]:
    """Return of each metric its name, value, interval and what it means."""
    return [
        (title, f"{model[name].value:.{digits}f}", _interval(model[name], digits), hint)
        for name, title, hint, digits in METRICS
        if name in ("auc", "average_precision", "lift_top_decile", "ece")
    ]


def _metric_rows(measured: Any) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return of each metric its name, what it means, and of each model value and interval."""
    return [
        (
            title,
            hint,
            [
                (f"{m[name].value:.{digits}f}", _interval(m[name], digits))
                for m in measured.values()
            ],
        )
        for name, title, hint, digits in METRICS
    ]


def _interval(estimate: Estimate, digits: int) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low:.{digits}f}\N{EN DASH}{estimate.high:.{digits}f}"


def _figures(trained: Trained, zone: str) -> dict[str, Markup]:
    tested, evaluation = trained.tested, trained.evaluation
    auc, rate = evaluation.metrics["auc"], float(tested.label.mean())
    _, found = curves.gains(tested.label, tested.predictions["model"])
    fifth = found[round(0.2 * (len(found) - 1))]
    values = [m["auc"] for m in evaluation.by_instant.values()]
    drawn: dict[str, tuple[Callable[[], Figure], str]] = {
        "roc": (
            lambda: curves.roc_plot(tested),
            f"ROC curves of the model and the baselines over all test rows; the model's mean AUC "
            f"is {auc:.3f}.",
        ),
        "precision": (
            lambda: curves.precision_plot(tested),
            f"Precision over recall of the model and the baselines; {rate:.1%} are positive.",
        ),
        "calibration": (
            lambda: curves.calibration_curve(tested),
            "Observed share over predicted probability in ten bins with 95 % intervals, beside "
            "the diagonal; below, how many rows have which probability.",
        ),
        "gains": (
            lambda: curves.gains_plot(tested),
            f"Share of positives found over rows taken; the first fifth holds {fifth:.0%} of them.",
        ),
        "stability": (
            lambda: curves.stability_plot(tested, evaluation.by_instant, zone),
            f"AUC at each test instant; the model's lies between {min(values):.3f} and "
            f"{max(values):.3f}.",
        ),
        "drift": (
            lambda: curves.drift_plot(evaluation.by_instant, zone),
            "Mean predicted probability and observed share at each test instant.",
        ),
    }
    profit = evaluation.profit
    if profit is not None:
        drawn["profit"] = (
            lambda: curves.profit_curves(profit, _currency(trained)),
            f"Profit over the share of customers contacted, expected and as it turned out; "
            f"contacting pays for {profit.best:.0%}.",
        )
    return {name: svg.drawn(name, draw, alt) for name, (draw, alt) in drawn.items()}
