"""Datasets: the past stays as it was, whatever happens later."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features import online
from features.batch import compute
from features.errors import DataError
from features.history import History, interactions_table
from features.identities import IDENTITIES_SCHEMA, resolve
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.snapshots import snapshot_spine
from tests.histories import DAY, ROLES, START, happened, history_of, shoppers, spine_of
from training.dataset import (
    Dataset,
    churn_dataset,
    churn_plan,
    cohort_signals,
    in_cohort,
    offers_dataset,
)
from training.splits import FEWEST_SNAPSHOTS, LEAST_DAYS, snapshots
from training.tasks import Churn, OfferTask, churn_labels, offer_examples

TASK = Churn(horizon="14d", active="30d", gap="2d")
N_DAYS = 240
KNOWN_UNTIL = START + N_DAYS * DAY
ITEMS, FACTS = shoppers(40, N_DAYS)


def built(history: History, task: Churn = TASK) -> Dataset:
    return churn_dataset(history, ROLES, task)


def customers() -> list[str]:
    return sorted({item.customer_id for item in ITEMS})


@pytest.fixture(scope="module")
def history() -> History:
    return history_of(ITEMS, KNOWN_UNTIL, FACTS)


@pytest.fixture(scope="module")
def dataset(history: History) -> Dataset:
    return built(history)


def later(since: int, recorded: int) -> list[Interaction]:
    """Much that happens from an instant on, or long before but is recorded only then."""
    known = customers()
    return [
        Interaction(customer, since + hour, max(since + hour, recorded), kind, amount=1e16)
        for customer in [*known[::2], "new", "a new one that sorts first"]
        for hour in (0, 1, 3 * DAY)
        for kind in ("purchase", "complaint")
    ]


def same_rows(one: Dataset, two: Dataset, until: int) -> None:
    """Rows at instants up to ``until`` are equal to the bit."""
    ours, theirs = one.as_of <= until, two.as_of <= until
    assert ours.any()
    assert one.values.plan == two.values.plan
    assert one.as_of[ours].tolist() == two.as_of[theirs].tolist()
    assert one.label[ours].tolist() == two.label[theirs].tolist()
    vocabularies = one.values.vocabularies()
    bits = [
        data.values.encode(vocabularies)[rows].tobytes()
        for data, rows in ((one, ours), (two, theirs))
    ]
    assert bits[0] == bits[1]


def test_later_interactions_never_change_a_data_set_with_the_same_known_until(
    history: History, dataset: Dataset
) -> None:
    more = history_of([*ITEMS, *later(KNOWN_UNTIL, KNOWN_UNTIL)], KNOWN_UNTIL, FACTS)
    same_rows(dataset, built(more), KNOWN_UNTIL)
    assert built(more).customer.tolist() == dataset.customer.tolist()


def test_a_longer_history_adds_rows_and_changes_none(dataset: Dataset) -> None:
    longer = history_of([*ITEMS, *later(KNOWN_UNTIL, KNOWN_UNTIL)], KNOWN_UNTIL + 21 * DAY, FACTS)
    rebuilt = built(longer)
    assert rebuilt.as_of.max() == dataset.as_of.max() + 21 * DAY
    same_rows(dataset, rebuilt, int(dataset.as_of.max()))


def test_what_is_recorded_late_never_changes_the_signals_of_the_past(dataset: Dataset) -> None:
    instant = int(np.unique(dataset.as_of)[8])
    late = [replace(i, kind="complaint") for i in later(instant - 20 * DAY, KNOWN_UNTIL - 1)]
    same_rows(dataset, built(history_of([*ITEMS, *late], KNOWN_UNTIL, FACTS)), KNOWN_UNTIL)


def test_facts_known_later_never_change_the_past(dataset: Dataset) -> None:
    instant = int(np.unique(dataset.as_of)[8])
    facts = [Attribute(customer, instant, "city", "Ayr") for customer in customers()]
    same_rows(dataset, built(history_of(ITEMS, KNOWN_UNTIL, [*FACTS, *facts])), instant)


def test_the_order_of_the_tables_never_changes_a_row(dataset: Dataset, history: History) -> None:
    order = np.random.default_rng(1).permutation(len(ITEMS))
    shuffled = replace(history, interactions=interactions_table(ITEMS[i] for i in order))
    same_rows(dataset, built(shuffled), KNOWN_UNTIL)


def test_batch_rows_are_those_that_serving_computes(dataset: Dataset) -> None:
    names = list(dict.fromkeys(customer for customer, _ in _cohort_rows()))
    vocabularies = dataset.values.vocabularies()
    batch = dataset.values.encode(vocabularies)
    for row in np.random.default_rng(2).choice(len(dataset), 60, replace=False).tolist():
        customer, as_of = names[dataset.customer[row]], int(dataset.as_of[row])
        mine = [item for item in ITEMS if item.customer_id == customer]
        facts = [fact for fact in FACTS if fact.customer_id == customer]
        alone = online.evaluate(dataset.values.plan, mine, as_of, facts).encode(vocabularies)
        assert alone[0].tobytes() == batch[row].tobytes()


def _cohort_rows() -> list[tuple[str, int]]:
    """Who was active when, by the plainest loop."""
    end = KNOWN_UNTIL - 16 * DAY
    first = min(item.occurred_at for item in ITEMS if item.kind == "purchase") + 30 * DAY
    instants = sorted(t for t in range(end, first - 1, -7 * DAY))
    return [
        (customer, t)
        for t in instants
        for customer in customers()
        if any(
            item.customer_id == customer
            and item.kind == "purchase"
            and t - 30 * DAY <= item.occurred_at < t
            for item in ITEMS
        )
    ]


def test_rows_are_the_cohort_of_each_instant_labelled_by_a_plain_loop(dataset: Dataset) -> None:
    expected = _cohort_rows()
    assert dataset.as_of.tolist() == [as_of for _, as_of in expected]
    labels = [
        not any(
            item.customer_id == customer
            and item.kind == "purchase"
            and as_of + 2 * DAY <= item.occurred_at < as_of + 16 * DAY
            for item in ITEMS
        )
        for customer, as_of in expected
    ]
    assert dataset.label.tolist() == labels
    assert (dataset.ends - dataset.as_of == 16 * DAY).all()
    assert dataset.left_out["outside the cohort at the instant"] == (
        len(np.unique(dataset.as_of)) * len(customers()) - len(dataset)
    )


@pytest.mark.parametrize(
    ("what", "kind", "days_before", "lapse", "exit"),
    [
        ("bought on the far edge", "purchase", 30, True, True),
        ("bought a microsecond before it", "purchase", 30 + 1 / DAY, False, False),
        ("bought exactly at the instant", "purchase", 0, False, False),
        ("only complained", "complaint", 1, False, False),
        ("bought, then left", "cancellation", 1, True, False),
    ],
)
def test_the_cohort_by_hand(
    what: str, kind: str, days_before: float, lapse: bool, exit: bool
) -> None:
    as_of = START + 100 * DAY
    items = [happened("c", as_of - round(days_before * DAY), kind)]
    if kind == "cancellation":
        items.append(happened("c", as_of - 2 * DAY))
    history = history_of(items, as_of + DAY)
    plan = churn_plan(history, ROLES, TASK)
    values = compute(plan, history, spine_of(("c", as_of)))
    assert {signal.name for signal in cohort_signals(TASK)} <= set(plan.names)
    assert in_cohort(values, TASK).tolist() == [lapse], what
    by_exit = TASK.model_copy(update={"definition": "exit"})
    assert in_cohort(values, by_exit).tolist() == [exit], what


def test_a_history_without_value_is_an_error_that_names_the_roles() -> None:
    with pytest.raises(DataError, match=r"no interaction of the role value.*purchase"):
        built(history_of([happened("c", START, "complaint")], KNOWN_UNTIL))


def test_a_short_history_is_an_error_that_says_how_long_it_must_be() -> None:
    with pytest.raises(DataError, match="wanted at least 165 days for a horizon of 14d"):
        built(history_of([happened("c", START)], START + 50 * DAY))


def test_a_history_too_short_for_any_horizon_says_so() -> None:
    shortest = Churn(horizon="1d", active="1d")
    assert len(snapshots(START, START + LEAST_DAYS * DAY, shortest)) >= FEWEST_SNAPSHOTS
    for days, told in ((LEAST_DAYS - 1, "too few for any horizon"), (LEAST_DAYS, "Shorten")):
        with pytest.raises(DataError, match=told):
            snapshots(START, START + days * DAY, TASK)
    with pytest.raises(DataError, match="too few for any horizon"):
        snapshots(START, START + LEAST_DAYS * DAY - 1, shortest)


def test_an_offer_is_seen_strictly_before_it_is_shown() -> None:
    offers = [Offer("tea", valid_to=START + 50 * DAY)]
    shown = START + 10 * DAY
    items = [
        happened("c", shown - 1),
        happened("c", shown),
        happened("c", shown, "offer_shown", "tea"),
        happened("c", shown + 1, "offer_accepted", "tea"),
    ]
    history = history_of(items, START + 60 * DAY, offers=offers)
    dataset = offers_dataset(history, ROLES, OfferTask())
    assert dataset.values.column("value_count_28d") == [1.0]
    assert dataset.values.column("offer_shown_count_28d") == [0.0]
    assert dataset.values.column("offer_accepted_count_28d") == [0.0]
    assert (dataset.label.tolist(), dataset.as_of.tolist()) == ([1], [shown])


def identified(history: History, *rows: tuple[str, str, int]) -> History:
    """The same history with identities."""
    table = pa.Table.from_pylist(
        [{"key": key, "customer_id": to, "known_at": at} for key, to, at in rows],
        IDENTITIES_SCHEMA,
    )
    return replace(history, identities=resolve(table, history.known_until).identities)


def test_a_key_is_a_customer_until_it_is_known_to_be_anothers(history: History) -> None:
    one, two, *_ = customers()
    at = START + 100 * DAY
    joined = identified(history, (one, two, at), (two, "account", at + 7 * DAY))
    spine = snapshot_spine(joined, [at, at + 1, at + 7 * DAY + 1])
    rows = set(
        zip(spine.customer_id.to_pylist(), ((spine.as_of - at) // DAY).tolist(), strict=True)
    )
    told = {(name, day) for name, day in rows if name in (one, two, "account")}
    assert told == {(one, 0), (two, 0), ("account", 0), ("account", 7)}


def test_identities_known_later_never_change_the_past(dataset: Dataset, history: History) -> None:
    known_at = int(np.unique(dataset.as_of)[-3])
    names = customers()
    rows = [(one, two, known_at) for one, two in zip(names[::2], names[1::2], strict=True)]
    joined = built(identified(history, *rows))
    same_rows(dataset, joined, known_at - (14 + 2) * DAY)
    late = identified(history, *((one, two, KNOWN_UNTIL) for one, two, _ in rows))
    same_rows(dataset, built(late), KNOWN_UNTIL)
    longer = replace(history, known_until=KNOWN_UNTIL + 21 * DAY)
    later_on = identified(longer, *((one, two, KNOWN_UNTIL) for one, two, _ in rows))
    same_rows(dataset, built(later_on), int(dataset.as_of.max()))
    lasting = joined.as_of > known_at
    assert 0 < lasting.sum() < (dataset.as_of > known_at).sum()


def test_a_label_looks_at_every_key_known_by_the_end_of_its_window() -> None:
    known = START + 105 * DAY
    items = [happened("k", START + 95 * DAY), happened("c", START + 108 * DAY)]
    spine = spine_of(("k", START + 100 * DAY), ("k", START + 90 * DAY), ("c", START + 91 * DAY))
    history = history_of(items, START + 200 * DAY)
    task = Churn(horizon="14d", active="30d")
    alone = churn_labels(history, ROLES, task, spine)
    joined = churn_labels(identified(history, ("k", "c", known)), ROLES, task, spine)
    assert alone.tolist() == [1, 0, 1]
    assert joined.tolist() == [0, 0, 1]
    sooner = identified(history, ("k", "c", known - DAY))
    assert churn_labels(sooner, ROLES, task, spine).tolist() == [0, 0, 0]


def test_an_offer_is_a_row_of_whom_it_was_shown_to_as_known_then() -> None:
    def at(day: int) -> int:
        return START + day * DAY

    items = [
        happened("z", START),
        happened("k", at(10), "offer_shown", "tea"),
        happened("k", at(20), "offer_shown", "tea"),
        happened("c", at(21), "offer_accepted", "tea"),
        happened("k", at(30), "offer_shown", "milk"),
        happened("c", at(12), "offer_accepted", "tea"),
    ]
    history = history_of(
        items, at(90), offers=[Offer("tea", valid_to=at(60)), Offer("milk", valid_to=at(60))]
    )
    found = offer_examples(identified(history, ("k", "c", at(15))), ROLES, OfferTask())
    assert found.spine.customer_id.to_pylist() == ["k", "c", "c"]
    assert found.label.tolist() == [0, 1, 0]
    assert found.left_out["accepted without having been shown"] == 1, "not known to be theirs yet"
