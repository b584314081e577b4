"""Live models: promotions are noticed, what cannot be trusted is refused, nothing is dropped."""

import gc
import hashlib
import json
import logging
import shutil
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.errors import ContractError, ModelError, SettingsError
from features.settings import Settings, read_settings
from serving.live import LiveScorer, Served, rehearse
from serving.loading import load_scorer, open_store
from serving.store import Store
from tests.registries import crown, register, source_of, uncrown
from training.bundle import BUNDLE, PROBES
from training.models import CACHE
from training.registry import may_have_champion


@pytest.fixture
def history(own: Settings) -> Iterator[Store]:
    with open_store(own) as opened:
        yield opened


@pytest.fixture
def live(own: Settings, history: Store) -> LiveScorer:
    return LiveScorer(own, history)


def again(own: Settings, tmp_path: Path) -> str:
    """Register the same churn model again, as version 2."""
    return register(own, "churn", str(source_of(own, "churn", tmp_path / "again")))


def unreachable(own: Settings) -> Settings:
    """Return the same settings with a registry where nobody answers."""
    path = own.path.with_name("cut-off.toml")
    text = own.path.read_text() + '\n[tracking]\nuri = "http://127.0.0.1:9"\n'
    path.write_text(text)
    return read_settings(path)


def test_a_promotion_is_noticed_and_what_was_there_before_goes(
    own: Settings, live: LiveScorer, tmp_path: Path
) -> None:
    before, began = live.scorer, live.served.since
    assert not live.refresh()
    assert live.scorer is before
    assert again(own, tmp_path) == "2"
    assert live.refresh()
    assert (before.churn_model.version, live.scorer.churn_model.version) == ("1", "2")
    assert live.scorer.offer_model is before.offer_model
    assert live.served.since["churn"] > began["churn"]
    assert live.served.since["offers"] == began["offers"]
    gone = weakref.ref(before)
    del before
    gc.collect()
    assert gone() is None


def test_the_alias_put_back_is_noticed_too(own: Settings, live: LiveScorer, tmp_path: Path) -> None:
    again(own, tmp_path)
    live.refresh()
    crown(own, "churn", "1")
    assert live.refresh()
    assert live.scorer.churn_model.version == "1"


