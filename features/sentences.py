"""Sentences that say what each measure measures, with places for what a signal declares."""

CATEGORY = {
    "channel": ("channel", "through the same channel"),
    "topic": ("topic", "about the same topic"),
    "case_id": ("case", "in the same case"),
    "offer_id": ("offer", "about the same offer"),
    "day": ("local day", "on the same local day"),
    "weekday": ("local weekday", "on the same local weekday"),
    "hour": ("local hour", "in the same local hour"),
}
CODED = {"weekday": " (0 is Monday)", "hour": " (0 to 23)"}
PARTS = {
    "weekday": "weekday (0 is Monday)",
    "hour": "hour (0 to 23)",
    "day_of_month": "day of the month (from 1)",
    "month": "month (from 1)",
}
OPEN = "the latest interaction to say whether it is resolved says no, or none says"
_OF_NUMBER = {
    "sum": "sum of {column} over {many}{window}; 0 when there is none",
    "mean": "mean {column} of {many}{window}; missing when none has one",
    "minimum": "least {column} of {many}{window}; missing when none has one",
    "maximum": "greatest {column} of {many}{window}; missing when none has one",
    "last": "{column} of the latest {one}{window} that has one; missing when none has",
    "decayed_sum": (
        "sum of {column} over all {many}, each halved with every {half_life} days of its age; "
        "0 when there is none"
    ),
}
_OF_COUNTS = {
    "count": "number of {many}{window}",
    "reached": "1 when there were {least} or more {many}{window}, else 0",
    "trend": (
        "number of {many}{window} (n) against the {window_days} days before those (m): "
        "(n - m) / (n + m), from -1 (stopped) to 1 (begun); missing when both are 0"
    ),
    "trend_long_run": (
        "number of {many} a day{window} (n) against that since the first one (m): "
        "(n - m) / (n + m), from -1 to 1; missing until the first is {window_days} days old"
    ),
    "decayed_count": (
        "number of {many}, each counting half as much with every {half_life} days of its age"
    ),
    "erosion": (
        "product over {many} of 1 - 2 ** -(1 + age / {half_life}), age in days: one half right "
        "after one, 1 when there was none"
    ),
    "count_since": (
        "number of {many}{window} after the latest {than}; all of them when there was none"
    ),
    "count_after": "number of {many}{window} that came within {within} days after {a_than}",
}
_OF_TIME = {
    "days_since_last": "days since the latest {one}; missing when there was none",
    "days_since_first": "days since the first {one}; missing when there was none",
    "gap_mean": "mean days from one to the next of the {many}; missing when there are fewer than 2",
    "gap_ratio": (
        "days since the latest {one}, divided by the mean gap between them; missing when "
        "there are fewer than 2, or all at one moment"
    ),
    "gap_std": (
        "standard deviation of the days between one and the next of the {many}; missing when "
        "there are fewer than 3"
    ),
    "gap_longest": (
        "greatest number of days from one to the next of the {many}; missing when there are "
        "fewer than 2"
    ),
    "gap_percentile": (
        "share of the gaps between {many} that are shorter than the time since the latest; "
        "missing when there are fewer than 2"
    ),
}
_OF_CATEGORIES = {
    "distinct": "number of different {things} of {many}{window}",
    "favourite": (
        "most frequent {thing}{coded} of {many}{window}, of several the one seen last; missing "
        "when none has one"
    ),
    "favourite_share": (
        "share of the most frequent {thing} among {many}{window}; missing when none has one"
    ),
    "fit": (
        "share of {many}{window} that happened {same} as the instant; missing when there is none"
    ),
    "repeated": (
        "number of {many}{window} that came within {within} days after the one before {same}{both}"
    ),
}
_OF_CASES = {
    "case_contacts": "mean number of interactions in a case{judged}; missing when there is no case",
    "case_contacts_most": "greatest number of interactions in one case{judged}; 0 without a case",
    "handovers": (
        "number of times that the channel changed from one interaction of a case to its next"
        "{judged}"
    ),
    "handovers_most": (
        "greatest number of times that the channel changed within one case{judged}; 0 without "
        "a case"
    ),
    "cases_open": "number of open cases: {open}{judged}",
    "oldest_open_case": (
        "days since the first interaction of the open case that began first, open when {open}"
        "{judged}; missing when none is open"
    ),
    "cases_reopened": (
        "number of times that an interaction said no after the latest word on its case was that "
        "it is resolved{judged}"
    ),
    "unresolved_share": "share of cases that are open, when {open}{judged}; missing without a case",
    "resolution_mean": (
        "mean days from the first interaction of a case to the first that says it is resolved"
        "{judged}; missing when none is"
    ),
    "resolution_longest": (
        "greatest number of days from the first interaction of a case to the first that says it "
        "is resolved{judged}; missing when none is"
    ),
    "promises_kept": (
        "number of promises made{made} that were kept: the interaction that made one, or a "
        "later one of its case, said resolved by the time due"
    ),
    "promises_broken": (
        "number of promises made{made} that were broken: the time due passed before the "
        "instant without a word that it is resolved"
    ),
    "promise_erosion": (
        "product over broken promises of 1 - 2 ** -(1 + age / {half_life}), age in days since "
        "it was due: 1 when there was none"
    ),
}
_OTHERS = {
    "attribute": "the customer's {column} as last known before the instant; missing when not known",
    "offer_attribute": "the offer's {column}; missing when it has none",
    "calendar": "{part} of the instant, local",
    "ratio": "(a + {added}) / (b + {weight}), where a and b are: {parts}",
    "known": "number of attributes known before the instant: {parts}",
    "saturation": "k / (k + {half}), from 0 to 1, where k is the sum of: {parts}",
    "trust": (
        "trust, from 0 to 1, 0.5 for a newcomer: (1 - 2 ** -(1 + a / 5)) * b * c, where a, b and "
        "c are: {parts}"
    ),
    "exchange": (
        "(g / (g + 4) + r / (r + 1)) / 2, from 0 to 1, where g is the first and r the sum of the "
        "others of: {parts}"
    ),
    "stage": (
        "the first that holds of lapsed, new, fading, advocate, committed, regular and casual, "
        "by the rules in docs/signals.md; missing for who never was a customer"
    ),
}
SENTENCES = _OF_NUMBER | _OF_COUNTS | _OF_TIME | _OF_CATEGORIES | _OF_CASES | _OTHERS
"""The sentence of each measure."""
