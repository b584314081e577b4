"""The simulated bank: what happens to its customers day by day, and why they leave.

For tests and teaching: no public data set has complaints and churn of the same people, so here
the hazard of each customer and day is *known*. The compiled functions stay in one file because
numba's cache does not notice a change in an imported one; the behaviour is an argument.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from features.sources.bank_survey import Behaviour

PURCHASE, RENEWAL, CANCELLATION, VISIT, ENQUIRY, SERVICE_REQUEST, COMPLAINT = range(7)
REVIEW, REFERRAL, OFFER_SHOWN, OFFER_ACCEPTED, OFFER_DECLINED = range(7, 12)
WEB, APP, PHONE, BRANCH, EMAIL = range(5)
LATE = (VISIT, ENQUIRY, SERVICE_REQUEST, COMPLAINT)
MOST_ROWS_A_DAY = 16
DAY = 86_400


@njit(cache=True)
def daily_hazard(b: Behaviour, base: Any, memory: Any, grievance: Any) -> Any:
    """Return the probability of leaving on a day.

    ``base + scale * (intent(memory) + grievance)``, where ``intent`` runs straight through the
    survey's points: 0 without bad experience, ``leave_after_one`` at 1, ``leave_by_third`` from 3
    on. Its ``py_func`` takes arrays as well.

    Args:
        b: the behaviour.
        base: daily hazard of leaving for other reasons than treatment.
        memory: bad experiences, each fading with the customer's own half-life of trust.
        grievance: slow replies, repetitions and offers that do not fit, each fading.
    """
    slope = (b.leave_by_third - b.leave_after_one) / 2.0
    more = np.minimum(np.maximum(memory - 1.0, 0.0), 2.0)
    intent = b.leave_after_one * np.minimum(memory, 1.0) + slope * more
    return base + b.scale * (intent + grievance)


@njit(cache=True)
def simulate(b: Behaviour, days: int, who: Any, events: Any, states: Any) -> Any:
    """Live through the days of every customer; return the numbers of rows written to both tables.

    Args:
        b: the behaviour.
        days: how many there are.
        who: the customers, of ``PERSON``; their state is changed.
        events: of ``EVENT``, with room for ``MOST_ROWS_A_DAY`` of each customer and day.
        states: of ``STATE``, with room for a row of each customer and day and one more.
    """
    fading = 0.5 ** (1.0 / b.grievance_half_life)
    row, n_states = 0, 0
    for c in range(len(who)):
        p = who[c]
        p.row, p.changed = row, 1
        for day in range(max(p.joined, 0), days + 1):
            if p.changed:
                states[n_states].customer, states[n_states].since = p.number, day
                states[n_states].memory, states[n_states].grievance = p.memory, p.grievance
                n_states += 1
                p.changed = 0
            if day == days or _leaves(b, p, events, day):
                break
            _live(b, p, events, day)
            p.memory *= p.retention
            p.grievance *= fading
        row = p.row
    return row, n_states


@njit(cache=True)
def _uniform(p: Any) -> float:
    """Draw from the customer's own generator (SplitMix64, Steele, Lea and Flood 2014)."""
    p.random += np.uint64(0x9E3779B97F4A7C15)
    z = p.random
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def _below(p: Any, n: int) -> int:
    return int(_uniform(p) * n)


@njit(cache=True)
def _write(p: Any, events: Any, day: int, kind: int, channel: int, topic: int) -> Any:
    """Write an interaction between 8 and 21 o'clock; return its row.

    E-mails and what happens in a branch are recorded the next morning.
    """
    i = p.row
    e = events[i]
    e.customer, e.id = p.number, p.number * 10_000 + p.sequence
    e.kind, e.channel, e.topic = kind, channel, topic
    e.at = e.recorded = day * DAY + 8 * 3600 + _below(p, 13 * 3600)
    if channel in (EMAIL, BRANCH) and kind in LATE:
        e.recorded = (day + 1) * DAY + 6 * 3600
    e.case = e.due = e.offer = e.department = e.solved = -1
    e.amount = e.wait = e.rating = np.nan
    p.row += 1
    p.sequence += 1
    return i


@njit(cache=True)
def _leaves(b: Behaviour, p: Any, events: Any, day: int) -> bool:
    hazard = daily_hazard(b, p.base, p.memory, p.grievance)
    if _uniform(p) >= hazard:
        return False
    _write(p, events, day, CANCELLATION, _channel(b, p, b.own_channel), 0)
    p.left = day
    draw = _uniform(p) * (1.0 - b.treatment_share)
    p.reason = 1 + (draw >= b.product_share) + (draw >= b.product_share + b.competitor_share)
    if _uniform(p) * hazard >= p.base:
        p.reason = 0
    return True


