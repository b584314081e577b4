"""Encoding shared by the engines: instants as categories, offers, attributes."""

from collections.abc import Iterable, Mapping

import numpy as np

from features import arrays, clock
from features.categories import Categories
from features.measures import CALENDAR, CODE_COLUMNS
from features.offers import Offer
from features.plan import Plan


def local_codes(plan: Plan, occurred: arrays.Int64, codes: arrays.Int32) -> None:
    """Fill in the local day, weekday and hour that signals read.

    A day's code tells it from other days and no more; there are no more codes than interactions.

    Args:
        plan: the compiled signals.
        occurred: instants, shape ``(n,)``.
        codes: the categories of interactions, shape ``(7, n)``.
    """
    wanted = {"day", "weekday", "hour"} & set(plan.code_columns)
    if not wanted or not len(occurred):
        return
    local = clock.utc_to_local(occurred, plan.timezone)
    if "day" in wanted:
        codes[arrays.DAY] = _few(local // clock.DAY)
    if wanted != {"day"}:
        parts = clock.calendar(local)
        codes[arrays.WEEKDAY], codes[arrays.HOUR] = parts[:2]


def calendar_of(plan: Plan, as_of: arrays.Int64) -> arrays.Int64:
    """Return the calendar of instants as the kernel reads it, empty when no signal does."""
    if not plan.reads_calendar:
        return np.empty((len(CALENDAR), 0), dtype=np.int64)
    return clock.calendar(clock.utc_to_local(as_of, plan.timezone))


def offer_table(
    plan: Plan,
    offers: Iterable[Offer],
    categories: Categories,
    own: Mapping[str, int],
    codes: arrays.Int32,
) -> arrays.OfferTable:
    """Return the offers as the kernel reads them.

    Args:
        plan: the compiled signals.
        offers: the offers.
        categories: the codes of categories, topics among them.
        own: the codes of the history's offers.
        codes: those of the history that the table is read beside, shape ``(7, n)``.
    """
    offers = list(offers)
    numeric = {s.column: s.number for s in plan.everything if s.measure == "offer_attribute"}
    values = np.full((len(offers), len(plan.offer_attributes)), np.nan)
    # The kernel looks every topic of the history up without asking how wide the table is.
    width = n_of(codes, arrays.TOPIC) if plan.keyed_by_topic else 0
    members = np.zeros((len(offers), width), dtype=np.uint8)
    for row, offer in enumerate(offers):
        topics = offer.topics if width else ()
        met = [code for topic in topics if (code := categories.find(topic)) is not None]
        members[row, [code for code in met if code < width]] = 1
        for column, name in enumerate(plan.offer_attributes):
            values[row, column] = categories.encode(offer.attribute(name), numeric[name])
    of_offers = np.array([own.get(offer.offer_id, -1) for offer in offers], dtype=np.int64)
    return arrays.OfferTable(values, members, of_offers)


def numeric_attributes(plan: Plan) -> dict[str, bool]:
    """Return of each attribute read whether it is a number."""
    return {s.column or "": s.number for s in plan.everything if s.measure == "attribute"}


def n_codes(plan: Plan, codes: arrays.Int32) -> int:
    """Return a number above every code that the kernel meets in the columns that it reads."""
    read = [CODE_COLUMNS.index(name) for name in plan.code_columns]
    return max((n_of(codes, row) for row in read), default=0)


def n_of(codes: arrays.Int32, row: int) -> int:
    """Return a number above every code of one column, such as ``arrays.CASE``."""
    return int(codes[row].max(initial=-1)) + 1


def _few(days: arrays.Int64) -> arrays.Int64:
    """Return a code for each day, below their number."""
    first = int(days.min())
    if int(days.max()) - first < len(days):
        return days - first
    return np.unique(days, return_inverse=True)[1]
