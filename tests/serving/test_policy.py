"""Contact policy: what is held back, and the fact behind it."""

import pytest

from features import clock
from features.interactions import Interaction
from features.offers import Offer
from serving.policy import hold_back

ZONE = "America/New_York"
END = clock.to_instant(clock.to_datetime(0).replace(year=2017, month=12, day=25, hour=5), "UTC")
OFFER = Offer("18", channels=frozenset({"post"}), valid_from=END - 10 * clock.DAY, valid_to=END)
TAKEN = Interaction("c", END - clock.DAY, END - clock.DAY, "offer_accepted", offer_id="18")


@pytest.mark.parametrize(
    ("as_of", "channel", "accepted", "rule", "because"),
    [
        (END, "post", [], "validity", "ended on 24 December 2017"),
        (END - 1, "post", [], None, None),
        (OFFER.valid_from - 1, "post", [], "validity", "begins on 15 December 2017"),
        (OFFER.valid_from, "post", [], None, None),
        (END - 1, "phone", [], "channel", "made by post only"),
        (END - 1, None, [], None, None),
        (END - 1, "post", [TAKEN], "accepted", "accepted on 24 December 2017"),
    ],
)
def test_rules(
    as_of: int,
    channel: str | None,
    accepted: list[Interaction],
    rule: str | None,
    because: str | None,
) -> None:
    held = hold_back(OFFER, channel, accepted, as_of, ZONE)
    assert (held.rule, held.because) == (rule, because) if held else rule is None


def test_an_offer_without_channels_is_made_in_any() -> None:
    assert hold_back(Offer("1"), "phone", [], END, ZONE) is None


def test_another_offer_accepted_holds_nothing_back() -> None:
    other = Interaction("c", END - 5, END - 5, "offer_accepted", offer_id="19")
    assert hold_back(OFFER, "post", [other], END - 1, ZONE) is None
