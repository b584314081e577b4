"""The report: complete, closed in itself, safe with any text, the same when written again."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features import clock
from features.categories import Categories
from features.settings import Settings, read_settings
from features.values import SignalValues
from tests.shops import write_shop
from tests.training.bundles import Float64, bundle_of, plan_of
from training.__main__ import _tell
from training.bundle import Bundle
from training.dataset import Dataset
from training.evaluation import Tested as Predictions
from training.evaluation import evaluate
from training.model import Propensity
from training.money import Stakes
from training.pipeline import Trained
from training.registry import Task
from training.report import report_of, report_path
from training.slices import slices_of

SECTIONS = ["purpose", "data", "quality", "curves", "signals", "slices", "stability", "limits"]
HOSTILE = "</svg><script>alert('$\\frac{')</script>\N{GRINNING FACE}&amp;"
FETCHING = {"script", "link", "img", "iframe", "object", "embed", "audio", "video", "source"}


class Page(HTMLParser):
    """What a page holds: elements, ids, links, what it would load, and alternative texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        for name in ("src", "href", "xlink:href", "style"):
            self.loaded += [given[name] or ""] if name in given else []
        if tag == "svg":
            self.pictures.append(given)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("report"), n_customers=2).parent


MEASURE = """<script>
const wide = [...document.querySelectorAll("main *")].filter(
  (e) => !e.closest("svg") && e.getBoundingClientRect().right > innerWidth + 1);
const told = wide.map((e) => e.outerHTML.slice(0, 80));
parent.postMessage(JSON.stringify([innerWidth, document.documentElement.scrollWidth, told]), "*");
</script>"""
FRAME = """<script>onmessage = (e) => {{ document.title = e.data; }};</script>
<iframe style="width: {width}px; height: 900px; border: 0" src="{page}"></iframe>"""
STAKES = Stakes(400.0, 5.0, 0.2)


@cache
def written(folder: Path, task: Task, stakes: Stakes | None = None) -> str:
    """The report of the made-up model."""
    return report_of(read_settings(folder / "rapport.toml"), model(task, stakes))


def model(task: Task, stakes: Stakes | None = None, city: str = "Ayr") -> Trained:
    """A model of made-up rows, with one predictor that knows more than the others."""
    bundle, matrix = bundle_of(plan_of("city"))
    texts = {bundle.plan.names[3]: [city, "Bath", "Cork"]}
    given = {"horizon": "28d", "active": "42d", "gap": "0d", "definition": "lapse"}
    card = replace(
        bundle.card, task=task, settings=given if task == "churn" else {"horizon": "30d"}
    )
    bundle = replace(bundle, vocabularies=texts, card=card)
    return _tested(task, bundle, matrix, stakes)


