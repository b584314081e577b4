"""The signal language: derived names, declarations that mean nothing, the default catalogue."""

from typing import Any

import pytest

from features.catalog import RECENCY, TREATMENT_COLUMNS, DataShape, customer_signals, offer_signals
from features.composites import knowledge, trust
from features.declaration import ROLES, Signal
from features.errors import DeclarationError
from features.groups import group_of
from features.measures import MEASURES
from features.offers import Value
from features.plan import compile_plan
from features.signals import attribute, calendar, days, interactions, offer_attribute, ratio
from features.wording import Wording

DEMO = DataShape(
    roles=frozenset({"value", "detail", "offer_shown", "offer_accepted"}),
    numbers=("amount", "discount", "items"),
    attributes={"age": False, "household_size": False, "income": False},
    offer_attributes={"days_valid": True, "products": True, "topics": True, "type": False},
    topics=True,
)
EVERYTHING = DataShape(
    roles=frozenset(ROLES),
    numbers=("amount", "wait_minutes", "items"),
    attributes={"age": True, "city": False},
    offer_attributes={"type": False},
    topics=True,
    columns=frozenset(TREATMENT_COLUMNS),
)
value, anything = interactions(role="value"), interactions()
NAN = float("nan")


@pytest.mark.parametrize(
    ("declared", "name", "group", "unit"),
    [
        (value.count(days(28), why="w"), "value_count_28d", "frequency", "interactions"),
        (value.count(why="w"), "value_count", "frequency", "interactions"),
        (value.sum("amount", days(90), why="w"), "value_sum_amount_90d", "spend", "amount"),
        (value.sum("items", days(90), why="w"), "value_sum_items_90d", "basket", "items"),
        (value.days_since_last(why="w"), RECENCY, "silence", "days"),
        (value.days_since_first(why="w"), "value_days_since_first", "tenure", "days"),
        (value.gap_mean(why="w"), "value_gap_mean", "silence", "days"),
        (value.gap_ratio(why="w"), "value_gap_ratio", "silence", "ratio"),
        (anything.count(days(7), why="w"), "any_count_7d", "activity", "interactions"),
        (
            value.count(days(28), same="topic", why="w"),
            "value_count_28d_same_topic",
            "affinity",
            "interactions",
        ),
        (
            interactions("negative").count(days(30), why="w"),
            "negative_count_30d",
            "treatment",
            "interactions",
        ),
        (
            interactions("offer_shown").days_since_last(why="w"),
            "offer_shown_days_since_last",
            "offers",
            "days",
        ),
        (
            interactions("negative").reached(3, days(365), why="w"),
            "negative_reached_3_365d",
            "treatment",
            "yes or no",
        ),
        (
            interactions(kind="call", channel="phone").count(why="w"),
            "call_phone_count",
            "activity",
            "interactions",
        ),
        (
            interactions(where=("rating", "<", 0.5)).count(days(90), why="w"),
            "any_rating_under_0_5_count_90d",
            "ratings",
            "interactions",
        ),
        (
            interactions("offer_shown").count_after("negative", 30, days(90), why="w"),
            "offer_shown_count_after_negative_within_30d_90d",
            "treatment",
            "interactions",
        ),
        (
            anything.distinct("channel", days(90), why="w"),
            "any_distinct_channel_90d",
            "breadth",
            "channels",
        ),
        (value.distinct("day", days(90), why="w"), "value_distinct_day_90d", "frequency", "days"),
        (anything.favourite("channel", why="w"), "any_favourite_channel", "habits", "category"),
        (anything.favourite("hour", why="w"), "any_favourite_hour", "habits", "hour"),
        (anything.of_cases("cases_open", why="w"), "any_cases_open", "journey", "cases"),
        (
            anything.of_cases("promises_broken", days(90), why="w"),
            "any_promises_broken_90d",
            "promises",
            "promises",
        ),
        (
            ratio(
                interactions("offer_accepted").count(why="w"),
                interactions("offer_shown").count(why="w"),
                prior=(0.1, 5.0),
                why="w",
            ),
            "offer_accepted_count_per_offer_shown_count",
            "offers",
            "ratio",
        ),
        (calendar("month", why="w"), "at_month", "moment", "month"),
        (trust(why="w"), "trust", "trust", "share"),
        (attribute("Marital Status", why="w"), "attribute_marital_status", "profile", "category"),
        (attribute("age", number=True, why="w"), "attribute_age", "profile", "age"),
        (offer_attribute("type", why="w"), "offer_type", "offer", "category"),
    ],
)
def test_name_group_and_unit_follow_from_the_declaration(
    declared: tuple[Signal, ...], name: str, group: str, unit: str
) -> None:
    (signal,) = declared
    assert (signal.name, group_of(signal), signal.unit) == (name, group, unit)


