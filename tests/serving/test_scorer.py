"""The scorer: the same signals as training, up to date, and honest about whom it knows."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features import clock
from features.batch import Spine, compute
from features.errors import SettingsError
from features.interactions import Interaction
from features.online import evaluate
from features.settings import Settings
from features.sources.reader import read_history
from serving.loading import load_scorer
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
    decision = scorer.rank(customer, "post", limit=10, n_reasons=2)
    worth = [offer.expected_value for offer in decision.ranked]
    assert worth == sorted(worth, reverse=True)
    for offer in decision.ranked:
        assert offer.expected_value == offer.probability * offer.value - offer.cost
        told = sum(reason.effect for reason in offer.reasons) + offer.other_effect
        assert abs(told - (offer.probability - offer.baseline)) < 1e-12
    everything = {o.offer_id for o in decision.ranked} | {h.offer_id for h in decision.held_back}
    assert everything == set(scorer.offers)


def test_an_accepted_offer_is_not_made_again(scorer: Scorer) -> None:
    customer = scorer.store.customers()[0]
    best = scorer.rank(customer, "post", limit=1, n_reasons=0).ranked[0].offer_id
    now = scorer.store.as_of()
    taken = Interaction(customer, now - 1, now, "offer_accepted", None, "api", offer_id=best)
    scorer.store.record([taken])
    after = scorer.rank(customer, "post", limit=10, n_reasons=0)
    assert best not in {offer.offer_id for offer in after.ranked}
    assert tuple(h.rule for h in after.held_back if h.offer_id == best) == ("accepted",)


def test_a_new_offer_scores_from_its_attributes(scorer: Scorer) -> None:
    known = next(iter(scorer.offers.values()))
    from dataclasses import replace

    new = replace(known, offer_id="new", valid_from=0, valid_to=2**62)
    scorer.offers = {**scorer.offers, "new": new}
    decision = scorer.rank(scorer.store.customers()[0], "post", 10, 1)
    assert "new" in {offer.offer_id for offer in decision.ranked}