@njit(cache=True)
def _live(b: Behaviour, p: Any, events: Any, day: int) -> None:
    """Let one day happen to a customer who stays."""
    if day == p.moves:
        p.household = p.next_household
    if (day - p.billing) % 30 == 0:
        events[_write(p, events, day, RENEWAL, WEB, 0)].amount = p.fee
    content = 1.0 - min(p.memory, 3.0) / 6.0
    if _uniform(p) < p.visits * content * (2.0 if day < p.need_until else 1.0):
        _visit(b, p, events, day)
    if _uniform(p) < b.referrals / 365.0 and p.memory + p.grievance < 0.2:
        _write(p, events, day, REFERRAL, p.own, p.interest)
    if _uniform(p) < p.mishaps:
        _hurt(p, 1.0, 0.0)
        if _uniform(p) < b.told and p.case_kind == 0:
            _open_case(b, p, events, day, COMPLAINT, _below(p, len(b.prices)))
    if _uniform(p) < b.needs / 365.0 and day >= p.need_until:
        p.need = _interest(b, p)
        p.need_until = day + 45
        if _uniform(p) < 0.6 and p.case_kind == 0:
            _open_case(b, p, events, day, ENQUIRY, p.need)
    if p.case_kind > 0 and day == p.case_next:
        _continue_case(b, p, events, day)
    elif p.case_kind == 0 and _uniform(p) < p.contacts:
        _open_case(b, p, events, day, SERVICE_REQUEST, _below(p, len(b.prices)))
    if _uniform(p) < b.offers / 365.0 and p.taken < 0:
        _show_offer(b, p, events, day)
    if p.taken >= 0 and day == p.taken_on:
        i = _write(p, events, day, OFFER_ACCEPTED, p.own, p.taken % len(b.prices))
        events[i].offer = p.taken
        _buy(b, p, events, day, p.taken % len(b.prices), p.own, -1)
        p.taken = -1


@njit(cache=True)
def _hurt(p: Any, experiences: float, grievance: float) -> None:
    p.memory += experiences
    p.grievance += grievance
    p.changed = 1


@njit(cache=True)
def _channel(b: Behaviour, p: Any, own: float) -> Any:
    return (
        p.own
        if _uniform(p) < own
        else (p.own + 1 + _below(p, len(b.patience) - 1)) % len(b.patience)
    )


@njit(cache=True)
def _interest(b: Behaviour, p: Any) -> Any:
    draw = _uniform(p)
    return p.interest if draw < 0.5 else p.interest_2 if draw < 0.8 else _below(p, len(b.prices))


@njit(cache=True)
def _visit(b: Behaviour, p: Any, events: Any, day: int) -> None:
    places = p.own in (WEB, APP, BRANCH)
    channel = p.own
    if not places or _uniform(p) >= b.own_channel:
        draw = _uniform(p)
        channel = WEB if draw < 0.45 else APP if draw < 0.8 else BRANCH
    p.last_topic = p.need if day < p.need_until and _uniform(p) < 0.6 else _interest(b, p)
    _write(p, events, day, VISIT, channel, p.last_topic)


@njit(cache=True)
def _open_case(b: Behaviour, p: Any, events: Any, day: int, kind: int, topic: int) -> None:
    p.case_kind, p.case_topic, p.case_step, p.due = kind, topic, 0, -1
    p.case = p.number * 1_000 + p.cases
    p.cases += 1
    draw = _uniform(p)
    p.hand_overs = 0 if draw < 0.5 else 1 if draw < 0.75 else 2
    _contact(b, p, events, day, kind, b.own_channel)


@njit(cache=True)
def _continue_case(b: Behaviour, p: Any, events: Any, day: int) -> None:
    """Hand the case to another department; a promise not kept by now is a bad experience."""
    p.case_step += 1
    kind = ENQUIRY if p.case_kind == ENQUIRY else SERVICE_REQUEST
    if kind != ENQUIRY and p.due >= 0 and day * DAY > p.due:
        _hurt(p, 1.0, 0.0)
        if _uniform(p) < b.told:
            kind = COMPLAINT
    if _uniform(p) < b.repeats:
        _hurt(p, 0.0, b.considering * b.repeat_consider)
    _contact(b, p, events, day, kind, 0.5)


