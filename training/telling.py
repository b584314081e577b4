"""Telling: what a report says of a model in words, from the settings and the evidence."""

import re
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from features import clock
from features.declaration import Signal
from features.english import a, counted, span
from features.meaning import meaning
from features.sections import parse_days
from features.wording import Wording
from training.curves import NAMES
from training.pipeline import Trained
from training.slices import Slice
from training.tasks import UNTIL_VALID_TO

LONGEST_TITLE = 100
FEW_POSITIVES = 300
TOO_GOOD = 0.95
"""An AUC above it is leakage until explained."""
_BEFORE = re.compile(r" in the (\d+ days|day) before the instant")
_END = re.compile("; |: ")
_REACHED = re.compile(r"^1 when (.*), else 0$")


@dataclass(frozen=True, slots=True)
class Told:
    """The sentences and facts of a report.

    ``data`` are terms and what they are, ``left_out`` rows that taught nothing by reason.
    """

    title: str
    purpose: str
    positive: str
    rows: str
    data: list[tuple[str, str]]
    left_out: list[tuple[int, str]]
    uses: list[str]
    limits: list[str]


def told(trained: Trained, wording: Wording, zone: str) -> Told:
    """Return what a report says of a model.

    Args:
        trained: the model with its evidence.
        wording: how the deployment calls things.
        zone: in which days are told.
    """
    churn = trained.task == "churn"
    return Told(
        title="Churn risk" if churn else "Offer acceptance",
        purpose=_churn_purpose(trained, wording) if churn else _offers_purpose(trained),
        positive="lost" if churn else "accepted",
        rows="customers at an instant" if churn else "offers shown",
        data=_data(trained, wording, zone),
        left_out=[(n, why) for why, n in trained.dataset.left_out.items() if n],
        uses=_uses(churn),
        limits=_limits(trained),
    )


def day(instant: int, zone: str) -> str:
    """Return the day of an instant.

    >>> day(1514782800000000, "America/New_York")
    '1 Jan 2018'
    """
    return f"{clock.to_datetime(instant, zone):%-d %b %Y}"


def title_of(signal: Signal, wording: Wording) -> str:
    """Return a signal's heading: what it measures, shortly.

    >>> from features.signals import days, interactions
    >>> (bad,) = interactions(role="negative").count(days(90), why="it loses them")
    >>> title_of(bad, Wording({"negative": ("complaint",)}))
    'Number of complaints in the last 90 days'
    """
    if signal.measure in ("attribute", "offer_attribute"):
        text = (signal.column or "").replace("_", " ")
        text = f"offer: {text}" if signal.measure == "offer_attribute" else text
    else:
        text = _first_of(signal, wording) or signal.name.replace("_", " ")
    return text[:1].upper() + text[1:]


def further_of(signal: Signal, wording: Wording) -> str:
    """Return what a signal's title leaves out of its meaning."""
    said = meaning(signal, wording)
    return _END.split(f"{said}; ", 1)[1].removesuffix("; ") if _first_of(signal, wording) else said


def _first_of(signal: Signal, wording: Wording) -> str:
    """Return the first part of a meaning as people say it, nothing where it is a formula."""
    first = _BEFORE.sub(r" in the last \1", _END.split(meaning(signal, wording), 1)[0])
    first = _REACHED.sub(r"whether \1", first)
    return first if len(first) <= LONGEST_TITLE and first[:1].isalpha() else ""


