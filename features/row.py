"""One row of the kernel: every signal of one customer at one instant.

Compiled into ``kernel.evaluate``.
"""

import numpy as np
from numba import njit

from features import choosing, combining, folds, journeys
from features.arrays import (
    CASE,
    CHANNEL,
    COMPILED,
    TOPIC,
    WEEKDAY,
    Facts,
    Histories,
    Int32,
    Int64,
    OfferTable,
    Program,
    Rows,
    Scratch,
)
from features.arrays import OFFER as OF_OFFER
from features.measures import CODES

COUNT, REACHED, TREND = (CODES[n] for n in ("count", "reached", "trend"))
TREND_LONG_RUN, DECAYED_COUNT, EROSION = (
    CODES[n] for n in ("trend_long_run", "decayed_count", "erosion")
)
COUNT_SINCE, COUNT_AFTER = CODES["count_since"], CODES["count_after"]
SUM, MEAN, MINIMUM = (CODES[n] for n in ("sum", "mean", "minimum"))
LAST, GAP_RATIO, GAP_STD = (CODES[n] for n in ("last", "gap_ratio", "gap_std"))
GAP_PERCENTILE = CODES["gap_percentile"]
FIT, REPEATED = CODES["fit"], CODES["repeated"]
CASES, LAST_OF_CASES = CODES["case_contacts"], CODES["resolution_longest"]
KEPT = CODES["promises_kept"]
ATTRIBUTE, OFFER, CALENDAR = (CODES[n] for n in ("attribute", "offer_attribute", "calendar"))
RATIO = CODES["ratio"]


@njit(inline="always", **COMPILED)
def row(
    program: Program,
    histories: Histories,
    places: Int32,
    n_places: Int64,
    facts: Facts,
    customer: int,
    rows: Rows,
    r: int,
    offers: OfferTable,
    scratch: Scratch,
) -> None:
    """Compute all steps of a program into ``scratch.values``; filters take ``places``."""
    steps, spans, priors, values = program.steps, program.spans, program.priors, scratch.values
    occurred, numbers, codes = histories.occurred, histories.numbers, histories.codes
    channels, topics, cases = codes[CHANNEL], codes[TOPIC], codes[CASE]
    said = numbers[program.resolved] if program.resolved >= 0 else values[:0]
    # Keyed spans list what they chose in ``kept``, which the folds of cases and promises use too:
    # those cannot be keyed, which ``features.validity`` sees to.
    as_of, offer, kept = rows.as_of[r], rows.offer[r], scratch.kept
    span, f, window, keyed, low, high, column_folded = -1, -1, 0, 0, 0, 0, -1
    gaps_folded = cases_folded = promises_folded = False
    n_chosen, begin = 0, 0
    column_fold = (0, 0.0, np.nan, np.nan, np.nan)
    gap_fold = (np.nan, np.nan, np.nan)
    case_fold = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    promise_fold = (0.0, 0.0, 1.0)
    for s in range(steps.shape[0]):
        measure, of_span, column = steps[s, 0], steps[s, 1], steps[s, 2]
        parameter, other = steps[s, 3], steps[s, 4]
        if measure >= RATIO:
            made_of = program.parts[steps[s, 5] : steps[s, 5] + steps[s, 6]]
            prior, weight = priors[s, 0], priors[s, 1]
            values[s] = combining.combined(measure, parameter, made_of, prior, weight, values)
            continue
        if measure >= ATTRIBUTE:
            if measure == ATTRIBUTE:
                values[s] = choosing.latest_fact(facts, customer, column, as_of)
            elif measure == OFFER:
                values[s] = offers.values[offer, column] if offer >= 0 else np.nan
            else:
                values[s] = float(rows.calendar[column, r])
            continue
        if of_span != span:
            span = of_span
            window, keyed = spans[span, 1], spans[span, 2]
            if spans[span, 0] != f:
                f = spans[span, 0]
                high = choosing.first_place_at(occurred, places, f, n_places[f], as_of)
                low = high
            if window > 0:
                # Of one filter and key the windows come in order: a longer one begins no later.
                longest = low if keyed == 0 else high
                low = choosing.first_place_at(occurred, places, f, longest, as_of - window)
            begin = low if window > 0 else 0
            n_chosen = high - begin
            if keyed == 1 and offer >= 0:
                n_chosen = choosing.sharing_topic(
                    topics, places[f, begin:high], offers.topics[offer], kept
                )
            elif keyed == 2 and offer >= 0:
                n_chosen = choosing.about(
                    codes[OF_OFFER], places[f, begin:high], offers.code[offer], kept
                )
            column_folded = -1
            gaps_folded = cases_folded = promises_folded = False
        if keyed > 0 and offer < 0:
            values[s] = np.nan
            continue
        if measure == COUNT:
            values[s] = float(n_chosen)
            continue
        if measure == REACHED:
            values[s] = 1.0 if n_chosen >= parameter else 0.0
            continue
        if SUM <= measure <= LAST:
            if column != column_folded:
                chosen = kept[:n_chosen] if keyed > 0 else places[f, begin:high]
                column_fold = folds.of_column(numbers, column, chosen)
                column_folded = column
            count, total, least, greatest, last = column_fold
            if measure == SUM:
                values[s] = total
            elif measure == MEAN:
                values[s] = total / float(count) if count > 0 else np.nan
            elif measure == LAST:
                values[s] = last
            else:
                values[s] = least if measure == MINIMUM else greatest
            continue
        chosen = kept[:n_chosen] if keyed > 0 else places[f, begin:high]
        if measure <= EROSION and measure >= DECAYED_COUNT:
            amounts = numbers[column] if column >= 0 else values[:0]
            values[s] = folds.decayed(measure, occurred, amounts, chosen, as_of, parameter)
        elif measure == TREND:
            before = choosing.first_place_at(occurred, places, f, low, as_of - 2 * window)
            values[s] = folds.contrast(float(high - low), float(low - before))
        elif measure == TREND_LONG_RUN:
            values[s] = folds.long_run(occurred, places[f, :high], high - low, as_of, window)
        elif measure in (COUNT_SINCE, COUNT_AFTER):
            n_others = choosing.first_place_at(occurred, places, other, n_places[other], as_of)
            others = places[other, :n_others]
            if measure == COUNT_SINCE:
                values[s] = choosing.since(chosen, others)
            else:
                values[s] = choosing.after(occurred, chosen, others, parameter)
        elif measure <= GAP_RATIO:
            values[s] = folds.rhythm(measure, occurred, chosen, as_of)
        elif measure <= GAP_PERCENTILE:
            if not gaps_folded:
                gap_fold = folds.of_gaps(occurred, chosen, as_of)
                gaps_folded = True
            values[s] = gap_fold[measure - GAP_STD]
        elif measure <= REPEATED:
            now = rows.calendar[column - WEEKDAY, r] if measure == FIT else -1
            values[s] = folds.of_codes(
                measure,
                codes[column],
                occurred,
                chosen,
                now,
                parameter,
                scratch.tally,
                scratch.latest,
            )
        elif measure <= LAST_OF_CASES:
            if not cases_folded:
                case_fold = journeys.of_cases(
                    occurred, cases, channels, said, chosen, as_of, scratch.state, kept
                )
                cases_folded = True
            values[s] = case_fold[measure - CASES]
        else:
            if not promises_folded or parameter > 0:
                promise_fold = journeys.of_promises(
                    occurred,
                    histories.due,
                    cases,
                    said,
                    chosen,
                    as_of,
                    parameter,
                    scratch.next_resolved,
                    kept,
                )
                promises_folded = True
            values[s] = promise_fold[measure - KEPT]
