"""The signal contract: what a model was trained on, and the proof that this code computes it."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from features import clock, kernel
from features.declaration import Signal
from features.errors import ContractError, DeclarationError
from features.interactions import COLUMNS, Attribute, Interaction
from features.measures import CALENDAR
from features.offers import Offer, Value
from features.online import evaluate
from features.plan import Plan, bare, compile_plan

AGAIN = "Train the model again with this version, or serve it with the one that trained it."
LOCAL = ("day", *CALENDAR)
PROBE_INSTANT = 18_000 * clock.DAY
N_PROBES = 7


def contract_of(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data: ordered signals, kinds of roles, versions, fingerprint."""
    contract: dict[str, Any] = {
        "engine": kernel.ENGINE_VERSION,
        "tzdata": clock.TZDATA_VERSION,
        "timezone": plan.timezone,
        "roles": {role: list(kinds) for role, kinds in plan.roles.items()},
        "signals": [
            {"name": signal.name, **signal.to_dict(), "digest": _digest(signal, plan)}
            for signal in plan.signals
        ],
    }
    return {**contract, "fingerprint": _hash(contract)}


def plan_of(contract: Mapping[str, Any]) -> Plan:
    """Return the plan of a contract.

    Raises:
        ContractError: this code would compute some of its signals differently; it says which.
    """
    declared = [dict(entry) for entry in contract["signals"]]
    names = [entry.pop("name") for entry in declared]
    digests = [entry.pop("digest") for entry in declared]
    signals = [_declared(name, entry) for name, entry in zip(names, declared, strict=True)]
    roles = {role: tuple(kinds) for role, kinds in contract["roles"].items()}
    try:
        plan = compile_plan(signals, roles, contract["timezone"])
    except DeclarationError as error:
        raise ContractError(
            "signal contract", str(error), "signals that go together", AGAIN
        ) from error
    changed = [
        name
        for name, digest, signal in zip(names, digests, plan.signals, strict=True)
        if name != signal.name or digest != _digest(signal, plan)
    ]
    if changed or contract != contract_of(plan):
        raise ContractError(
            "signal contract",
            f"engine {contract['engine']} and tzdata {contract['tzdata']}; changed signals: "
            + (", ".join(changed) or "none, but the whole differs"),
            f"engine {kernel.ENGINE_VERSION} and tzdata {clock.TZDATA_VERSION}",
            AGAIN,
        )
    return plan


def probes_of(plan: Plan, categories: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return synthetic histories with the bits of every signal, to be replayed on loading.

    Args:
        plan: the plan to prove.
        categories: for each category signal, the values it can take.
    """
    rng = random.Random(20180101)
    return [_probe(plan, categories, rng, size) for size in range(N_PROBES)]


def replay(plan: Plan, probes: Sequence[Mapping[str, Any]]) -> None:
    """Compute the probes again.

    Raises:
        ContractError: some signal comes out with other bits; it says which.
    """
    wrong: set[str] = set()
    for probe in probes:
        got = _computed(plan, probe)
        pairs = zip(plan.names, got, probe["expected"], strict=True)
        wrong |= {name for name, value, expected in pairs if value != expected}
    if wrong or not probes:
        raise ContractError(
            "probe histories",
            ", ".join(sorted(wrong)) or "none",
            "every signal with the bits it had in training",
            "Train the model again on this machine and version.",
        )


def _computed(plan: Plan, probe: Mapping[str, Any]) -> list[str | None]:
    offer = Offer(**{**probe["offer"], "topics": frozenset(probe["offer"]["topics"])})
    values = evaluate(
        plan,
        [Interaction(**item) for item in probe["interactions"]],
        probe["as_of"],
        [Attribute(**item) for item in probe["attributes"]],
        [offer] if plan.needs_offer else [],
    )
    return [_bits(value) for value in values.row(0)]


def _probe(
    plan: Plan, categories: Mapping[str, Sequence[str]], rng: random.Random, size: int
) -> dict[str, Any]:
    kinds = [*plan.kinds, "some_other_kind"]
    channels, topics = _texts(plan, "channel"), [*_texts(plan, "topic"), "tea", "milk"]
    as_of = PROBE_INSTANT + size * (37 * clock.DAY + 5 * clock.HOUR)
    items = []
    for _ in range(size * size * 4):
        occurred = as_of - rng.randrange(1, rng.choice((2, 10, 100, 500)) * clock.DAY)
        items.append(
            {
                "customer_id": "probe",
                "occurred_at": occurred,
                "recorded_at": occurred + rng.choice([0, 0, clock.DAY]),
                "kind": rng.choice(kinds),
                "channel": rng.choice([None, *channels, "web", "phone"]),
                "topic": rng.choice([None, *topics]),
                "case_id": rng.choice([None, "1", "2", "3"]),
                "offer_id": rng.choice([None, "probe", "other"]),
                "amount": rng.choice([None, rng.lognormvariate(3, 2)]),
                "wait_minutes": rng.choice([None, 0.0, rng.lognormvariate(1, 1)]),
                "rating": rng.choice([None, 0.0, 0.25, 0.5, 1.0]),
                "resolved": rng.choice([None, True, False]),
                "due_at": rng.choice([None, occurred + rng.randrange(20 * clock.DAY)]),
                "numbers": {
                    name: rng.choice([0.0, rng.lognormvariate(1, 1)])
                    for name in plan.numbers
                    if name not in COLUMNS
                },
            }
        )
    return _with_expected(
        plan,
        {
            "as_of": as_of,
            "interactions": items,
            "attributes": [
                {
                    "customer_id": "probe",
                    "known_at": clock.EVER,
                    "name": signal.column,
                    "value": _some_value(signal, categories, rng),
                }
                for signal in plan.everything
                if signal.measure == "attribute"
            ],
            "offer": {
                "offer_id": "probe",
                "topics": ["milk", "tea"],
                "valid_from": PROBE_INSTANT,
                "valid_to": PROBE_INSTANT + 30 * clock.DAY,
                "attributes": {
                    signal.column: _some_value(signal, categories, rng)
                    for signal in plan.everything
                    if signal.measure == "offer_attribute"
                },
            },
        },
    )


def _declared(name: str, entry: dict[str, Any]) -> Signal:
    try:
        return Signal.from_dict(entry)
    except DeclarationError as error:
        raise ContractError(
            "signal contract",
            f"{name}, which is declared as {entry}",
            "signals that this version can declare",
            AGAIN,
        ) from error


def _with_expected(plan: Plan, probe: dict[str, Any]) -> dict[str, Any]:
    return {**probe, "expected": _computed(plan, probe)}


def _texts(plan: Plan, name: str) -> list[str]:
    return sorted({t for s in plan.everything if (t := getattr(s, name)) is not None})


def _some_value(signal: Signal, categories: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    if signal.number:
        return repr(rng.lognormvariate(2, 1))
    return rng.choice([*categories.get(signal.name, ()), "some other value"])


def _bits(value: Value) -> str | None:
    return value.hex() if isinstance(value, float) else value


def _digest(signal: Signal, plan: Plan) -> str:
    everything = signal.everything()
    roles = sorted({role for s in everything for role in (s.role, s.than) if role})
    local = any(s.column in LOCAL for s in everything)
    return _hash(
        [
            kernel.ENGINE_VERSION,
            bare(signal).to_dict(),
            [[role, list(plan.roles.get(role, ()))] for role in roles],
            [plan.timezone, clock.TZDATA_VERSION] if local else [],
        ]
    )


def _hash(plain: object) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
