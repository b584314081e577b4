"""Phrases whose words depend on how much it is: trends, silence, how broad, how well known."""

from features.declaration import Signal
from features.english import MONTHS, WEEKDAYS, counted, length, often, said_number, span

THINGS = {
    "channel": ("channel", "channels"),
    "topic": ("topic", "topics"),
    "case_id": ("case", "cases"),
    "offer_id": ("offer", "offers"),
    "day": ("day", "days"),
    "weekday": ("day of the week", "days of the week"),
    "hour": ("hour of the day", "hours of the day"),
}
IN_ONE = {
    "channel": "through",
    "topic": "about",
    "case_id": "in",
    "offer_id": "of",
    "day": "on",
    "weekday": "on",
    "hour": "at",
}
"""How interactions relate to one of a column's categories."""


def said_by_degree(signal: Signal, number: float, many: str) -> str | None:
    """Return the phrase of a measure whose words depend on its value, or none of another."""
    lately = window_of(signal)
    if signal.measure == "reached":
        return _reached(signal.least or 1, number > 0, many) + lately
    if signal.measure in ("trend", "trend_long_run"):
        return _trend(signal, number, many)
    if signal.measure == "repeated":
        return _repeated(signal, number, many)
    if signal.measure == "distinct":
        return _distinct(signal, number, many)
    if (signal.measure, signal.role, signal.than) == (
        "count_since",
        "offer_shown",
        "offer_accepted",
    ):
        return _ignored(number) + lately
    if signal.measure == "calendar":
        return f"it is {_calendar(signal.column or '', int(number))}"
    if signal.measure == "favourite":
        return f"{many} most often {_favourite(signal.column or '', int(number))}{lately}"
    if signal.measure == "decayed_count":
        some = f"{said_number(number)} {many}" if number >= 0.05 else f"hardly any {many}"
        return f"{some if number else f'no {many}'} {half_of(signal)}"
    if signal.measure in ("gap_ratio", "gap_percentile"):
        return _silence(signal.measure, number)
    if signal.measure == "unresolved_share":
        whole = {0.0: "all cases resolved", 1.0: "no case resolved"}
        return whole.get(number, f"{number:.0%} of cases unresolved") + lately
    if signal.measure in ("erosion", "promise_erosion"):
        of = many if signal.measure == "erosion" else "broken promises"
        return f"trust is down to {number:.0%} after {of}" if number < 1 else f"no {of} yet"
    if signal.measure == "trust":
        if round(number, 2) == 0.5:
            return "trust where newcomers start (50%)"
        return f"trust at {number:.0%} (newcomers start at 50%)"
    if signal.measure == "saturation":
        return _knowledge(number, signal.half or 1)
    if signal.measure == "exchange":
        much = "little" if number < 0.25 else "some" if number < 0.5 else "much"
        return f"{much} give and take lately ({number:.0%})"
    return None


def half_of(signal: Signal) -> str:
    """Return how a decayed measure counts."""
    return f"lately (each counts half after {length(signal.half_life or 1)})"


def window_of(signal: Signal) -> str:
    """Return in which window a signal looks, with a space before it."""
    return f" in the last {span(signal.window)}" if signal.window else ""


def _reached(least: int, yes: bool, many: str) -> str:
    if least == 1:
        return f"some {many}" if yes else f"no {many}"
    return f"{least} or more {many}" if yes else f"fewer than {least} {many}"


def _trend(signal: Signal, number: float, many: str) -> str:
    window = span(signal.window or 1)
    before = "usual" if signal.measure == "trend_long_run" else f"in the {window} before"
    if number == -1:
        return f"no {many} in the last {window} but some before"
    if abs(number) < 0.1:
        return f"about as many {many} in the last {window} as {before}"
    return f"{'fewer' if number < 0 else 'more'} {many} in the last {window} than {before}"


def _repeated(signal: Signal, number: float, many: str) -> str:
    within, lately = f"within {span(signal.within or 1)}", window_of(signal)
    same = f"{IN_ONE[signal.column or '']} the same {THINGS[signal.column or ''][0]}"
    plain = signal.role == "contact" and not (signal.kind or signal.channel or signal.where)
    if number == 0:
        again = "never asked" if plain else f"no {many} {same}"
        return f"{again} again {within}{lately}"
    again = "asked again" if plain else f"{many} again"
    return f"{again} {same} {within} ({often(number)}{lately})"


def _distinct(signal: Signal, number: float, many: str) -> str:
    column, lately = signal.column or "", window_of(signal)
    one, several = THINGS[column]
    who = many if signal.role or signal.kind else "active" if column == "day" else "in touch"
    if column == "case_id":
        return counted(number, one, several) + lately
    if number == 0:
        nothing = f"no {who}" if signal.role or signal.kind else f"not {who}"
        return f"{nothing if column == 'day' else f'no {one} known'}{lately}"
    if column == "day" and signal.window and signal.window != 365:
        return f"{who} on {number:,.0f} of the last {span(signal.window)}"
    return f"{who} {IN_ONE[column]} {counted(number, one, several)}{lately}"


def _ignored(number: float) -> str:
    if number == 0:
        return "no offers ignored lately"
    return (
        "last offer sent not taken" if number == 1 else f"last {number:,.0f} offers sent not taken"
    )


def _silence(measure: str, number: float) -> str:
    if measure == "gap_percentile":
        if number in (0.0, 1.0):
            return f"silent for {'longer' if number else 'no longer'} than any gap so far"
        return f"silent for longer than {number:.0%} of their gaps so far"
    if number < 1.05:
        return f"silent for {'about' if number >= 0.95 else 'less than'} the usual gap"
    times = f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
    return f"silent for {times} times the usual gap"


def _knowledge(share: float, half: int) -> str:
    if share >= 1.0:
        return "very much known about them"
    known = round(half * share / (1.0 - share))
    return f"{counted(known, 'thing', 'things')} known about them"


def _favourite(part: str, number: int) -> str:
    if part == "weekday":
        return f"on {WEEKDAYS[number % 7]}s"
    return _calendar(part, number) if part == "hour" else f"{part} {number}"


def _calendar(part: str, number: int) -> str:
    if part == "weekday":
        return f"a {WEEKDAYS[number % 7]}"
    if part == "hour":
        return f"between {number:02d}:00 and {(number + 1) % 24:02d}:00"
    if part == "month":
        return MONTHS.split()[(number - 1) % 12]
    return f"day {number} of the month"