def test_a_declaration_gives_one_signal_a_window() -> None:
    declared = value.count(days(7, 28, 90), why="w")
    assert [signal.window for signal in declared] == [7, 28, 90]


@pytest.mark.parametrize("signal", offer_signals(EVERYTHING), ids=lambda signal: signal.name)
def test_plain_data_and_back_is_the_same_signal(signal: Signal) -> None:
    plain = signal.to_dict()
    assert None not in plain.values()
    assert Signal.from_dict(plain) == signal


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"measure": "count", "role": "valeu"}, "Did you mean 'value'"),
        ({"measure": "median"}, "measure: got 'median'"),
        ({"measure": "count", "window": -3}, "window of count: got -3; wanted 1 to"),
        ({"measure": "count", "window": 0}, "window of count: got 0"),
        ({"measure": "count", "window": 36_526}, "window of count: got 36526"),
        ({"measure": "count", "window": "28"}, "window of count: got 28; wanted 1 to"),
        ({"measure": "count", "window": 0.5}, "window of count: got 0.5; wanted 1 to"),
        ({"measure": "count", "window": True}, "window of count: got True; wanted 1 to"),
        ({"measure": "reached", "least": 1.5}, "least of reached: got 1.5; wanted a whole number"),
        ({"measure": "erosion", "half_life": True}, "half-life of erosion: got True"),
        ({"measure": "count", "where": []}, r"comparison of count: got \(\); wanted a column"),
        ({"measure": "count", "where": ["amount", ">"]}, r"got \('amount', '>'\)"),
        ({"measure": "count", "where": ["amount", ">", 1.0, 2.0]}, "wanted a column, a comparison"),
        ({"measure": "count", "where": ["amount", ">", NAN]}, "got nan; wanted a finite number"),
        ({"measure": "count", "where": ["amount", ">", float("inf")]}, "got inf; wanted a finite"),
        ({"measure": "count", "where": ["amount", ">", 10**400]}, "wanted a finite number"),
        ({"measure": "count", "where": ["amount", ">", "5"]}, "got '5'; wanted a finite number"),
        ({"measure": "count", "where": ["resolved", "==", True]}, "got True; .* as 1 or 0"),
        ({"measure": "count", "where": ["a; b", ">", 1.0]}, "column compared by count: got 'a; b'"),
        ({"measure": "count", "where": [5, ">", 1.0]}, "column compared by count: got 5"),
        ({"measure": "count", "kind": ""}, "kind of count: got ''; wanted a text"),
        ({"measure": "count", "channel": ""}, "channel of count: got ''"),
        ({"measure": "count", "topic": " "}, "topic of count: got ' '"),
        ({"measure": "count", "topic": 5}, "topic of count: got 5"),
        ({"measure": "ratio", "why": " "}, "parts of ratio: got 0 signals"),
        ({"measure": "days_since_last", "window": 7}, "window of days_since_last"),
        ({"measure": "gap_mean", "window": 7}, "window of gap_mean"),
        ({"measure": "trend"}, "window of trend: got None"),
        ({"measure": "fit", "column": "channel"}, "column of fit: got 'channel'"),
        ({"measure": "distinct", "column": "amount"}, "column of distinct: got 'amount'"),
        ({"measure": "favourite", "column": "channel"}, "number of favourite channel: got True"),
        ({"measure": "decayed_count"}, "half-life of decayed_count: got None"),
        ({"measure": "count", "half_life": 7}, "half-life of count: got 7; wanted none"),
        ({"measure": "reached"}, "least of reached: got None"),
        ({"measure": "count_since"}, "role compared with by count_since: got None"),
        ({"measure": "count", "than": "value"}, "role compared with by count: got 'value'"),
        ({"measure": "count", "where": ["amount", "~", 1.0]}, "comparison: got '~'"),
        ({"measure": "trust"}, "parts of trust: got 0 signals"),
        ({"measure": "count", "prior": [0.1, 5.0]}, "parts of count"),
        ({"measure": "decayed_count", "half_life": 0}, "half-life of decayed_count: got 0"),
        ({"measure": "maximum", "column": "due_at"}, "column of maximum: got 'due_at'"),
        (
            {"measure": "count", "where": ["channel", ">", 0.0]},
            "column compared by count: got 'channel'",
        ),
        ({"measure": "count", "number": False}, "number of count: got False"),
        ({"measure": "sum"}, "column of sum: got None"),
        ({"measure": "sum", "column": "a; b"}, "column of sum: got 'a; b'"),
        ({"measure": "attribute"}, "column of attribute"),
        ({"measure": "count", "column": "amount"}, "wanted no column"),
        ({"measure": "favourite", "column": "case_id"}, "column of favourite: got 'case_id'"),
        ({"measure": "favourite", "column": "day"}, "column of favourite: got 'day'"),
        ({"measure": "favourite", "column": "channel"}, "number of favourite channel: got True"),
        (
            {"measure": "favourite", "column": "hour", "number": False},
            "number of favourite hour: got False",
        ),
        ({"measure": "fit", "column": "channel"}, "column of fit: got 'channel'"),
        ({"measure": "fit", "column": "day"}, "column of fit: got 'day'"),
        ({"measure": "count", "why": " "}, "no why"),
        ({"measure": "count", "same": "x"}, "same: got 'x'"),
        ({"measure": "gap_mean", "same": "topic"}, "keyed measure: got 'gap_mean'"),
        ({"measure": "count", "windows": 7}, "the fields of a signal"),
        ({"why": "w"}, "the fields of a signal"),
    ],
)
def test_a_declaration_that_means_nothing_is_refused(plain: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        Signal.from_dict({"why": "w"} | plain)


@pytest.mark.parametrize("window", [0.5, 0, -1, True, "7", 36_526, None, NAN])
def test_windows_are_whole_days(window: Any) -> None:
    with pytest.raises(DeclarationError, match=r"days: got .*; wanted whole numbers from 1 to"):
        days(7, window)


def test_a_ratio_has_as_many_numerators_as_denominators() -> None:
    above, below = value.count(days(7, 28), why="w"), anything.count(days(7), why="w")
    for some, others in ((above, below), (below, above), ((), below)):
        with pytest.raises(DeclarationError, match="signals to divide by"):
            ratio(some, others, prior=(0.1, 5.0), why="w")


@pytest.mark.parametrize("prior", [(0.1,), (0.1, 5.0, 1.0), (NAN, 5.0), (0.1, NAN), (0.1, 0.0)])
def test_a_prior_is_a_ratio_and_a_weight(prior: Any) -> None:
    counts = value.count(why="w")
    with pytest.raises(DeclarationError, match="parts of ratio"):
        ratio(counts, counts, prior=prior, why="w")


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (0.5, "0_5"),
        (0.25, "0_25"),
        (60.0, "60"),
        (60, "60"),
        (-1.5, "_1_5"),
        (1234567.0, "1234567"),
        (1e22, "1e22"),
        (1e-22, "1e_22"),
        (0.1 + 0.2, "0_30000000000000004"),
    ],
)
def test_a_bound_is_named_in_as_few_digits_as_tell_it_apart(bound: float, said: str) -> None:
    (signal,) = interactions(where=("points", "<", bound)).count(why="w")
    assert signal.name == f"any_points_under_{said}_count"


