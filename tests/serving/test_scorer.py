"""The scorer: the same signals as training, up to date, and honest about whom it knows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features import clock
from features.batch import Spine, compute
from features.errors import RequestError, SettingsError
from features.interactions import Interaction
from features.online import evaluate
from features.settings import Settings
from features.sources.reader import read_history
from serving.loading import load_scorer
from serving.policy import Eligibility, Policy
from serving.rules import Held
from serving.scorer import Scorer
from serving.store import Store


def test_signals_from_the_store_equal_those_of_the_batch_run(
    shop: Settings, scorer: Scorer
) -> None:
    history = read_history(shop)
    customers = scorer.store.customers()
    plan = scorer.churn_model.bundle.plan
    instants = np.full(len(customers), history.known_until, dtype=np.int64)
    batch = compute(plan, history, Spine(pa.array(customers), instants))
    stored = scorer.store.histories(customers)
    for i, customer in enumerate(customers):
        online = evaluate(plan, stored[customer][0], history.known_until, stored[customer][1])
        assert [repr(v) for v in online.row(0)] == [repr(v) for v in batch.row(i)]


def test_effects_add_up_to_the_probability(scorer: Scorer) -> None:
    _, scores = scorer.churn(scorer.store.customers(), 3)
    for score in scores:
        told = sum(reason.effect for reason in score.reasons) + score.other_effect
        assert abs(told - (score.probability - score.baseline)) < 1e-12


def test_a_posted_purchase_changes_the_next_score(scorer: Scorer) -> None:
    _, at_risk = scorer.at_risk(scorer.store.customers(), 1, 3)
    customer = at_risk[0].customer_id
    now = scorer.store.as_of()
    scorer.store.record([Interaction(customer, now - 1, now, "purchase", "p", "api", amount=9.0)])
    as_of, (after,) = scorer.churn([customer], 3)
    assert after.probability < at_risk[0].probability
    assert as_of > now


def test_status_says_for_whom_the_model_speaks(shop: Settings, scorer: Scorer) -> None:
    now = scorer.store.as_of()
    long_ago = now - 100 * clock.DAY
    scorer.store.record(
        [
            Interaction("gone", long_ago, now, "purchase", None, "api", amount=1.0),
            Interaction("here", now - clock.DAY, now, "purchase", None, "api", amount=1.0),
            Interaction("mailed", now - clock.DAY, now, "offer_shown", None, "api"),
        ]
    )
    _, scores = scorer.churn(["gone", "here", "mailed", "never heard of"], 3)
    assert [s.status for s in scores] == ["lapsed", "in_cohort", "unknown", "unknown"]
    assert scores[1].band in ("low", "medium", "high")
    for score in scores[2:]:
        assert (score.probability, score.band) == (score.base_rate, "unknown")
        assert score.reasons == []


def test_the_list_of_those_at_risk_holds_the_cohort_alone_and_is_sorted(scorer: Scorer) -> None:
    _, listed = scorer.at_risk(scorer.store.customers(), 50, 1)
    risks = [score.probability for score in listed]
    assert {score.status for score in listed} == {"in_cohort"}
    assert risks == sorted(risks, reverse=True)
    _, everyone = scorer.churn(scorer.store.customers(), 0)
    assert risks[0] == max(s.probability for s in everyone if s.status == "in_cohort")


def test_bands_are_terciles_of_the_cohort(scorer: Scorer) -> None:
    _, everyone = scorer.churn(scorer.store.customers(), 0)
    bands = [s.band for s in everyone if s.status == "in_cohort"]
    for band in ("low", "medium", "high"):
        assert bands.count(band) / len(bands) == pytest.approx(1 / 3, abs=0.1)


def test_with_money_the_band_says_whether_contacting_pays(shop: Settings, store: Store) -> None:
    plain = load_scorer(shop, store)
    model = plain.churn_model
    costs = {"at_risk": 400.0, "contact_cost": 20.0, "save_rate": 0.2}
    card = replace(model.bundle.card, costs=costs)
    told = replace(model, bundle=replace(model.bundle, card=card))
    scorer = Scorer(store, shop.roles, told, None, {}, plain.zone)
    _, scores = scorer.churn([*store.customers(), "never heard of"], 0)
    assert (scores[-1].value_at_risk, scores[-1].contacting_pays) == (None, None)
    inside = [score for score in scores if score.status == "in_cohort"]
    assert {score.band for score in inside} == {"low", "medium", "high"}
    for score in inside:
        # 0.25 * 0.2 * 400 is what contacting costs.
        right = "high" if score.probability > 0.25 else "medium"
        right = right if score.probability > 0.125 else "low"
        assert (score.band, score.contacting_pays) == (right, right == "high")
        assert score.value_at_risk == score.probability * 400.0
    assert all(s.contacting_pays is None for s in plain.churn(store.customers(), 0)[1])


def test_a_model_whose_stakes_name_no_signal_is_refused_when_loaded(
    shop: Settings, store: Store
) -> None:
    plain = load_scorer(shop, store)
    costs = {"at_risk": "life time", "contact_cost": 20.0, "save_rate": 0.2}
    bundle = plain.churn_model.bundle
    told = replace(bundle, card=replace(bundle.card, costs=costs))
    with pytest.raises(SettingsError, match="life time"):
        Scorer(store, shop.roles, replace(plain.churn_model, bundle=told), None, {}, plain.zone)


def test_offers_are_ranked_by_what_they_are_worth(scorer: Scorer) -> None:
    customer = scorer.store.customers()[0]
    named = list(scorer.offers)
    decision = scorer.rank(customer, "post", limit=10, n_reasons=2, named=named)
    worth = [offer.expected_value for offer in decision.ranked]
    assert worth == sorted(worth, reverse=True)
    for offer in decision.ranked:
        assert offer.expected_value == offer.probability * offer.value - offer.cost
        told = sum(reason.effect for reason in offer.reasons) + offer.other_effect
        assert abs(told - (offer.probability - offer.baseline)) < 1e-12
    everything = {o.offer_id for o in decision.ranked} | {h.offer_id for h in decision.held_back}
    assert everything == set(scorer.offers)
    now = {o.offer_id for o in scorer.offers.values() if o.open_at(decision.as_of)}
    of_now = scorer.rank(customer, "post", limit=10, n_reasons=0, reserve=False)
    considered = {o.offer_id for o in of_now.ranked} | {h.offer_id for h in of_now.held_back}
    assert considered == now, "what ended long ago is no news"


def test_an_accepted_offer_is_not_made_again(scorer: Scorer) -> None:
    customer = scorer.store.customers()[0]
    best = with_offers(scorer).rank(customer, "post", limit=1, n_reasons=0).ranked[0].offer_id
    now = scorer.store.as_of()
    taken = Interaction(customer, now - 1, now, "offer_accepted", None, "api", offer_id=best)
    scorer.store.record([taken])
    after = scorer.rank(customer, "post", limit=10, n_reasons=0)
    assert best not in {offer.offer_id for offer in after.ranked}
    (held,) = [h.rules for h in after.held_back if h.offer_id == best]
    assert "accepted" in {rule.rule for rule in held}


def test_of_an_offer_that_is_gone_nothing_is_proposed_to_anybody(scorer: Scorer) -> None:
    few = with_offers(scorer, stock=2)
    *buyers, customer = scorer.store.customers()[:3]

    def first() -> str:
        return few.rank(customer, "post", 1, 0, reserve=False).ranked[0].offer_id

    for place, buyer in enumerate(buyers):
        assert first() == "new"
        now = scorer.store.as_of()
        kinds = ("offer_shown", "offer_declined", "offer_accepted")
        scorer.store.record(
            [
                Interaction(buyer, now - 1, now, kind, f"{place}-{kind}", "api", offer_id="new")
                for kind in kinds
            ]
        )
    decision = few.rank(customer, "post", 1, 0, ["new"], reserve=False)
    (held,) = decision.held_back
    assert held.rules == (Held("stock", "none left of 2"),)
    assert decision.silent == "Better silent: none left of 2."
    by_all = few.look(customer, scorer.store.histories([customer])[customer], 1, None, 3, 0)
    assert "new" in {offer.offer_id for offer in by_all.ranked}, "before any of it was taken"


def with_offers(scorer: Scorer, *policy: Policy, **changed: Any) -> Scorer:
    """The scorer, with one offer more that is worth making: ``new``."""
    worth = {"offer_id": "new", "valid_from": 0, "valid_to": 2**62, "value": 1e6}
    new = replace(next(iter(scorer.offers.values())), **{**worth, **changed})
    assert scorer.ranker is not None
    offers = {**scorer.offers, "new": new}
    scorer.ranker = replace(scorer.ranker, offers=offers, policy=(*policy, Policy())[0])
    return scorer


def test_a_new_offer_scores_from_its_attributes(scorer: Scorer) -> None:
    decision = with_offers(scorer).rank(scorer.store.customers()[0], "post", 10, 1)
    assert decision.ranked[0].offer_id == "new"
    assert decision.silent is None


def test_nothing_is_said_where_it_would_cost_more_than_it_brings(scorer: Scorer) -> None:
    customer = scorer.store.customers()[0]
    loud = with_offers(scorer, Policy(better_silent=False), value=0.0, cost=3.0)
    decision = loud.rank(customer, "post", 10, 0, ["new"], reserve=False)
    assert decision.ranked[0].expected_value == -3.0
    quiet = with_offers(scorer, value=0.0, cost=3.0)
    decision = quiet.rank(customer, "post", 10, 0, ["new"])
    assert (decision.ranked, decision.reserved) == ([], False)
    assert decision.silent == (
        "Better silent: no offer is expected to bring what proposing it costs."
    )
    (held,) = decision.held_back
    assert held.rules == (Held("silence", "expected to bring £0.00 and to cost £3.00"),)


def test_to_the_control_group_nothing_is_proposed_and_what_would_be_is_logged(
    scorer: Scorer,
) -> None:
    customer = scorer.store.customers()[0]
    usual = with_offers(scorer).rank(customer, "post", 2, 0, reserve=False)
    controlled = with_offers(scorer, Policy(control_share=1.0)).rank(customer, "post", 2, 0)
    assert (controlled.ranked, controlled.reserved) == ([], False)
    assert controlled.silent == (
        "Better silent: in the control group, to which nothing is proposed."
    )
    logged = scorer.store.decision(controlled.decision_id)
    assert logged is not None
    would_be = [offer["offer_id"] for offer in logged["decision"]["would_be"]]
    assert would_be == [offer.offer_id for offer in usual.ranked]


def test_a_rule_may_ask_for_a_signal_and_an_unknown_one_is_refused(
    shop: Settings, store: Store, scorer: Scorer
) -> None:
    customer = scorer.store.customers()[0]
    busy = Eligibility(signal="value_count_365d", at_least=100_000)
    decision = with_offers(scorer, Policy(eligibility=(busy,))).rank(customer, "post", 2, 0)
    assert "value count 365d is" in decision.held_back[0].rules[0].because
    wrong = Eligibility(signal="value_count_364d", at_least=1)
    raw = {**shop.raw, "policy": {"eligibility": [wrong.model_dump()]}}
    with pytest.raises(SettingsError, match="Did you mean 'value_count_365d'"):
        load_scorer(replace(shop, raw=raw), store)


def test_an_offer_that_is_named_and_unknown_is_a_clear_error(scorer: Scorer) -> None:
    with pytest.raises(RequestError, match="got 'o77'; wanted offers of the catalogue"):
        scorer.rank("0001", None, 1, 0, ["o77"])


def test_a_decision_is_logged_with_every_candidate_its_terms_and_what_holds_it(
    scorer: Scorer,
) -> None:
    decision = with_offers(scorer).rank("0001", "post", 1, 1, list(scorer.offers))
    logged = scorer.store.decision(decision.decision_id)
    assert logged is not None
    assert (logged["customer_id"], logged["as_of"]) == ("0001", decision.as_of)
    kept = logged["decision"]
    assert kept["model"]["version"] == "1"
    assert {each["offer_id"] for each in kept["candidates"]} == set(scorer.offers)
    assert {(c["offer_id"], h["rule"]) for c in kept["candidates"] for h in c["held"]} == {
        (held.offer_id, rule.rule) for held in decision.held_back for rule in held.rules
    }
    for each in kept["candidates"]:
        assert each["expected_value"] == each["probability"] * each["value"] - each["cost"]
    assert [o["offer_id"] for o in kept["proposed"]] == [o.offer_id for o in decision.ranked]