@pytest.mark.parametrize("damage", ["half a bundle", "other bits", "no files"])
def test_what_cannot_be_trusted_is_refused_once_and_the_old_one_stays(
    own: Settings,
    live: LiveScorer,
    tmp_path: Path,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = source_of(own, "churn", tmp_path / "bad")
    bundle = source / "artifacts" / "bundle"
    if damage == "half a bundle":
        (bundle / BUNDLE).write_text((bundle / BUNDLE).read_text()[:1000])
    elif damage == "other bits":
        forge_probes(bundle)
    else:
        shutil.rmtree(bundle)
    version = register(own, "churn", str(source))
    before = live.scorer
    with caplog.at_level(logging.WARNING, "serving.live"):
        assert [live.refresh() for _ in range(3)] == [False] * 3
    assert live.scorer is before
    assert len([r for r in caplog.records if r.name == "serving.live"]) == 1
    if damage == "other bits":
        assert "probe histories" in caplog.text
    assert live.problems
    if damage != "no files":  # those may yet come: the version is asked for again
        assert f"version {version} was refused" in live.problems["churn"]
    crown(own, "churn", "1")
    assert not live.refresh()
    assert not live.problems


def forge_probes(bundle: Path) -> None:
    """Expect another value of one probe, and mend the digests that would tell."""
    probes = json.loads((bundle / PROBES).read_text())
    expected = probes[-1]["expected"]
    expected[0] = next(value for value in expected if value != expected[0])
    (bundle / PROBES).write_text(json.dumps(probes))
    plain = json.loads((bundle / BUNDLE).read_text())
    del plain["digest"]
    plain["probes"] = hashlib.sha256((bundle / PROBES).read_bytes()).hexdigest()
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    (bundle / BUNDLE).write_text(json.dumps({**plain, "digest": digest}))


def test_a_registry_that_does_not_answer_is_told_once_and_serving_goes_on(
    own: Settings, live: LiveScorer, caplog: pytest.LogCaptureFixture
) -> None:
    before = live.scorer
    live._settings = unreachable(own)
    with caplog.at_level(logging.WARNING, "serving.live"):
        assert not live.refresh()
        assert not live.refresh()
    assert len([r for r in caplog.records if r.name == "serving.live"]) == 1
    assert "does not answer" in live.problems["registry"]
    assert live.scorer is before
    live._settings = own
    live.refresh()
    assert not live.problems


def test_at_start_without_a_registry_the_last_champions_serve(
    own: Settings, live: LiveScorer, history: Store, tmp_path: Path
) -> None:
    again(own, tmp_path)
    live.refresh()
    cut_off = LiveScorer(unreachable(own), history)
    assert cut_off.scorer.churn_model.version == "2"
    assert cut_off.scorer.offer_model is not None
    assert "does not answer" in cut_off.problems["registry"]
    asked = history.customers()[:3] or ["nobody"]
    assert cut_off.scorer.churn(asked, 1)[1] == live.scorer.churn(asked, 1)[1]


def test_at_start_a_champion_that_cannot_be_trusted_leaves_the_last_one_serving(
    own: Settings, live: LiveScorer, history: Store, tmp_path: Path
) -> None:
    source = source_of(own, "churn", tmp_path / "bad")
    (source / "artifacts" / "bundle" / BUNDLE).write_text("{}")
    register(own, "churn", str(source))
    started = LiveScorer(own, history)
    assert started.scorer.churn_model.version == "1"
    assert started.problems


def test_at_start_without_a_registry_and_without_a_copy_the_error_is_clear(
    own: Settings, history: Store
) -> None:
    with pytest.raises(ModelError, match="model registry"):
        LiveScorer(unreachable(own), history)


def test_at_start_without_a_champion_the_error_says_how_to_get_one(
    own: Settings, live: LiveScorer, history: Store
) -> None:
    uncrown(own, "churn")
    with pytest.raises(ModelError, match="python -m training main"):
        LiveScorer(own, history)
    assert not live.refresh()
    assert live.scorer.churn_model.version == "1"
    assert "no champion of churn" in live.problems["churn"]


def test_a_memory_that_is_damaged_is_no_reason_not_to_start(
    own: Settings, live: LiveScorer, history: Store
) -> None:
    (memory,) = (own.path.parent / CACHE).glob("champions-*.json")
    memory.write_text("{")
    assert LiveScorer(own, history).scorer.churn_model.version == "1"
    assert "rapport-churn" in memory.read_text()


def test_what_is_wrong_is_told_before_there_is_a_server(
    own: Settings, live: LiveScorer, history: Store
) -> None:
    settings = unreachable(own)
    rehearse(settings, history)  # by what served last: no registry is asked
    eligible = '\n[[policy.eligibility]]\nsignal = "no_such_signal"\nat_least = 1\n'
    settings.path.write_text(settings.path.read_text() + eligible)
    with pytest.raises(SettingsError, match="no_such_signal"):
        rehearse(read_settings(settings.path), history)


MONEY = "\n[value]\nat_risk = 400.0\ncontact_cost = 20.0\nsave_rate = 0.2\n"
OTHERWISE = {
    "time zone": ('"Europe/London"', '"Europe/Paris"', "time zone Europe/Paris, not Europe/London"),
    "kinds": ('value = ["purchase"]', 'value = ["purchase", "sale"]', "role value purchase and"),
}


def mended(own: Settings, old: str, new: str) -> Settings:
    """Change the settings file, as a user does after training."""
    text = own.path.read_text()
    assert old in text
    own.path.write_text(text.replace(old, new))
    return read_settings(own.path)


def test_money_that_is_stated_after_training_counts(own: Settings, store: Store) -> None:
    assert not LiveScorer(own, store).scorer.states_money
    mended(own, "\n[churn]", f"{MONEY}\n[churn]")
    settings = mended(own, 'currency = "GBP"', 'currency = "EUR"')
    for scorer in (LiveScorer(settings, store).scorer, load_scorer(settings, store)):
        inside = [s for s in scorer.churn(store.customers(), 0)[1] if s.status == "in_cohort"]
        for score in inside:
            assert score.value_at_risk == score.probability * 400.0
            assert score.contacting_pays == (score.probability * 0.2 * 400.0 > 20.0)
        assert {score.contacting_pays for score in inside} == {True, False}
        assert scorer.churn_model.bundle.card.currency == "EUR"


@pytest.mark.parametrize(("old", "new", "told"), OTHERWISE.values(), ids=OTHERWISE)
def test_a_model_that_was_trained_by_other_settings_does_not_serve(
    own: Settings, history: Store, live: LiveScorer, old: str, new: str, told: str
) -> None:
    settings = mended(own, old, new)
    for served in (rehearse, LiveScorer, load_scorer):
        with pytest.raises(ContractError, match=rf"version 1: .*{told}.*python -m training main"):
            served(settings, history)
    rehearse(mended(own, new, old), history)


def test_a_kind_that_no_signal_tells_apart_keeps_the_model_serving(
    own: Settings, history: Store
) -> None:
    settings = mended(own, "[roles]", '[roles]\nother = ["survey"]')
    assert LiveScorer(settings, history).scorer.churn_model.version == "1"


def test_what_was_trained_by_other_settings_does_not_replace_what_serves(
    own: Settings, live: LiveScorer, tmp_path: Path
) -> None:
    again(own, tmp_path)
    live._settings = mended(own, *OTHERWISE["time zone"][:2])
    assert not live.refresh()
    assert "version 2 was refused" in live.problems["churn"]


def test_a_registry_that_was_emptied_is_told_before_there_is_a_server(
    own: Settings, live: LiveScorer, history: Store
) -> None:
    uncrown(own, "churn")
    with pytest.raises(ModelError, match="python -m training main"):
        rehearse(own, history)
    (own.path.parent / "mlflow.db").unlink()
    assert not may_have_champion(own, "churn")


def test_what_never_served_is_rehearsed_by_the_registry(own: Settings, history: Store) -> None:
    rehearse(own, history)
    shutil.rmtree(own.path.parent / CACHE)
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9"):
        rehearse(unreachable(own), history)


def test_scores_are_the_same_while_models_swap(own: Settings, tmp_path: Path, store: Store) -> None:
    live = LiveScorer(own, store)
    again(own, tmp_path)
    asked = store.customers()[:20]
    expected = {s.customer_id: s.probability for s in live.scorer.churn(asked, 2)[1]}
    swaps: list[Served] = []
    wrong: list[object] = []
    stop = threading.Event()

    def score() -> None:
        while not stop.is_set():
            scorer = live.scorer
            scores = {s.customer_id: s.probability for s in scorer.churn(asked, 2)[1]}
            if scores != pytest.approx(expected, abs=1e-3):
                wrong.append(scores)

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    live._swapped = swaps.append
    for version in (1, 2) * 3:
        crown(own, "churn", version)
        live.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert len(swaps) >= 5
    assert wrong == []


def test_the_watch_swaps_by_itself_and_stops(own: Settings, history: Store, tmp_path: Path) -> None:
    done = threading.Event()
    live = LiveScorer(own, history, lambda served: done.set())
    live.start(every=0.05)
    again(own, tmp_path)
    assert done.wait(30)
    assert live.scorer.churn_model.version == "2"
    live.close()
    assert live._watch is not None
    assert not live._watch.is_alive()