def test_bounds_that_differ_have_names_that_differ() -> None:
    bounds = [1234567.0, 1234568.0, 1e-6, 1e6, 1e16, 1e-16, 1e300, -1e6, -1e-6, 0.1, 0.1 + 1e-16]
    bounds += [0.5, -0.5, 5.0, 50.0, 123456.7, 123456.71, 5e-324]
    signals = [
        signal
        for bound in bounds
        for signal in interactions(where=("amount", "<", bound)).count(why="w")
    ]
    assert len(compile_plan(signals, {}).names) == len(bounds)


def test_a_plan_needs_signals_each_with_its_own_name() -> None:
    with pytest.raises(DeclarationError, match="value_count_7d"):
        compile_plan([*value.count(days(7), why="a"), *value.count(days(7), why="b")], {})
    with pytest.raises(DeclarationError, match="none at all"):
        compile_plan([], {})


def test_an_attribute_is_a_number_or_a_category_but_not_both() -> None:
    signals = [*attribute("age", number=True, why="w"), *trust(why="w")]
    compile_plan(signals, {})
    with pytest.raises(DeclarationError, match="attribute 'age': got a number in one signal"):
        compile_plan([*signals, *knowledge({"age": False}, why="w")], {})


def test_the_demo_gets_a_full_catalogue_of_distinct_signals() -> None:
    names = [signal.name for signal in offer_signals(DEMO)]
    assert len(names) >= 30
    assert len(set(names)) == len(names)


