"""Cases worked by hand: contacts, hand-overs, what is open, reopened and how long it took."""

import math

import pytest

from features.interactions import Interaction
from features.offers import Value
from features.signals import days, interactions
from tests.engines import ago, at, bits, row_of, value_of
from tests.strategies import AS_OF, DAY

ALL = interactions()
MEASURES = (
    "case_contacts",
    "case_contacts_most",
    "handovers",
    "handovers_most",
    "cases_open",
    "oldest_open_case",
    "cases_reopened",
    "unresolved_share",
    "resolution_mean",
    "resolution_longest",
)
SIGNALS = tuple(signal for name in MEASURES for signal in ALL.of_cases(name, why="w"))
YES, NO = True, False


def contact(
    days_ago: float,
    case_id: str | None = "k",
    channel: str | None = None,
    resolved: bool | None = None,
) -> Interaction:
    return at(ago(days_ago), "contact", case_id=case_id, channel=channel, resolved=resolved)


def case(measure: str, *history: Interaction, as_of: int = AS_OF) -> Value:
    return value_of(ALL.of_cases(measure, why="w"), history, as_of)


def test_three_cases_by_hand() -> None:
    history = [
        contact(20, "a", "web", NO),
        contact(18, "b", "phone"),
        contact(17, "a", "phone"),
        contact(16, None, "web"),
        contact(14, "a", "web", YES),
        contact(12, "b", "phone", YES),
        contact(10, "c", "email", NO),
        contact(9, "a", "web"),
        contact(8, "b", None, NO),
        contact(7, "b", "app"),
    ]
    # a: web phone web web: 4 contacts, 2 hand-overs, resolved after 6 days, and still
    # b: phone phone - app: 4 contacts, 1 hand-over, resolved after 6 days, reopened, open for 18
    # c: email: 1 contact, no hand-over, open for 10
    assert row_of(SIGNALS, history) == [
        3.0,  # (4 + 4 + 1) / 3
        4.0,
        3.0,
        2.0,
        2.0,
        18.0,
        1.0,
        2 / 3,
        6.0,
        6.0,
    ]


def test_interactions_without_a_case_make_none() -> None:
    nothing = [math.nan, 0.0, 0.0, 0.0, 0.0, math.nan, 0.0, math.nan, math.nan, math.nan]
    history = [contact(2, None, "web", NO), contact(1, None, "app", YES)]
    assert bits(row_of(SIGNALS, history)) == bits(nothing)


def test_the_empty_text_is_a_case_of_its_own() -> None:
    history = [contact(3, "", "web"), contact(2, "", "app"), contact(1, "k")]
    assert row_of(SIGNALS[:4], history) == [1.5, 2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("what", "channels", "handovers"),
    [
        ("one channel throughout", ("a", "a", "a"), 0.0),
        ("there and back", ("a", "b", "a"), 2.0),
        ("a missing channel in between hides nothing", ("a", None, "b"), 1.0),
        ("a missing channel in between is no change", ("a", None, None, "a"), 0.0),
        ("missing at the ends", (None, "a", "b", None), 1.0),
        ("none known", (None, None), 0.0),
    ],
)
def test_a_case_is_handed_over_where_the_known_channel_changes(
    what: str, channels: tuple[str | None, ...], handovers: float
) -> None:
    history = [contact(9 - i, channel=channel) for i, channel in enumerate(channels)]
    assert case("handovers", *history) == handovers, what
    assert case("handovers_most", *history) == handovers, what


def test_two_cases_that_interleave_hand_nothing_over_to_each_other() -> None:
    history = [contact(4, "a", "web"), contact(3, "b", "app"), contact(2, "a", "web")]
    assert case("handovers", *history) == 0.0


@pytest.mark.parametrize(
    ("what", "said", "is_open", "reopened"),
    [
        ("nothing said: open", (None,), 1.0, 0.0),
        ("said no: open", (NO,), 1.0, 0.0),
        ("said yes: closed", (YES,), 0.0, 0.0),
        ("a contact after yes that says nothing leaves it closed", (YES, None), 0.0, 0.0),
        ("no after yes: reopened", (YES, NO), 1.0, 1.0),
        ("nothing in between hides nothing", (YES, None, NO), 1.0, 1.0),
        ("no again is not reopened again", (YES, NO, NO), 1.0, 1.0),
        ("resolved twice without a no in between", (YES, YES), 0.0, 0.0),
        ("reopened, resolved, reopened, resolved", (YES, NO, YES, NO, YES), 0.0, 2.0),
        ("no before any yes reopens nothing", (NO, NO, YES), 0.0, 0.0),
    ],
)
def test_the_latest_that_says_so_decides_whether_a_case_is_open(
    what: str, said: tuple[bool | None, ...], is_open: float, reopened: float
) -> None:
    history = [contact(9 - i, resolved=resolved) for i, resolved in enumerate(said)]
    assert case("cases_open", *history) == is_open, what
    assert case("unresolved_share", *history) == is_open, what
    assert case("cases_reopened", *history) == reopened, what