def _tested(task: Task, bundle: Bundle, matrix: Float64, stakes: Stakes | None) -> Trained:
    rng = np.random.default_rng(9)
    n = len(matrix)
    probability = bundle.score(matrix)
    label = (rng.random(n) < probability).astype(np.int8)
    instant = (np.arange(n) // (n // 4)) * 14 * clock.DAY + 17_500 * clock.DAY
    tested = Predictions(
        customer=np.arange(n) % 200,
        instant=instant,
        label=label,
        predictions={"model": probability}
        | {name: rng.random(n) for name in ("recency", "rfm", "logistic")},
        amount=np.full(n, 400.0) if stakes else None,
    )
    values = SignalValues(bundle.plan, matrix, Categories())
    left_out = {"outside the cohort": 12, "never": 0}
    fitted = Propensity()
    fitted.ensemble_, fitted.calibrator_ = bundle.ensemble, bundle.calibrator
    fitted.parameters_ = {"trees": 7}
    return Trained(
        task=task,
        bundle=bundle,
        fitted=fitted,
        evaluation=evaluate(tested, stakes),
        dataset=Dataset(
            values,
            label,
            tested.customer,
            instant,
            instant + clock.DAY,
            left_out,
            pa.array(map(str, range(n))),
        ),
        figures={},
        slices=slices_of(bundle.plan, matrix, bundle.vocabularies, tested),
        tested=tested,
        shown=matrix,
        explained=bundle.explain(matrix),
    )


@pytest.mark.parametrize("task", ["churn", "offers"])
def test_training_leaves_a_report_of_each_model(shop: Settings, task: Task) -> None:
    text = report_path(shop, task).read_text(encoding="utf-8")
    page = Page(text)
    assert [name for name in SECTIONS if name not in page.ids] == []
    assert len(page.pictures) >= 6 + 12 + 8
    log = (shop.path.parent / "training.log").read_text()
    assert f"report: {report_path(shop, task)}" in log


@pytest.mark.parametrize("task", ["churn", "offers"])
def test_it_says_what_was_measured(folder: Path, task: Task) -> None:
    trained = model(task)
    page = Page(written(folder, task))
    for name in ("auc", "average_precision", "ece"):
        assert f"{trained.evaluation.metrics[name]:.3f}" in page.text
    for name, said in (("recency", "recency only"), ("logistic", "logistic regression")):
        mean, low, high = trained.evaluation.gain[name]
        assert said in page.text
        assert f"+{mean:.3f}" in page.text
        assert low > 0, high
    assert "12 rows: outside the cohort" in " ".join(page.text.split())
    for signal in trained.bundle.plan.signals:
        assert signal.why in page.text
    for each in trained.slices:
        assert f"{each.predicted:.1%}" in page.text and f"{each.low:.1%}" in page.text
    assert "14 Dec 2017" in page.text  # a test instant


def test_money_is_told_where_the_settings_state_it(folder: Path) -> None:
    told, silent = (written(folder, "churn", stakes) for stakes in (STAKES, None))
    assert "What contacting brings" in told and "There is no profit curve" not in told
    assert "What contacting brings" not in silent and "There is no profit curve" in silent


def test_it_loads_nothing_from_elsewhere_and_runs_nothing(folder: Path) -> None:
    text = written(folder, "churn", STAKES)
    page = Page(text)
    assert FETCHING & set(page.tags) == set()
    loaded = [to for to in page.loaded if not to.startswith("data:image/png;base64,")]
    assert [to for to in loaded if re.search(r"https?:|//|url\((?!#)", to)] == []
    assert not re.search(r"https?://|@import|url\((?![\"']?#)", text)
    assert [tag for tag in re.findall(r"<[^>]+>", text) if re.search(r"\son\w+=", tag)] == []


def test_links_and_references_lead_somewhere(folder: Path) -> None:
    page = Page(written(folder, "churn", STAKES))
    named = {to[1:] for to in page.loaded if to.startswith("#")}
    assert named
    assert named <= set(page.ids)
    assert len([i for i in page.ids if i in SECTIONS]) == len(SECTIONS)


def test_every_picture_says_in_words_what_it_shows(folder: Path) -> None:
    page = Page(written(folder, "churn", STAKES))
    assert all(picture["role"] == "img" for picture in page.pictures)
    said = [picture["aria-label"] or "" for picture in page.pictures]
    assert len(set(said)) == len(said)
    assert all(len(text) > 30 for text in said)


def test_colours_of_pictures_follow_light_and_dark(folder: Path) -> None:
    text = written(folder, "churn", STAKES)
    assert "prefers-color-scheme: dark" in text
    for stand_in in ("#010101", "#020202", "#030303"):
        assert stand_in not in text


def test_text_of_the_data_is_text_and_no_markup(folder: Path) -> None:
    trained = model("churn", STAKES, city=HOSTILE)
    card = replace(trained.bundle.card, currency="<b>$\\frac{$")
    trained = replace(trained, bundle=replace(trained.bundle, card=card))
    page = Page(report_of(read_settings(folder / "rapport.toml"), trained))
    assert page.tags.count("script") == 0
    assert page.tags.count("svg") == Page(written(folder, "churn", STAKES)).tags.count("svg")
    assert HOSTILE in page.text  # the slice
    assert "<b>$\\frac{$ a customer" in page.text  # the axis of profit


def test_writing_it_twice_gives_the_same_bytes(folder: Path) -> None:
    settings = read_settings(folder / "rapport.toml")
    assert report_of(settings, model("offers")) == written(folder, "offers")


def test_weak_evidence_is_told_as_a_limit(folder: Path) -> None:
    trained = model("churn")
    rival = dict(trained.tested.predictions, logistic=trained.tested.predictions["model"])
    tested = replace(trained.tested, predictions=rival)
    trained = replace(trained, tested=tested, evaluation=evaluate(tested), slices=[])
    page = report_of(read_settings(folder / "rapport.toml"), trained)
    text = " ".join(Page(page).text.split())
    assert "Against logistic regression it is not clearly better" in text
    assert "positives were tested: the intervals are wide" in text
    assert "No kind of customer has enough tested rows" in text


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("task", ["churn", "offers"])
def test_nothing_is_wider_than_the_window(
    shop: Settings, tmp_path: Path, task: Task, width: int
) -> None:
    browser = shutil.which("chromium")
    assert browser is not None, "install Chromium, as .ci/run does"
    path = tmp_path / "measured.html"
    path.write_text(report_path(shop, task).read_text(encoding="utf-8") + MEASURE, "utf-8")
    frame = tmp_path / "frame.html"  # a window itself cannot be as narrow as a phone
    frame.write_text(FRAME.format(width=width, page=path.name), "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]
    done = subprocess.run(
        [browser, *options, f"--user-data-dir={tmp_path}", "--dump-dom", frame.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (title,) = re.findall(r"<title>(\[.*?)</title>", done.stdout)
    inner, scrolled, wide = json.loads(html.unescape(title))
    assert inner == width >= scrolled
    assert wide == []


def test_where_a_baseline_is_ahead_the_verdict_says_so(folder: Path) -> None:
    trained = model("churn")
    settings = read_settings(folder / "rapport.toml")
    assert "behind in" not in report_of(settings, trained)
    sure = np.where(trained.tested.label == 1, 0.9, 0.1)
    sure[np.flatnonzero(sure > 0.5)[:2]] = 0.05
    tested = replace(trained.tested, predictions={**trained.tested.predictions, "recency": sure})
    told = Page(report_of(settings, replace(trained, tested=tested))).text
    (said,) = re.findall(r"behind in average precision \((0\.\d{3}) against (0\.\d{3})\)", told)
    assert said[0] > said[1]
    assert "and lift (" in told


def test_training_says_where_a_baseline_is_ahead(capsys: pytest.CaptureFixture[str]) -> None:
    trained = model("churn")
    rivals = trained.tested.predictions
    sure = {**rivals, "rfm": trained.tested.label.astype(np.float64)}
    _tell(replace(trained, tested=replace(trained.tested, predictions=sure)))
    told = capsys.readouterr().out
    assert told.count(" is ahead in ") == 1
    assert "note: rfm is ahead in average precision (1.000 against 0." in told