def verdict(low: float, high: float) -> str:
    """Return what an interval of a gain says."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not clearly better"


def slices_told(
    trained: Trained, wording: Wording
) -> list[tuple[str, list[tuple[Slice, dict[str, float]]]]]:
    """Return the slices under the title of their signal, each with its places on one scale (%)."""
    signals = {signal.name: signal for signal in trained.bundle.plan.signals}
    top = top_of(trained)

    def places(each: Slice) -> dict[str, float]:
        names = ("low", "high", "observed", "predicted")
        return {name: round(100 * getattr(each, name) / top, 2) for name in names}

    return [
        (title_of(signals[name], wording), [(each, places(each)) for each in group])
        for name, group in groupby(trained.slices, key=lambda each: each.signal)
    ]


def top_of(trained: Trained) -> float:
    """Return the share at the end of the scale that slices are drawn on."""
    return max((max(each.high, each.predicted) for each in trained.slices), default=1.0)


def _churn_purpose(trained: Trained, wording: Wording) -> str:
    task = trained.bundle.card.settings
    one = a(" or ".join(kind.replace("_", " ") for kind in wording.roles.get("value", ())))
    if task["definition"] == "lapse":
        lost = f"makes no {one.split(' ', 1)[1]}"
    else:
        lost = f"leaves (by {a(wording.noun('exit')[0])})"
    gap = parse_days(task["gap"])
    when = f"in the next {span(parse_days(task['horizon']))}"
    when += f", counted from {counted(gap, 'day', 'days')} later" if gap else ""
    return (
        f"Of each customer with {one} in the last {span(parse_days(task['active']))}, it says how "
        f"likely it is that the customer {lost} {when}."
    )


def _offers_purpose(trained: Trained) -> str:
    horizon = str(trained.bundle.card.settings["horizon"])
    within = (
        "before the offer ends"
        if horizon == UNTIL_VALID_TO
        else f"within {span(parse_days(horizon))} and before the offer ends"
    )
    return f"Of a customer and an offer, it says how likely it is that it is accepted {within}."


def _data(trained: Trained, wording: Wording, zone: str) -> list[tuple[str, str]]:
    dataset, tested = trained.dataset, trained.tested
    churn = trained.task == "churn"
    instants = np.unique(dataset.as_of)
    first, last = (day(int(at), zone) for at in (instants[0], instants[-1]))
    customers = len(np.unique(dataset.customer))
    tests = sorted(trained.evaluation.by_instant)
    unit = "rows, one for each customer and instant" if churn else "offers shown"
    facts = [
        (
            "Learned from",
            f"{len(dataset):,} {unit}, of {counted(customers, 'customer', 'customers')}",
        ),
        (
            "Positive",
            f"{dataset.label.mean():.1%} ({'lost' if churn else 'accepted'}: "
            f"{int(dataset.label.sum()):,} rows)",
        ),
        (
            "Instants" if churn else "Shown",
            f"{len(instants)} from {first} to {last}" if churn else f"from {first} to {last}",
        ),
        ("Outcomes known until", day(int(dataset.ends.max()), zone)),
    ]
    if churn:
        task = trained.bundle.card.settings
        gone = ", and none who had left" if task["definition"] == "exit" else ""
        value = " or ".join(kind.replace("_", " ") for kind in wording.roles.get("value", ()))
        facts.append(
            ("Cohort", f"customers with {a(value)} in the last {task['active'][:-1]} days{gone}")
        )
    facts.append(
        (
            "Tested on",
            f"{len(tested.label):,} rows of {len(np.unique(tested.customer)):,} customers, "
            f"{int(tested.label.sum()):,} of them positive, at {len(tests)} later "
            f"{'instants' if churn else 'blocks of days'} from {day(tests[0], zone)} to "
            f"{day(tests[-1], zone)}; each by a model trained on what was known before it",
        )
    )
    return facts


def _uses(churn: bool) -> list[str]:
    if churn:
        return [
            "To see early who drifts away, and by which of their own signals.",
            "To put a limited number of calls or visits where the risk, and what is at stake, is "
            "highest.",
            "To follow the risk of whole groups over time.",
        ]
    return [
        "To rank offers for a customer, by probability times value less cost.",
        "To leave out offers that do not fit, and so to send fewer.",
        "To judge a new offer by its attributes and topics before it is sent.",
    ]


def _limits(trained: Trained) -> list[str]:
    churn = trained.task == "churn"
    metrics, gain = trained.evaluation.metrics, trained.evaluation.gain
    propensity = (
        "It predicts propensity, not effect: who is likely to leave, not who would stay for being "
        "contacted. Only a control group that is left alone tells that."
        if churn
        else "It predicts propensity, not effect: who is likely to accept among those it was shown "
        "to, not whom the offer would bring to buy. Offers are seldom shown at random; only a "
        "control group that is shown nothing tells that."
    )
    limits = [
        propensity,
        "Effects of signals describe the model, not causes: changing a signal need not change the "
        "customer.",
    ]
    if churn:
        limits.append(
            "It speaks for the cohort alone. Who was not active lately has already gone, and of "
            "who has no history nothing is known; the service says so of each customer."
        )
    limits.append(
        "A row teaches only once its outcome is complete: rows whose window was cut off by the end "
        "of the history are left out, so the newest weeks are not in it. Outcomes count as known "
        "when their window ends; where the business learns of them later, tests look a little "
        "better than life."
    )
    if metrics["positives"] < FEW_POSITIVES:
        limits.append(
            f"Only {int(metrics['positives']):,} positives were tested: the intervals are wide."
        )
    for name, (_, low, high) in gain.items():
        if low <= 0:
            limits.append(
                f"Against {NAMES.get(name, name)} it is {verdict(low, high)} in AUC: the simpler "
                "model may do."
            )
    off, n = sum(each.off for each in trained.slices), len(trained.slices)
    if off:
        limits.append(
            f"{off} of {n} slices have a mean prediction outside their interval; by chance alone "
            f"about {max(1, round(n / 20))} would. Do not compare those groups by it."
        )
    if metrics["auc"] > TOO_GOOD:
        limits.append(
            "An AUC this high is leakage until explained: look whether a strong signal knows the "
            "outcome."
        )
    limits += [
        "It is not made to set prices, credit or service levels for a person, nor to judge one.",
        "No claim is made that this is the best AUC that these data allow.",
    ]
    return limits
