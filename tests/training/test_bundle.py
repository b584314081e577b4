"""The bundle: what was saved is what is served, explained exactly, or refused."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import ContractError, ModelError
from tests.training.bundles import CARD, Float64, bundle_of, plan_of
from training.bundle import BOOSTER, BUNDLE, PROBES, Bundle, load_bundle, save_bundle
from training.calibration import Calibrator


@pytest.fixture(scope="module")
def saved(trained: tuple[Bundle, Float64], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "bundle"
    save_bundle(trained[0], folder)
    return folder


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    """A bundle that a test may spoil."""
    return Path(shutil.copytree(saved, tmp_path / "bundle"))


def test_a_loaded_bundle_scores_and_explains_with_the_same_bits(
    trained: tuple[Bundle, Float64], saved: Path
) -> None:
    bundle, matrix = trained
    loaded = load_bundle(saved)
    assert loaded.score(matrix).tobytes() == bundle.score(matrix).tobytes()
    before, after = bundle.explain(matrix), loaded.explain(matrix)
    assert after.effects.tobytes() == before.effects.tobytes()
    assert after.contributions.tobytes() == before.contributions.tobytes()
    assert after.probability.tobytes() == bundle.score(matrix).tobytes()
    assert (after.baseline, after.base_margin) == (before.baseline, before.base_margin)


def test_everything_else_comes_back_as_it_was(trained: tuple[Bundle, Float64], saved: Path) -> None:
    bundle, loaded = trained[0], load_bundle(saved)
    assert loaded.card == bundle.card
    assert loaded.calibrator == bundle.calibrator
    assert loaded.vocabularies == bundle.vocabularies
    assert loaded.plan == bundle.plan
    assert loaded.fingerprint == bundle.fingerprint


def test_the_folder_holds_text_and_json_and_no_pickle(saved: Path) -> None:
    assert {path.name for path in saved.rglob("*")} == {BOOSTER, BUNDLE, PROBES}
    for name in (BUNDLE, PROBES):
        json.loads((saved / name).read_text())
    assert (saved / BOOSTER).read_text().startswith("tree\n")


def test_one_row_scores_as_it_does_among_others(trained: tuple[Bundle, Float64]) -> None:
    bundle, matrix = trained
    alone = [bundle.explain(matrix[[i]]).effects[0] for i in range(20)]
    assert np.array(alone).tobytes() == bundle.explain(matrix[:20]).effects.tobytes()


def edit(name: str, change: Callable[[Any], Any], signed: bool = True) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        plain = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(change(plain)))
        if signed:
            sign(folder)

    return spoil


def sign(folder: Path) -> None:
    """Make the digests agree again: what is wrong now was saved so."""
    plain = json.loads((folder / BUNDLE).read_text())
    if not isinstance(plain, dict):
        return
    plain.pop("digest", None)
    plain["probes"] = hashlib.sha256((folder / PROBES).read_bytes()).hexdigest()
    text = json.dumps(plain, sort_keys=True)
    plain["digest"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / BUNDLE).write_text(json.dumps(plain))


def cut(name: str, kept: float) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * kept)])

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def without(key: str) -> Callable[[Any], Any]:
    return lambda plain: {name: value for name, value in plain.items() if name != key}


def a_line_of(n: int) -> dict[str, Any]:
    parts = dict.fromkeys(("slope", "missing", "mean"), [0.0] * n)
    return {"share": 0.5, "base": 0.0, **parts, "levels": [[0.0]] * n}


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (remove(BOOSTER), "FileNotFoundError.*booster.txt"),
        (remove(BUNDLE), "FileNotFoundError.*bundle.json"),
        (remove(PROBES), "FileNotFoundError.*probes.json"),
        (cut(BUNDLE, 0.5), "JSONDecodeError"),
        (cut(PROBES, 0.5), "JSONDecodeError"),
        (cut(BOOSTER, 0.0), "booster.txt is not the one that was saved"),
        (cut(BOOSTER, 0.5), "booster.txt is not the one that was saved"),
        (cut(BOOSTER, 0.999), "booster.txt is not the one that was saved"),
        (edit(BUNDLE, lambda plain: plain | {"format": 99}), "got format 99; wanted format 2"),
        (edit(BUNDLE, lambda plain: []), "TypeError"),
        (edit(BUNDLE, lambda plain: plain | {"vocabularies": {}}, signed=False), "not the one"),
        (edit(PROBES, lambda probes: probes[:1], signed=False), "not the one that was saved"),
        (edit(BUNDLE, without("card")), "KeyError: 'card'"),
        (edit(BUNDLE, lambda plain: plain | {"calibrator": {"above": "x"}}), "ValueError"),
        (edit(BUNDLE, lambda plain: plain | {"calibrator": {"scale": 1.0}}), "TypeError"),
        (edit(BUNDLE, lambda plain: plain | {"linear": {"share": 0.5}}), "KeyError"),
        (edit(BUNDLE, lambda plain: plain | {"linear": a_line_of(3)}), "not one of 4 signals"),
        (edit(PROBES, lambda probes: [without("expected")(p) for p in probes]), "KeyError"),
        (edit(PROBES, lambda probes: [p | {"expected": []} for p in probes]), "ValueError"),
    ],
)
def test_a_spoiled_bundle_is_refused_with_a_remedy(
    copied: Path, spoil: Callable[[Path], None], text: str
) -> None:
    spoil(copied)
    with pytest.raises(ModelError, match=rf"(?s)model bundle 'bundle': .*{text}.*again"):
        load_bundle(copied)


@pytest.mark.parametrize("last", ["city", "region"])
def test_the_ensemble_of_another_bundle_is_refused(copied: Path, tmp_path: Path, last: str) -> None:
    save_bundle(bundle_of(plan_of(last), seed=2)[0], tmp_path / "other")
    shutil.copy(tmp_path / "other" / BOOSTER, copied / BOOSTER)
    with pytest.raises(ModelError, match=r"booster.txt is not the one that was saved"):
        load_bundle(copied)


def test_a_linear_part_is_kept_to_the_bit(tmp_path: Path) -> None:
    bundle, matrix = bundle_of(plan_of("city"), share=0.5)
    save_bundle(bundle, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    assert loaded.score(matrix).tobytes() == bundle.score(matrix).tobytes()
    assert loaded.explain(matrix).effects.tobytes() == bundle.explain(matrix).effects.tobytes()


def test_an_ensemble_of_other_columns_than_the_contract_is_refused(tmp_path: Path) -> None:
    city, region = bundle_of(plan_of("city"))[0], plan_of("region")
    save_bundle(
        Bundle(region, city.ensemble, Calibrator(), {"attribute_region": ["Ayr"]}, CARD), tmp_path
    )
    with pytest.raises(ModelError, match="an ensemble of other columns"):
        load_bundle(tmp_path)


def of_engine_0(plain: dict[str, Any]) -> dict[str, Any]:
    return plain | {"contract": plain["contract"] | {"engine": 0, "fingerprint": "another"}}


def first_bit_off(probes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for probe in probes:
        probe["expected"][0] = (-1.0).hex()
    return probes


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (edit(PROBES, first_bit_off), "probe histories: got value_count_28d;"),
        (edit(PROBES, lambda probes: []), "probe histories: got none;"),
        (edit(BUNDLE, of_engine_0), "engine 0 .*the whole differs"),
    ],
)
def test_signals_that_this_code_computes_differently_are_refused_by_name(
    copied: Path, spoil: Callable[[Path], None], text: str
) -> None:
    spoil(copied)
    with pytest.raises(ContractError, match=text):
        load_bundle(copied)


def test_a_changed_declaration_is_refused_by_name(copied: Path) -> None:
    def longer(plain: dict[str, Any]) -> dict[str, Any]:
        plain["contract"]["signals"][0]["window"] = 29
        return plain

    edit(BUNDLE, longer)(copied)
    with pytest.raises(ContractError, match="changed signals: value_count_28d"):
        load_bundle(copied)
