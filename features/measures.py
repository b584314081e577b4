"""Measures: what a signal can measure, and what each of them takes.

A measure's place in ``MEASURES`` is its code in the kernel. Measures of one family stand
together, because the kernel folds a history once for all of a family.
"""

from dataclasses import dataclass

NUMBER, CODE, INSTANT = "a numeric column", "a column of categories", "a part of the calendar"
HABIT, MOMENT = "a channel, topic, weekday or hour", "a weekday or hour"
ATTRIBUTE = "the name of an attribute"


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measure takes.

    Attributes:
        name: its name.
        column: what its column is, or "" when it has none.
        unit: the unit of its value; "" is the column's own, "category" a text.
        windowed: whether it can look at a window alone.
        keyed: whether it can be limited to what shares the offer's topic, or the offer.
        parameter: the name of the whole number that it needs, "" when none.
        than: whether it compares with the interactions of another role.
        parts: how many other signals it is made of: none (0), any number (-1), or so many.
    """

    name: str
    unit: str = "interactions"
    column: str = ""
    windowed: bool = False
    keyed: bool = False
    parameter: str = ""
    than: bool = False
    parts: int = 0


def _of_number(name: str) -> Measure:
    return Measure(name, "", NUMBER, windowed=True, keyed=True)


def _of_cases(name: str, unit: str) -> Measure:
    return Measure(name, unit, windowed=True)


_ALL = (
    Measure("count", windowed=True, keyed=True),
    Measure("reached", "yes or no", windowed=True, keyed=True, parameter="least"),
    Measure("trend", "ratio", windowed=True),
    Measure("trend_long_run", "ratio", windowed=True),
    Measure("decayed_count", keyed=True, parameter="half_life"),
    Measure("decayed_sum", "", NUMBER, keyed=True, parameter="half_life"),
    Measure("erosion", "share", parameter="half_life"),
    Measure("count_since", windowed=True, than=True),
    Measure("count_after", windowed=True, than=True, parameter="within"),
    _of_number("sum"),
    _of_number("mean"),
    _of_number("minimum"),
    _of_number("maximum"),
    _of_number("last"),
    Measure("days_since_last", "days", keyed=True),
    Measure("days_since_first", "days", keyed=True),
    Measure("gap_mean", "days"),
    Measure("gap_ratio", "ratio"),
    Measure("gap_std", "days"),
    Measure("gap_longest", "days"),
    Measure("gap_percentile", "ratio"),
    Measure("distinct", "", CODE, windowed=True),
    Measure("favourite", "", HABIT, windowed=True),
    Measure("favourite_share", "share", CODE, windowed=True),
    Measure("fit", "share", MOMENT, windowed=True),
    Measure("repeated", column=CODE, windowed=True, parameter="within"),
    _of_cases("case_contacts", "interactions"),
    _of_cases("case_contacts_most", "interactions"),
    _of_cases("handovers", "hand-overs"),
    _of_cases("handovers_most", "hand-overs"),
    _of_cases("cases_open", "cases"),
    _of_cases("oldest_open_case", "days"),
    _of_cases("cases_reopened", "times"),
    _of_cases("unresolved_share", "share"),
    _of_cases("resolution_mean", "days"),
    _of_cases("resolution_longest", "days"),
    _of_cases("promises_kept", "promises"),
    _of_cases("promises_broken", "promises"),
    Measure("promise_erosion", "share", parameter="half_life"),
    Measure("attribute", "", ATTRIBUTE),
    Measure("offer_attribute", "", ATTRIBUTE),
    Measure("calendar", "", INSTANT),
    Measure("ratio", "ratio", parts=2),
    Measure("known", "facts", parts=-1),
    Measure("saturation", "share", parameter="half", parts=-1),
    Measure("trust", "share", parts=3),
    Measure("exchange", "share", parts=-1),
    Measure("stage", "category", parts=8),
)
MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
CODES: dict[str, int] = {name: code for code, name in enumerate(MEASURES)}

_NAMES = list(MEASURES)
OF_CASES = tuple(_NAMES[CODES["case_contacts"] : CODES["resolution_longest"] + 1])
"""Measures of cases, for which an interaction without one does not exist."""
OF_PROMISES = tuple(_NAMES[CODES["promises_kept"] : CODES["promise_erosion"] + 1])
"""Measures of promises, which are kept by what is resolved."""

CODE_COLUMNS = ("channel", "topic", "case_id", "offer_id", "day", "weekday", "hour")
"""Columns of categories, in the order of their rows in the kernel's arrays."""
TEXT_COLUMNS = ("channel", "topic")
"""Columns of categories whose values are texts that a signal can name."""
MOMENT_COLUMNS = ("weekday", "hour")
"""Columns of categories that an instant has too."""
CALENDAR = ("weekday", "hour", "day_of_month", "month")
"""Parts of the calendar of an instant, in the order of their rows in the kernel's arrays."""
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
"""Comparisons of a column with a number, in the order of their codes in the kernel."""
STAGES = ("new", "casual", "regular", "committed", "advocate", "fading", "lapsed")
"""Stages of engagement, in the order of their codes in the kernel."""
