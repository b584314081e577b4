"""What a signal measures, in a sentence: exact, of every measure, and no two alike."""

from itertools import pairwise

import pytest

from features.catalog import offer_signals
from features.composites import exchange, knowledge, stage, trust
from features.declaration import Signal
from features.groups import group_of
from features.listing import NARROW, entries, tab_separated, table, tally
from features.meaning import meaning, unit_of
from features.measures import MEASURES
from features.sentences import OPEN, SENTENCES
from features.shape import FULL
from features.signals import attribute, calendar, days, interactions, offer_attribute, ratio
from features.wording import Wording

value, anything = interactions(role="value"), interactions()
bad, shown = interactions(role="negative"), interactions(role="offer_shown")
taken, contacts = interactions(role="offer_accepted"), interactions(role="contact")
KNOWING, TRUSTING = knowledge({"age": True, "city": False}, why="w"), trust(why="w")
EXCHANGING = exchange(why="w")
KEPT = (
    "number of promises made{} that were kept: the interaction that made one, or a later one of "
    "its case, said resolved by the time due"
)
ERODED = "product over {} of 1 - 2 ** -(1 + age / 182), age in days{}"
YEAR = "in the 365 days before the instant"
SEEN = f", seeing only the interactions {YEAR}"
OF_90 = ", each counting half as much with every 90 days of its age"
GOLDEN: list[tuple[tuple[Signal, ...], str]] = [
    (bad.count(days(90), why="w"), "number of bad experiences in the 90 days before the instant"),
    (value.count(days(1), why="w"), "number of purchases in the day before the instant"),
    (value.count(why="w"), "number of purchases"),
    (
        value.count(days(28), same="topic", why="w"),
        "number of purchases about one of the offer's topics in the 28 days before the instant; "
        "missing without an offer",
    ),
    (
        interactions(kind="call", channel="phone", topic="cards", where=("rating", "<", 0.5)).count(
            why="w"
        ),
        "number of calls through the channel phone about the topic cards with rating < 0.5",
    ),
    (
        bad.reached(3, days(365), why="w"),
        f"1 when there were 3 or more bad experiences {YEAR}, else 0",
    ),
    (
        value.trend(days(28), why="w"),
        "number of purchases in the 28 days before the instant (n) against the 28 days before "
        "those (m): (n - m) / (n + m), from -1 (stopped) to 1 (begun); missing when both are 0",
    ),
    (
        value.trend_long_run(days(28), why="w"),
        "number of purchases a day in the 28 days before the instant (n) against that since the "
        "first one (m): (n - m) / (n + m), from -1 to 1; missing until the first is 28 days old",
    ),
    (value.decayed_count(days(90), why="w"), f"number of purchases{OF_90}"),
    (
        value.decayed_sum("amount", days(28), why="w"),
        "sum of amount over all purchases, each halved with every 28 days of its age; 0 when "
        "there is none",
    ),
    (
        bad.erosion(days(182), why="w"),
        ERODED.format("bad experiences", ": one half right after one, 1 when there was none"),
    ),
    (
        shown.count_since("offer_accepted", why="w"),
        "number of offers sent after the latest offer taken; all of them when there was none",
    ),
    (
        shown.count_after("negative", 30, days(365), why="w"),
        f"number of offers sent {YEAR} that came within 30 days after a bad experience",
    ),
    (
        value.sum("amount", days(28), why="w"),
        "sum of amount over purchases in the 28 days before the instant; 0 when there is none",
    ),
    (value.mean("amount", why="w"), "mean amount of purchases; missing when none has one"),
    (value.minimum("amount", why="w"), "least amount of purchases; missing when none has one"),
    (value.maximum("amount", why="w"), "greatest amount of purchases; missing when none has one"),
    (
        anything.last("wait_minutes", why="w"),
        "wait minutes of the latest interaction that has one; missing when none has",
    ),
    (
        value.days_since_last(why="w"),
        "days since the latest purchase; missing when there was none",
    ),
    (value.days_since_first(why="w"), "days since the first purchase; missing when there was none"),
    (
        value.gap_mean(why="w"),
        "mean days from one to the next of the purchases; missing when there are fewer than 2",
    ),
    (
        value.gap_ratio(why="w"),
        "days since the latest purchase, divided by the mean gap between them; missing when "
        "there are fewer than 2, or all at one moment",
    ),
    (
        value.gap_std(why="w"),
        "standard deviation of the days between one and the next of the purchases; missing when "
        "there are fewer than 3",
    ),
    (
        value.gap_longest(why="w"),
        "greatest number of days from one to the next of the purchases; missing when there are "
        "fewer than 2",
    ),
    (
        value.gap_percentile(why="w"),
        "share of the gaps between purchases that are shorter than the time since the latest; "
        "missing when there are fewer than 2",
    ),
    (
        anything.distinct("hour", days(365), why="w"),
        f"number of different local hours of interactions {YEAR}",
    ),
    (
        value.favourite("weekday", why="w"),
        "most frequent local weekday (0 is Monday) of purchases, of several the one seen last; "
        "missing when none has one",
    ),
    (
        contacts.favourite_share("channel", days(365), why="w"),
        f"share of the most frequent channel among contacts {YEAR}; missing when none has one",
    ),
    (
        anything.fit("weekday", why="w"),
        "share of interactions that happened on the same local weekday as the instant; missing "
        "when there is none",
    ),
    (
        contacts.repeated("topic", 7, days(365), why="w"),
        f"number of contacts {YEAR} that came within 7 days after the one before about the same "
        "topic, which lies in the window too",
    ),
    (
        anything.of_cases("case_contacts", why="w"),
        "mean number of interactions in a case; missing when there is no case",
    ),
    (
        contacts.of_cases("case_contacts_most", why="w"),
        "greatest number of interactions in one case, seeing only the contacts; 0 without a case",
    ),
    (
        anything.of_cases("handovers", days(365), why="w"),
        "number of times that the channel changed from one interaction of a case to its "
        f"next{SEEN}",
    ),
    (
        anything.of_cases("handovers_most", why="w"),
        "greatest number of times that the channel changed within one case; 0 without a case",
    ),
    (anything.of_cases("cases_open", why="w"), f"number of open cases: {OPEN}"),
    (
        anything.of_cases("oldest_open_case", why="w"),
        "days since the first interaction of the open case that began first, open when "
        f"{OPEN}; missing when none is open",
    ),
    (
        anything.of_cases("cases_reopened", why="w"),
        "number of times that an interaction said no after the latest word on its case was that "
        "it is resolved",
    ),
    (
        anything.of_cases("unresolved_share", days(365), why="w"),
        f"share of cases that are open, when {OPEN}{SEEN}; missing without a case",
    ),
    (
        anything.of_cases("resolution_mean", why="w"),
        "mean days from the first interaction of a case to the first that says it is resolved; "
        "missing when none is",
    ),
    (
        anything.of_cases("resolution_longest", why="w"),
        "greatest number of days from the first interaction of a case to the first that says it "
        "is resolved; missing when none is",
    ),
    (anything.of_cases("promises_kept", days(365), why="w"), KEPT.format(f" {YEAR}")),
    (
        contacts.of_cases("promises_broken", days(90), why="w"),
        "number of promises made in contacts in the 90 days before the instant that were broken: "
        "the time due passed before the instant without a word that it is resolved",
    ),
    (
        anything.promise_erosion(days(182), why="w"),
        ERODED.format("broken promises", " since it was due: 1 when there was none"),
    ),
    (
        attribute("age_band", why="w"),
        "the customer's age band as last known before the instant; missing when not known",
    ),
    (offer_attribute("type", why="w"), "the offer's type; missing when it has none"),
    (calendar("month", why="w"), "month (from 1) of the instant, local"),
    (
        ratio(taken.count(why="w"), shown.count(why="w"), prior=(0.1, 5.0), why="w"),
        "(a + 0.1 * 5) / (b + 5), where a and b are: number of offers taken; number of offers sent",
    ),
    (
        (KNOWING[0].parts[0],),
        "number of attributes known before the instant: age, city",
    ),
    (
        KNOWING,
        "k / (k + 10), from 0 to 1, where k is the sum of: number of attributes known before the "
        f"instant: age, city; number of different topics of interactions {YEAR}; number of "
        f"different channels of interactions {YEAR}",
    ),
    (
        TRUSTING,
        "trust, from 0 to 1, 0.5 for a newcomer: (1 - 2 ** -(1 + a / 5)) * b * c, where a, b and "
        f"c are: {KEPT.format('')}; "
        + ERODED.format("bad experiences", ": one half right after one, 1 when there was none; ")
        + ERODED.format("broken promises", " since it was due: 1 when there was none"),
    ),
    (
        EXCHANGING,
        "(g / (g + 4) + r / (r + 1)) / 2, from 0 to 1, where g is the first and r the sum of the "
        f"others of: number of purchases{OF_90}; number of offers taken{OF_90}; number of "
        f"interactions that say resolved{OF_90}; {KEPT.format(' ' + YEAR)}",
    ),
    (
        stage(KNOWING, TRUSTING, EXCHANGING, why="w"),
        "the first that holds of lapsed, new, fading, advocate, committed, regular and casual, "
        "by the rules in docs/signals.md; missing for who never was a customer",
    ),
]