def test_a_full_data_set_gets_a_signal_of_every_measure_and_at_least_130() -> None:
    signals = offer_signals(EVERYTHING)
    assert len(signals) >= 130
    assert {s.measure for signal in signals for s in signal.everything()} == set(MEASURES)


def test_signals_of_a_customer_come_first_among_those_of_an_offer() -> None:
    customer = customer_signals(DEMO)
    assert offer_signals(DEMO)[: len(customer)] == customer
    assert not compile_plan(customer, {}).needs_offer
    assert compile_plan(offer_signals(DEMO), {}).needs_offer


def test_the_catalogue_shrinks_with_the_data_and_always_measures_silence() -> None:
    bare = DataShape(roles=frozenset({"value"}), numbers=())
    sizes = [len(offer_signals(shape)) for shape in (bare, DEMO, EVERYTHING)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert RECENCY in [signal.name for signal in customer_signals(bare)]
    assert {signal.role for signal in offer_signals(bare)} == {"value", None}
    assert compile_plan(offer_signals(bare), {}).numbers == ("resolved",)


def test_of_one_role_alone_nothing_is_said_twice() -> None:
    def names(*roles: str) -> set[str]:
        return {signal.name for signal in customer_signals(DataShape(frozenset(roles)))}

    again = {"any_count_28d", "any_count_90d", "any_count_365d", "any_days_since_last"}
    assert names("value", "other") - names("value") == again


def test_attributes_that_would_share_a_name_are_refused() -> None:
    shape = DataShape(
        roles=frozenset({"value"}), attributes={"home city": False, "home-city": False}
    )
    with pytest.raises(DeclarationError, match="'attribute_home_city'"):
        customer_signals(shape)


GROCER = Wording({"value": ("purchase",), "negative": ("complaint", "return")}, "USD")
BANK = Wording({"value": ("card_payment",), "negative": ("complaint",)}, "CHF")


@pytest.mark.parametrize(
    ("wording", "declared", "given", "phrase"),
    [
        (GROCER, value.count(days(28), why="w"), 1.0, "1 purchase in the last 28 days"),
        (GROCER, value.count(days(1), why="w"), 2.0, "2 purchases in the last day"),
        (GROCER, value.count(days(365), why="w"), 0.0, "no purchases in the last 12 months"),
        (BANK, value.count(why="w"), 1200.0, "1,200 card payments"),
        (GROCER, interactions("negative").count(why="w"), 1.0, "1 bad experience"),
        (BANK, interactions("negative").count(why="w"), 2.0, "2 complaints"),
        (GROCER, anything.count(days(7), why="w"), 3.0, "3 interactions in the last 7 days"),
        (
            GROCER,
            value.sum("amount", days(28), why="w"),
            1234.5,
            "$1,234 spent in the last 28 days",
        ),
        (BANK, value.sum("amount", why="w"), 9.5, "9.50 CHF spent"),
        (BANK, value.sum("amount", why="w"), 0.0, "nothing spent"),
        (GROCER, value.sum("amount", why="w"), -20.0, "-$20 spent"),
        (
            GROCER,
            value.sum("amount", days(90), same="topic", why="w"),
            3.0,
            "$3.00 spent on purchases that fit the offer in the last 90 days",
        ),
        (GROCER, value.sum("n_items", days(28), why="w"), 3.0, "3 n items in the last 28 days"),
        (GROCER, value.days_since_last(why="w"), 0.5, "last purchase today"),
        (GROCER, value.days_since_last(why="w"), 1.5, "last purchase yesterday"),
        (GROCER, value.days_since_last(why="w"), 41.0, "last purchase 6 weeks ago"),
        (GROCER, value.days_since_last(why="w"), NAN, "no purchase yet"),
        (
            GROCER,
            value.days_since_last(same="topic", why="w"),
            NAN,
            "no purchase that fits the offer yet",
        ),
        (GROCER, value.days_since_first(why="w"), 400.0, "first purchase 13 months ago"),
        (GROCER, value.gap_mean(why="w"), 1.0, "usually every day"),
        (GROCER, value.gap_mean(why="w"), 3.4, "usually every 3 days"),
        (GROCER, value.gap_mean(why="w"), NAN, "too few purchases to see a rhythm"),
        (GROCER, value.gap_ratio(why="w"), 2.5, "silent for 2.5 times the usual gap"),
        (GROCER, value.gap_ratio(why="w"), 12.0, "silent for 12 times the usual gap"),
        (
            BANK,
            interactions("negative").reached(3, days(365), why="w"),
            1.0,
            "3 or more complaints in the last 12 months",
        ),
        (BANK, interactions("negative").reached(1, why="w"), 0.0, "no complaints"),
        (
            BANK,
            interactions("negative").count_since("value", why="w"),
            2.0,
            "2 complaints since the last card payment",
        ),
        (
            BANK,
            interactions("offer_shown").count_after("negative", 30, why="w"),
            1.0,
            "1 offer sent within 30 days after a complaint",
        ),
        (
            BANK,
            interactions("contact").repeated("topic", 7, days(90), why="w"),
            2.0,
            "asked again about the same topic within 7 days (twice in the last 90 days)",
        ),
        (
            BANK,
            anything.distinct("channel", days(90), why="w"),
            3.0,
            "in touch through 3 channels in the last 90 days",
        ),
        (BANK, anything.favourite("channel", why="w"), "phone", "most often by phone"),
        (BANK, anything.favourite("weekday", why="w"), 0.0, "interactions most often on Mondays"),
        (
            BANK,
            anything.of_cases("handovers", days(90), why="w"),
            2.0,
            "passed between channels twice in the last 90 days",
        ),
        (BANK, anything.of_cases("oldest_open_case", why="w"), 21.0, "a case open for 21 days"),
        (BANK, anything.of_cases("oldest_open_case", why="w"), NAN, "no open case"),
        (
            BANK,
            anything.of_cases("promises_broken", days(90), why="w"),
            1.0,
            "1 broken promise in the last 90 days",
        ),
        (
            BANK,
            anything.mean("wait_minutes", days(90), why="w"),
            15.0,
            "waited 15 minutes on average in the last 90 days",
        ),
        (
            BANK,
            interactions(where=("rating", "<", 0.5)).count(why="w"),
            1.0,
            "1 low rating",
        ),
        (
            BANK,
            ratio(
                interactions("offer_accepted").count(days(90), why="w"),
                interactions("offer_shown").count(days(90), why="w"),
                prior=(0.1, 5.0),
                why="w",
            ),
            0.25,
            "takes an estimated 25% of offers sent in the last 90 days",
        ),
        (BANK, trust(why="w"), 0.5, "trust where newcomers start (50%)"),
        (GROCER, attribute("home_city", why="w"), "Bath", "home city: Bath"),
        (GROCER, attribute("home_city", why="w"), None, "home city not known"),
        (GROCER, attribute("age", number=True, why="w"), 41.0, "age: 41"),
        (GROCER, attribute("age", number=True, why="w"), NAN, "age not known"),
        (GROCER, offer_attribute("type", why="w"), "A", "offer type: A"),
        (GROCER, offer_attribute("days_valid", number=True, why="w"), 30.0, "valid for 4 weeks"),
        (GROCER, offer_attribute("days_valid", number=True, why="w"), NAN, "open-ended"),
    ],
)
def test_a_value_is_said_as_a_person_would(
    wording: Wording, declared: tuple[Signal, ...], given: Value, phrase: str
) -> None:
    assert wording.say(declared[0], given) == phrase


@pytest.mark.parametrize("signal", offer_signals(EVERYTHING), ids=lambda signal: signal.name)
def test_every_signal_has_words_for_any_value(signal: Signal) -> None:
    values: list[Value] = ["x", None] if signal.unit == "category" else [0.0, 1.0, 1e9, NAN]
    for given in values:
        phrase = GROCER.say(signal, given)
        assert phrase
        assert "nan" not in phrase
        assert phrase == phrase.strip()
        assert not phrase.endswith(".")