def test_a_resolution_takes_from_the_first_contact_to_the_first_yes() -> None:
    history = [
        contact(9),
        contact(6, resolved=YES),
        contact(4, resolved=NO),
        contact(1, resolved=YES),
    ]
    assert case("resolution_mean", *history) == 3.0
    assert case("resolution_longest", *history) == 3.0


def test_a_case_resolved_at_its_first_contact_took_no_time() -> None:
    assert case("resolution_mean", contact(3, resolved=YES)) == 0.0


def test_a_reopened_case_still_counts_the_time_that_its_resolution_took() -> None:
    history = [contact(9), contact(7, resolved=YES), contact(1, resolved=NO)]
    assert case("resolution_mean", *history) == 2.0


def test_cases_not_resolved_are_left_out_of_the_mean_time() -> None:
    history = [
        contact(20, "a"),
        contact(10, "b"),
        contact(9, "b", resolved=YES),
        contact(8, "c"),
        contact(5, "c", resolved=YES),
    ]
    assert case("resolution_mean", *history) == 2.0
    assert case("resolution_longest", *history) == 3.0


def test_an_open_case_is_as_old_as_its_first_contact() -> None:
    history = [contact(9, "a"), contact(5, "b"), contact(1, "a"), contact(1, "b", resolved=YES)]
    assert case("oldest_open_case", *history) == 9.0
    assert case("oldest_open_case", *history[1:2], as_of=ago(5) + 1) == 1 / DAY


def test_an_open_age_is_told_in_parts_of_a_day() -> None:
    assert case("oldest_open_case", contact(0.5)) == 0.5


def test_a_resolution_that_was_recorded_late_leaves_the_case_open_until_then() -> None:
    late = at(ago(5), "contact", case_id="k", resolved=YES, recorded_at=AS_OF)
    assert case("cases_open", contact(9), late) == 1.0
    assert case("cases_open", contact(9), late, as_of=AS_OF + 1) == 0.0
    assert case("resolution_mean", contact(9), late, as_of=AS_OF + 1) == 4.0


def test_at_one_moment_the_canonical_order_says_what_was_said_last() -> None:
    yes_then_no = [
        at(ago(1), "contact", case_id="k", resolved=YES, interaction_id="1"),
        at(ago(1), "contact", case_id="k", resolved=NO, interaction_id="2"),
    ]
    assert case("cases_reopened", *yes_then_no[::-1]) == 1.0
    no_then_yes = [
        at(ago(1), "contact", case_id="k", resolved=NO, interaction_id="1"),
        at(ago(1), "contact", case_id="k", resolved=YES, interaction_id="2"),
    ]
    assert case("cases_reopened", *no_then_yes[::-1]) == 0.0
    # Where nothing else decides, no comes before yes.
    without_ids = [contact(1, resolved=YES), contact(1, resolved=NO)]
    assert case("cases_open", *without_ids) == 0.0


def test_only_the_contacts_of_role_and_window_make_a_case() -> None:
    history = [
        at(ago(40), "complaint", case_id="k", channel="web", resolved=YES),
        at(ago(20), "complaint", case_id="k", channel="web"),
        at(ago(10), "purchase", case_id="k", channel="app", resolved=NO),
        at(ago(5), "complaint", case_id="k", channel="phone"),
    ]
    negative = interactions(role="negative")
    signals = (
        *ALL.of_cases("handovers", why="w"),
        *negative.of_cases("handovers", why="w"),
        *negative.of_cases("case_contacts", days(28), why="w"),
        *negative.of_cases("cases_open", why="w"),
        *negative.of_cases("cases_open", days(28), why="w"),
        *ALL.of_cases("cases_reopened", why="w"),
        *ALL.of_cases("cases_reopened", days(28), why="w"),
    )
    # All: web web app phone. The complaints of 28 days say nothing of the resolution before.
    assert row_of(signals, history) == [2.0, 1.0, 2.0, 0.0, 1.0, 1.0, 0.0]
