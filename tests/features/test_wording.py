"""Phrases that an agent reads: short, true, natural, singular and plural right."""

import pytest

from features.composites import exchange, knowledge, stage, trust
from features.declaration import Signal
from features.offers import Value
from features.signals import calendar, days, interactions
from features.wording import Wording

BANK = Wording({"value": ("purchase",), "negative": ("complaint",)}, "GBP")
NAN = float("nan")
value, anything = interactions(role="value"), interactions()
contacts, shown = interactions(role="contact"), interactions(role="offer_shown")
KNOWING, TRUSTING = knowledge({"age": True}, why="w"), trust(why="w")
EXCHANGING = exchange(why="w")


@pytest.mark.parametrize(
    ("declared", "given", "phrase"),
    [
        (value.gap_ratio(why="w"), 0.4, "silent for less than the usual gap"),
        (value.gap_ratio(why="w"), 1.0, "silent for about the usual gap"),
        (value.gap_percentile(why="w"), 0.5, "silent for longer than 50% of their gaps so far"),
        (value.gap_percentile(why="w"), 1.0, "silent for longer than any gap so far"),
        (value.gap_percentile(why="w"), 0.0, "silent for no longer than any gap so far"),
        (value.gap_longest(why="w"), 28.0, "longest gap between purchases 4 weeks"),
        (
            value.decayed_count(days(28), why="w"),
            2.31,
            "2.3 purchases lately (each counts half after 4 weeks)",
        ),
        (
            value.decayed_count(days(28), why="w"),
            0.001,
            "hardly any purchases lately (each counts half after 4 weeks)",
        ),
        (
            value.decayed_sum("amount", days(28), why="w"),
            54.0,
            "£54 spent lately (each counts half after 4 weeks)",
        ),
        (
            value.trend(days(28), why="w"),
            -0.5,
            "fewer purchases in the last 28 days than in the 28 days before",
        ),
        (
            value.trend(days(28), why="w"),
            0.0,
            "about as many purchases in the last 28 days as in the 28 days before",
        ),
        (value.trend(days(28), why="w"), -1.0, "no purchases in the last 28 days but some before"),
        (value.trend(days(28), why="w"), NAN, "no purchases in the last 56 days"),
        (
            value.trend_long_run(days(90), why="w"),
            0.4,
            "more purchases in the last 90 days than usual",
        ),
        (value.trend_long_run(days(90), why="w"), NAN, "too early to compare purchases"),
        (
            value.mean("amount", days(90), why="w"),
            56.0,
            "£56 per purchase on average in the last 90 days",
        ),
        (
            value.maximum("amount", days(90), why="w"),
            199.0,
            "largest purchase £199 in the last 90 days",
        ),
        (value.last("amount", why="w"), 8.31, "last purchase £8.31"),
        (
            value.mean("amount", days(90), why="w"),
            NAN,
            "no purchase with an amount in the last 90 days",
        ),
        (anything.distinct("day", days(28), why="w"), 5.0, "active on 5 of the last 28 days"),
        (anything.distinct("day", days(28), why="w"), 0.0, "not active in the last 28 days"),
        (value.distinct("day", days(28), why="w"), 1.0, "purchases on 1 of the last 28 days"),
        (
            anything.distinct("channel", days(90), why="w"),
            1.0,
            "in touch through 1 channel in the last 90 days",
        ),
        (
            anything.distinct("topic", days(90), why="w"),
            2.0,
            "in touch about 2 topics in the last 90 days",
        ),
        (anything.distinct("case_id", days(90), why="w"), 1.0, "1 case in the last 90 days"),
        (anything.favourite("channel", why="w"), "app", "most often in the app"),
        (contacts.favourite("channel", why="w"), "phone", "contacts most often by phone"),
        (
            anything.favourite("hour", why="w"),
            23.0,
            "interactions most often between 23:00 and 00:00",
        ),
        (
            anything.favourite_share("channel", why="w"),
            0.78,
            "78% of interactions through their usual channel",
        ),
        (anything.fit("hour", why="w"), 0.0, "no interactions at this hour of the day"),
        (anything.fit("weekday", why="w"), 0.25, "25% of interactions on this day of the week"),
        (
            contacts.repeated("topic", 7, days(90), why="w"),
            0.0,
            "never asked again within 7 days in the last 90 days",
        ),
        (
            value.repeated("topic", 7, why="w"),
            1.0,
            "purchases again about the same topic within 7 days (once)",
        ),
        (anything.maximum("wait_minutes", why="w"), 90.0, "waited up to 2 hours"),
        (anything.last("wait_minutes", why="w"), 8.0, "waited 8 minutes last time"),
        (
            anything.minimum("rating", same="topic", why="w"),
            0.0,
            "rated us 0 out of 10 at worst over interactions that fit the offer",
        ),
        (anything.last("wait_minutes", why="w"), 0.0, "did not wait last time"),
        (
            anything.mean("wait_minutes", days(90), why="w"),
            NAN,
            "no waiting recorded in the last 90 days",
        ),
        (anything.mean("rating", why="w"), 0.78, "rated us 7.8 out of 10 on average"),
        (anything.minimum("rating", why="w"), 0.1, "rated us 1 out of 10 at worst"),
        (anything.last("rating", why="w"), 0.0, "rated us 0 out of 10 last time"),
        (anything.last("rating", why="w"), NAN, "no rating yet"),
        (
            interactions(where=("rating", "<", 0.5)).days_since_last(why="w"),
            14.5,
            "last low rating 14 days ago",
        ),
        (
            anything.of_cases("handovers", days(90), why="w"),
            1.0,
            "passed between channels once in the last 90 days",
        ),
        (anything.of_cases("handovers", why="w"), 0.0, "never passed between channels"),
        (
            anything.of_cases("handovers_most", why="w"),
            2.0,
            "passed between channels twice in one case",
        ),
        (anything.of_cases("case_contacts_most", why="w"), 0.0, "no case"),
        (anything.of_cases("case_contacts_most", why="w"), 6.0, "up to 6 contacts in one case"),
        (anything.of_cases("cases_open", why="w"), 0.0, "no open case"),
        (anything.of_cases("cases_open", why="w"), 2.0, "2 open cases"),
        (anything.of_cases("cases_reopened", why="w"), 2.0, "cases reopened twice"),
        (anything.of_cases("unresolved_share", why="w"), 0.08, "8% of cases unresolved"),
        (anything.of_cases("unresolved_share", why="w"), 1.0, "no case resolved"),
        (anything.of_cases("resolution_mean", why="w"), 3.0, "3 days to resolve a case on average"),
        (anything.of_cases("promises_kept", why="w"), 0.0, "no promise kept"),
        (shown.count_since("offer_accepted", why="w"), 11.0, "last 11 offers sent not taken"),
        (shown.count_since("offer_accepted", why="w"), 1.0, "last offer sent not taken"),
        (
            shown.count(days(90), same="offer", why="w"),
            1.0,
            "this offer sent once in the last 90 days",
        ),
        (
            shown.count(days(90), same="offer", why="w"),
            0.0,
            "this offer not sent in the last 90 days",
        ),
        (shown.days_since_last(same="offer", why="w"), NAN, "this offer never sent"),
        (
            interactions(role="negative").count(same="topic", why="w"),
            1.0,
            "1 complaint about what is offered",
        ),
        (KNOWING, 0.5, "10 things known about them"),
        (KNOWING, 0.0, "no things known about them"),
        (TRUSTING, 0.01, "trust at 1% (newcomers start at 50%)"),
        (EXCHANGING, 0.73, "much give and take lately (73%)"),
        (stage(KNOWING, TRUSTING, EXCHANGING, why="w"), "regular", "a regular customer"),
        (
            stage(KNOWING, TRUSTING, EXCHANGING, why="w"),
            "fading",
            "a customer who comes less often than before or trusts us little",
        ),
        (stage(KNOWING, TRUSTING, EXCHANGING, why="w"), "new", "a customer for less than 90 days"),
        (
            value.sum("quantity", days(365), why="w"),
            15.0,
            "quantity 15 in all in the last 12 months",
        ),
        (
            value.mean("quantity", days(90), why="w"),
            1.5,
            "quantity 1.5 per purchase on average in the last 90 days",
        ),
        (value.sum("items", days(90), why="w"), 15.0, "15 items in the last 90 days"),
        (
            stage(KNOWING, TRUSTING, EXCHANGING, why="w"),
            "lapsed",
            "a customer who has been silent for very long",
        ),
        (calendar("month", why="w"), 1.0, "it is January"),
        (calendar("hour", why="w"), 9.0, "it is between 09:00 and 10:00"),
    ],
)
def test_a_phrase_is_what_a_person_would_say(
    declared: tuple[Signal, ...], given: Value, phrase: str
) -> None:
    assert BANK.say(declared[0], given) == phrase
