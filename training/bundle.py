"""The model bundle: a folder without pickles that scores, explains and proves itself.

``booster.txt`` is LightGBM's text of the trees, ``bundle.json`` everything else, ``probes.json``
histories with the bits that every signal must have. Nothing in it is executed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.contract import contract_of, plan_of, probes_of, replay
from features.errors import ModelError
from features.plan import Plan
from features.values import SignalValues
from training.calibration import Calibrator
from training.cohort import in_cohort
from training.ensemble import Ensemble
from training.linear import Linear
from training.meanings import Meanings

Float64 = npt.NDArray[np.float64]
FORMAT = 2
BOOSTER, BUNDLE, PROBES = "booster.txt", "bundle.json", "probes.json"


@dataclass(frozen=True, slots=True)
class Card:
    """What a person asks of a model: its task, its training and its quality.

    ``bands`` are the thresholds of probability between low, medium and high; ``cohort_signal``
    and ``gone_signal`` name the signals by which ``training.cohort`` says for whom it speaks.
    """

    task: str
    settings: Mapping[str, Any]
    base_rate: float
    trained_from: str
    trained_until: str
    rows: int
    metrics: Mapping[str, float]
    costs: Mapping[str, Any]
    currency: str
    bands: tuple[float, float] | None = None
    cohort_signal: str | None = None
    gone_signal: str | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """Probabilities and their reasons.

    ``probability`` is (n,), ``effects`` (n, n_signals) in probability points: each row adds up
    to ``probability - baseline``. ``contributions`` are the same in log-odds of the ensemble,
    whose base is ``base_margin``.
    """

    probability: Float64
    baseline: float
    effects: Float64
    contributions: Float64
    base_margin: float


@dataclass(frozen=True)
class Bundle:
    """A model as it is served."""

    plan: Plan
    ensemble: Ensemble
    calibrator: Calibrator
    vocabularies: Mapping[str, list[str]]
    card: Card

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the signal contract."""
        return str(contract_of(self.plan)["fingerprint"])

    @cached_property
    def meanings(self) -> Meanings:
        """The groups of meaning of its signals, for reasons."""
        return Meanings.of(self.plan)

    def encode(self, values: SignalValues) -> Float64:
        """Return rows of signals as the ensemble reads them, shape ``(n, n_signals)``."""
        return values.encode(self.vocabularies)

    def in_cohort(self, matrix: Float64) -> npt.NDArray[np.bool_]:
        """Return which encoded rows the model speaks for, shape ``(n,)``; all without a cohort."""
        if self.card.cohort_signal is None:
            return np.ones(len(matrix), dtype=np.bool_)
        return in_cohort(self.plan.names, matrix, self.card.cohort_signal, self.card.gone_signal)

    def score(self, matrix: Float64) -> Float64:
        """Return the probabilities of encoded rows, shape ``(n,)``."""
        return self.calibrator(self.ensemble.margin(matrix))

    def explain(self, matrix: Float64) -> Explained:
        """Return probabilities of at least one row with each signal's effect, by exact SHAP.

        With ``f`` the margin, ``f0`` its base and ``g`` the calibrator, a signal's effect is its
        contribution times ``(g(f) - g(f0)) / (f - f0)``, or ``g'(f0)`` where they meet.
        """
        contributions, base = self.ensemble.contributions(matrix)
        margin = self.ensemble.margin(matrix)
        probability, baseline = self.calibrator(margin), float(self.calibrator(base))
        distance = contributions.sum(axis=1)
        scale = np.full(len(matrix), float(self.calibrator.derivative(base)))
        far = np.abs(distance) > 1e-9
        scale[far] = (probability[far] - baseline) / distance[far]
        effects = contributions * scale[:, None]
        return Explained(probability, baseline, effects, contributions, base)


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a new or empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle.ensemble.booster.save_model(str(folder / BOOSTER))
    card = {name: getattr(bundle.card, name) for name in Card.__slots__}
    plain = {
        "format": FORMAT,
        "booster": _digest(folder / BOOSTER),
        "contract": contract_of(bundle.plan),
        "calibrator": asdict(bundle.calibrator),
        "linear": _plain_line(bundle.ensemble),
        "vocabularies": dict(bundle.vocabularies),
        "card": card,
    }
    probes = probes_of(bundle.plan, bundle.vocabularies)
    (folder / PROBES).write_text(json.dumps(probes), encoding="utf-8")
    plain["probes"] = _digest(folder / PROBES)
    plain = json.loads(json.dumps(plain, default=dict))
    plain["digest"] = _digest_of(plain)
    (folder / BUNDLE).write_text(json.dumps(plain, indent=1), encoding="utf-8")


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and prove that this code computes its signals, bit for bit.

    Raises:
        ModelError: the folder holds no readable bundle of this format.
        ContractError: this code would compute some of its signals differently.
    """
    try:
        plain = json.loads((folder / BUNDLE).read_text(encoding="utf-8"))
        probes = json.loads((folder / PROBES).read_text(encoding="utf-8"))
        if plain["format"] != FORMAT:
            raise ModelError(
                f"model bundle '{folder.name}'",
                f"format {plain['format']}",
                f"format {FORMAT}",
                "Train the model again with this version.",
            )
        if plain.pop("digest") != _digest_of(plain) or plain["probes"] != _digest(folder / PROBES):
            raise ValueError(f"{BUNDLE} or {PROBES} is not the one that was saved")
        plan = plan_of(plain["contract"])
        calibrator = Calibrator(**{k: float(v) for k, v in plain["calibrator"].items()})
        bands = plain["card"].pop("bands")
        card = Card(**plain["card"], bands=bands and (bands[0], bands[1]))
        if plain["booster"] != _digest(folder / BOOSTER):
            # LightGBM ends the process when it parses half a file.
            raise ValueError(f"{BOOSTER} is not the one that was saved")
        booster = lgb.Booster(model_file=str(folder / BOOSTER))
        ensemble = _ensemble_of(booster, plain["linear"])
        vocabularies = plain["vocabularies"]
        replay(plan, probes)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        lgb.basic.LightGBMError,
    ) as error:
        raise ModelError(
            f"model bundle '{folder.name}'",
            f"{type(error).__name__}: {error}",
            f"the files {BOOSTER}, {BUNDLE} and {PROBES} as training wrote them",
            "Download the model again, or train it again.",
        ) from error
    if booster.feature_name() != plan.names:
        raise ModelError(
            f"model bundle '{folder.name}'",
            "an ensemble of other columns",
            "the contract's signals in order",
            "Download the model again.",
        )
    return Bundle(plan, ensemble, calibrator, vocabularies, card)


def _plain_line(ensemble: Ensemble) -> dict[str, Any] | None:
    """Return the linear part as JSON keeps it, to the bit."""
    if ensemble.linear is None:
        return None
    plain = {k: v.tolist() for k, v in asdict(ensemble.linear).items() if k != "base"}
    return {"share": ensemble.share, "base": ensemble.linear.base, **plain}


def _ensemble_of(booster: lgb.Booster, plain: Mapping[str, Any] | None) -> Ensemble:
    if plain is None:
        return Ensemble(booster)
    n = len(booster.feature_name())
    parts = {k: np.array(v, dtype=np.float64) for k, v in plain.items() if k != "share"}
    line = Linear(float(parts.pop("base")), **parts)
    if {x.shape for x in (line.slope, line.missing, line.mean)} != {(n,)} or len(line.levels) != n:
        raise ValueError(f"the linear part is not one of {n} signals")
    return Ensemble(booster, line, float(plain["share"]))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_of(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