@pytest.mark.parametrize(("declared", "sentence"), GOLDEN, ids=lambda x: "" if x is str else None)
def test_a_meaning_says_exactly_what_is_measured(
    declared: tuple[Signal, ...], sentence: str
) -> None:
    assert meaning(declared[0]) == sentence


def test_every_measure_has_a_golden_sentence() -> None:
    assert {declared[0].measure for declared, _ in GOLDEN} == set(MEASURES) == set(SENTENCES)


def test_no_two_signals_mean_the_same_and_none_nothing() -> None:
    meanings = [meaning(signal) for signal in offer_signals(FULL)]
    assert all(meanings)
    assert len(set(meanings)) == len(meanings)
    assert not any(mark in said for said in meanings for mark in ("{", "None", "  "))


def test_it_calls_things_as_the_deployment_does() -> None:
    wording = Wording({"negative": ("complaint",)}, "GBP")
    (signal,) = bad.days_since_last(why="w")
    assert (
        meaning(signal, wording) == "days since the latest complaint; missing when there was none"
    )
    (spent,) = value.sum("amount", why="w")
    assert (unit_of(spent), unit_of(spent, "GBP")) == ("money", "GBP")


@pytest.mark.parametrize("width", [60, NARROW - 1, NARROW, 200])
def test_a_table_fits_the_width_and_holds_every_name(width: int) -> None:
    found = entries(FULL)
    lines = list(table(found, width))
    assert max(map(len, lines)) <= width
    assert len([line for line in lines if line.split(" ")[0] == "value_count_7d"]) == 1
    assert len([line for line in lines if line == "Journey"]) == 1


def test_signals_of_a_group_stand_together() -> None:
    groups = [entry.group for entry in entries(FULL)]
    changes = sum(before != after for before, after in pairwise(groups))
    assert changes == len(set(groups)) - 1
    assert {group_of(signal) for signal in offer_signals(FULL)} == set(groups)


def test_tab_separated_lines_have_five_fields_each() -> None:
    lines = list(tab_separated(entries(FULL)))
    assert len(lines) == len(offer_signals(FULL)) + 1
    assert {line.count("\t") for line in lines} == {4}
    assert tally(FULL).endswith("more of a customer and an offer")
