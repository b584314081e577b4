"""The contract: a model is served only by code that computes its signals to the same bits."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from features import clock, kernel
from features.contract import contract_of, plan_of, probes_of, replay
from features.errors import ContractError, RapportError
from features.plan import compile_plan
from features.signals import days, interactions
from tests.strategies import ROLES, SIGNALS

PLAN = compile_plan(SIGNALS, ROLES)
VOCABULARIES = {"attribute_city": ["Ayr", "Bath"], "offer_type": ["A", "B"]}


def contract() -> dict[str, Any]:
    """The contract as a bundle would hold it."""
    text: dict[str, Any] = json.loads(json.dumps(contract_of(PLAN)))
    return text


def probes() -> list[dict[str, Any]]:
    text: list[dict[str, Any]] = json.loads(json.dumps(probes_of(PLAN, VOCABULARIES)))
    return text


def test_a_plan_survives_its_contract() -> None:
    assert plan_of(contract()) == PLAN
    assert plan_of(contract()).names == PLAN.names


def signal(plain: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in plain["signals"] if entry["name"] == name)
    return found


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: signal(c, "value_count_7d").update(window=8), "value_count_7d"),
        (lambda c: signal(c, "value_count_7d").update(name="other"), "other"),
        (lambda c: signal(c, "value_count_7d").update(digest="0"), "value_count_7d"),
        (lambda c: signal(c, "value_count_7d").update(role="exit"), "value_count_7d"),
        (lambda c: signal(c, "any_count").update(measure="median"), "any_count"),
        (lambda c: signal(c, "any_count").update(weight=2), "any_count"),
        (lambda c: signal(c, "any_count").update(where=["amount"]), "any_count, which is declared"),
        (lambda c: signal(c, "any_count").update(where=["amount", "<", "1"]), "any_count"),
        (lambda c: signal(c, "any_count").update(window=0.5), "any_count"),
        (lambda c: signal(c, "any_count").update(channel=""), "any_count, which is declared"),
        (lambda c: signal(c, "attribute_age").update(number=False), "attribute 'age'"),
        (lambda c: c["roles"]["value"].append("lease"), "value_gap_mean"),
        (lambda c: c["roles"]["detail"].clear(), "detail_count_7d_same_topic"),
        (lambda c: c["roles"].pop("value"), "value_days_since_last"),
        (lambda c: c["signals"].reverse(), "none, but the whole differs"),
        (lambda c: c["signals"].pop(), "none, but the whole differs"),
        (lambda c: signal(c, "any_count").update(why="else"), "none, but the whole differs"),
        (lambda c: c.update(engine="0"), "engine 0"),
        (lambda c: c.update(tzdata="1999a"), "tzdata 1999a"),
        (lambda c: c.update(fingerprint="0"), "none, but the whole differs"),
    ],
)
def test_any_change_is_refused_and_the_signal_named(
    change: Callable[[dict[str, Any]], object], named: str
) -> None:
    changed = contract()
    change(changed)
    with pytest.raises(ContractError, match=named):
        plan_of(changed)


def test_a_change_of_roles_names_only_the_signals_that_read_them() -> None:
    changed = contract()
    changed["roles"]["detail"].append("line")
    with pytest.raises(ContractError) as error:
        plan_of(changed)
    assert "detail_sum_amount_28d_same_topic" in str(error.value)
    assert "value_count_7d" not in str(error.value)


def test_another_engine_changes_every_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = contract()
    monkeypatch.setattr(kernel, "ENGINE_VERSION", kernel.ENGINE_VERSION + 1)
    with pytest.raises(ContractError) as error:
        plan_of(trained)
    assert all(name in str(error.value) for name in PLAN.names)


def test_another_time_zone_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = contract()
    monkeypatch.setattr(clock, "TZDATA_VERSION", "2099z")
    with pytest.raises(ContractError, match="2099z"):
        plan_of(trained)


def test_a_contract_without_signals_is_refused() -> None:
    with pytest.raises(RapportError):
        plan_of({**contract(), "signals": []})


def test_the_probes_come_out_with_the_bits_they_had() -> None:
    replay(plan_of(contract()), probes())
    assert probes() == probes()


def test_the_probes_reach_every_signal() -> None:
    columns = zip(*(probe["expected"] for probe in probes()), strict=True)
    reached = {
        name
        for name, values in zip(PLAN.names, columns, strict=True)
        if len(set(values) - {"nan"}) > 1
    }
    # no kind has the role `contact`, every probe's offer runs for the same time
    assert reached >= set(PLAN.names) - {"contact_count_7d", "offer_days_valid"}


@pytest.mark.parametrize("name", PLAN.names)
def test_one_other_bit_is_refused_and_its_signal_named(name: str) -> None:
    changed = probes()
    expected = changed[-1]["expected"]
    at = PLAN.names.index(name)
    expected[at] = "0x1.fffffffffffffp+0" if expected[at] != "0x1.fffffffffffffp+0" else "0x0p+0"
    with pytest.raises(ContractError) as error:
        replay(PLAN, changed)
    assert error.value.got == name


def test_no_probes_prove_nothing() -> None:
    with pytest.raises(ContractError, match="none"):
        replay(PLAN, [])


def test_a_computation_that_differs_is_refused() -> None:
    (declared,) = interactions("value").count(days(28), why="w")
    trained = probes_of(compile_plan([declared], ROLES), {})
    with pytest.raises(ContractError, match="value_count_28d"):
        replay(compile_plan([declared], {"value": ("purchase",)}), trained)