@njit(cache=True)
def _contact(b: Behaviour, p: Any, events: Any, day: int, kind: int, own: float) -> None:
    """Let the customer ask, wait and be answered; the case ends or goes on later."""
    i = _write(p, events, day, kind, _channel(b, p, own), p.case_topic)
    e = events[i]
    e.case, e.department = p.case, min(p.case_step, 2) if kind != COMPLAINT else 3
    normal = math.sqrt(-2.0 * math.log(1.0 - _uniform(p))) * math.cos(2.0 * math.pi * _uniform(p))
    patience = b.patience[e.channel]
    e.wait = round(patience / 2.2 * math.exp(0.9 * normal), 1)
    slow = e.wait > patience
    if slow:
        _hurt(p, 0.0, b.slow_leave + b.considering * b.slow_consider)
    if kind == COMPLAINT:
        p.complained = day
    if kind == ENQUIRY:
        _pursue(b, p, events, day, e.channel)
    else:
        _answer(b, p, e, day)
    if _uniform(p) < b.reviews:
        rating = 0.85 - 0.35 * slow - 0.3 * (e.solved == 0) - 0.15 * min(p.memory, 3.0)
        r = _write(p, events, day, REVIEW, WEB, p.case_topic)
        events[r].at = events[r].recorded = e.at + 3600
        events[r].rating = round(max(0.0, rating + 0.15 * _uniform(p)), 2)
        events[r].case = e.case


@njit(cache=True)
def _answer(b: Behaviour, p: Any, e: Any, day: int) -> None:
    """Solve the customer's case, or promise to by a day; after five contacts nobody does."""
    e.solved = 1 if _uniform(p) < b.solved else 0
    if e.solved == 1:
        p.case_kind = 0
    elif p.case_step == 4:
        p.case_kind = 0
        _hurt(p, 1.0, 0.0)
    else:
        e.due = p.due = (day + 2 + _below(p, 5)) * DAY + 17 * 3600
        p.case_next = day + 1 + _below(p, 7)


@njit(cache=True)
def _pursue(b: Behaviour, p: Any, events: Any, day: int, channel: int) -> None:
    """Take a purchase to the next department, or to its end."""
    if p.case_step < p.hand_overs:
        p.case_next = day + 1 + _below(p, 4)
        return
    p.case_kind = 0
    if p.hand_overs < 2 or _uniform(p) >= b.abandon:
        _buy(b, p, events, day, p.case_topic, channel, p.case)
        p.need_until = day


@njit(cache=True)
def _buy(b: Behaviour, p: Any, events: Any, day: int, topic: int, channel: int, case: int) -> None:
    i = _write(p, events, day, PURCHASE, channel, topic)
    events[i].at = events[i].recorded = day * DAY + 21 * 3600 + _below(p, 3600)
    events[i].amount = round(b.prices[topic] * (0.6 + 0.8 * _uniform(p)), 2)
    events[i].case = case


@njit(cache=True)
def _show_offer(b: Behaviour, p: Any, events: Any, day: int) -> None:
    """Show one of the quarter's offers: some follow the last visit, most just go out."""
    topic = p.last_topic if _uniform(p) < 0.3 else _below(p, len(b.prices))
    offer = day // b.quarter * len(b.prices) + topic
    household = b.for_household[offer % len(b.for_household)]
    fits = household < 0 or household == p.household
    fits = fits and day - p.complained >= b.complaint_rest
    channel = p.own if _uniform(p) < 0.5 else _below(p, len(b.patience))
    i = _write(p, events, day, OFFER_SHOWN, channel, topic)
    events[i].offer = offer
    if not fits:
        likely = b.accept_misfit
        _hurt(p, 0.0, b.considering * b.misfit_consider)
    elif day < p.need_until and p.need == topic:
        likely = b.welcome * b.accept_welcome
    else:
        likely = b.accept_interest if topic in (p.interest, p.interest_2) else b.accept_fit
    closes = (day // b.quarter + 1) * b.quarter
    if _uniform(p) < likely:
        p.taken_on = min(day + 1 + _below(p, 10), closes - 1)
        p.taken = offer if p.taken_on > day else -1
    elif _uniform(p) < (0.05 if fits else 0.15):
        d = _write(p, events, day, OFFER_DECLINED, channel, topic)
        events[d].offer, events[d].at = offer, events[i].at + 60
        events[d].recorded = events[d].at
