"""Episodes by hand: one row for each offer shown, labelled by whether it was accepted."""

import pytest

from features.errors import DataError
from features.interactions import Interaction
from features.offers import Offer
from tests.histories import DAY, ROLES, START, happened, history_of
from training.tasks import Examples, OfferTask, offer_examples

OFFERS = (Offer("tea", valid_to=START + 40 * DAY), Offer("milk", valid_to=START + 60 * DAY))
ACCEPTED_ONCE = [("shown", "z", "tea", 1), ("accepted", "z", "tea", 2)]


def happening(what: str, customer: str, offer: str | None, day: float) -> Interaction:
    kind = {"shown": "offer_shown", "accepted": "offer_accepted", "bought": "purchase"}[what]
    return happened(customer, START + int(day * DAY), kind, offer)


def episodes(
    *happenings: tuple[str, str, str | None, float],
    horizon: str = "until valid_to",
    begins: float = 0,
    known_until: float = 100,
) -> Examples:
    """Examples of a history that begins with a purchase and holds one sure acceptance."""
    items = [happening("bought", "z", None, begins)]
    items += [happening(*each) for each in (*ACCEPTED_ONCE, *happenings)]
    history = history_of(items, START + int(known_until * DAY), offers=OFFERS)
    return offer_examples(history, ROLES, OfferTask(horizon=horizon))


def labels(examples: Examples, customer: str = "c") -> list[tuple[str, float, int]]:
    """Offer, day shown and label of one customer's episodes."""
    spine = examples.spine
    assert spine.offer_id is not None
    rows = zip(
        spine.customer_id.to_pylist(),
        spine.offer_id.to_pylist(),
        ((spine.as_of - START) / DAY).tolist(),
        examples.label.tolist(),
        strict=True,
    )
    return [(offer, day, label) for who, offer, day, label in rows if who == customer]


def left_out(examples: Examples) -> dict[str, int]:
    return {why: n for why, n in examples.left_out.items() if n}


def test_an_acceptance_belongs_to_the_latest_earlier_showing() -> None:
    found = episodes(
        ("shown", "c", "tea", 10),
        ("shown", "c", "tea", 20),
        ("accepted", "c", "tea", 21),
        ("shown", "c", "tea", 30),
    )
    assert labels(found) == [("tea", 10, 0), ("tea", 20, 1), ("tea", 30, 0)]


def test_each_showing_of_an_offer_can_be_accepted() -> None:
    found = episodes(
        ("shown", "c", "tea", 10),
        ("accepted", "c", "tea", 11),
        ("shown", "c", "tea", 20),
        ("accepted", "c", "tea", 21),
        ("accepted", "c", "tea", 22),
    )
    assert labels(found) == [("tea", 10, 1), ("tea", 20, 1)]


def test_the_first_of_several_acceptances_decides() -> None:
    found = episodes(
        ("shown", "c", "tea", 10), ("accepted", "c", "tea", 11), ("accepted", "c", "tea", 45)
    )
    assert labels(found) == [("tea", 10, 1)]


def test_an_acceptance_is_of_one_customer_and_one_offer() -> None:
    found = episodes(
        ("shown", "c", "tea", 10),
        ("shown", "c", "milk", 10),
        ("shown", "d", "tea", 10),
        ("accepted", "c", "milk", 12),
    )
    assert labels(found) == [("milk", 10, 1), ("tea", 10, 0)]
    assert labels(found, "d") == [("tea", 10, 0)]


def test_accepted_before_shown_is_no_acceptance_and_is_counted() -> None:
    found = episodes(("accepted", "c", "tea", 9), ("shown", "c", "tea", 10))
    assert labels(found) == [("tea", 10, 0)]
    assert left_out(found) == {"accepted without having been shown": 1}


def test_shown_twice_at_one_instant_is_one_episode() -> None:
    found = episodes(
        ("shown", "c", "tea", 10), ("shown", "c", "tea", 10), ("accepted", "c", "tea", 11)
    )
    assert labels(found) == [("tea", 10, 1)]


@pytest.mark.parametrize(
    ("horizon", "at", "label"),
    [
        ("until valid_to", 40 - 1e-6, 1),
        ("until valid_to", 40, 0),
        ("30d", 39, 1),
        ("30d", 40 - 1e-6, 1),
        ("30d", 40, 0),
        ("5d", 15, 0),
    ],
)
def test_the_horizon_ends_what_counts_as_acceptance(horizon: str, at: float, label: int) -> None:
    found = episodes(("shown", "c", "tea", 10), ("accepted", "c", "tea", at), horizon=horizon)
    assert labels(found) == [("tea", 10, label)]


def test_labels_are_complete_when_the_horizon_ends() -> None:
    until = episodes(("shown", "c", "milk", 10)).ends
    after = episodes(("shown", "c", "milk", 10), horizon="30d").ends
    assert until.tolist() == [START + 40 * DAY, START + 60 * DAY]
    assert after.tolist() == [START + 31 * DAY, START + 40 * DAY]


def test_episodes_still_open_at_the_end_are_left_out_even_if_accepted() -> None:
    open_ones = (("shown", "c", "milk", 10), ("accepted", "c", "milk", 11))
    assert labels(episodes(*open_ones, known_until=60)) == [("milk", 10, 1)]
    cut = episodes(*open_ones, known_until=60 - 1e-6)
    assert labels(cut) == []
    assert left_out(cut) == {"still open when the history ends": 1}


def test_episodes_from_before_the_first_value_interaction_are_left_out() -> None:
    found = episodes(("shown", "c", "tea", 0.5), ("shown", "c", "milk", 1), begins=1)
    assert labels(found) == [("milk", 1, 0)]
    assert left_out(found) == {"shown before the history begins": 1}


@pytest.mark.parametrize("horizon", ["until valid_to", "30d"])
@pytest.mark.parametrize("offer", ["unheard of", None])
def test_an_offer_that_is_not_in_the_table_is_left_out(horizon: str, offer: str | None) -> None:
    found = episodes(("shown", "c", offer, 10), horizon=horizon)
    assert labels(found) == []
    assert left_out(found) == {"offer not in the table of offers": 1}


def test_an_offer_shown_after_its_end_is_left_out() -> None:
    found = episodes(("shown", "c", "tea", 40), ("shown", "c", "tea", 39))
    assert labels(found) == [("tea", 39, 0)]
    assert left_out(found) == {"shown after the offer had ended": 1}


def test_no_offers_shown_is_an_error_that_says_what_to_add() -> None:
    history = history_of([happening("bought", "c", None, 0)], START + 9 * DAY, offers=OFFERS)
    with pytest.raises(DataError, match=r"no offers shown.*\[roles\] offer_shown"):
        offer_examples(history, ROLES, OfferTask())


def test_none_accepted_is_an_error_that_says_what_to_check() -> None:
    items = [happening("bought", "c", None, 0), happening("shown", "c", "tea", 1)]
    history = history_of(items, START + 90 * DAY, offers=OFFERS)
    with pytest.raises(DataError, match="1 offers shown and none accepted"):
        offer_examples(history, ROLES, OfferTask())


def test_offers_without_an_end_cannot_be_labelled_until_it() -> None:
    items = [happening(*each) for each in (("bought", "z", None, 0.0), *ACCEPTED_ONCE)]
    history = history_of(items, START + 90 * DAY, offers=[Offer("tea")])
    with pytest.raises(DataError, match=r"1 still open when the history ends.*'30d'"):
        offer_examples(history, ROLES, OfferTask())
    assert offer_examples(history, ROLES, OfferTask(horizon="30d")).label.tolist() == [1]
