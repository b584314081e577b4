"""Groups of meaning: under which heading a signal's effect is told."""

from features.declaration import Signal
from features.measures import MEASURES, OF_CASES

_BY_MEASURE = {
    "attribute": "profile",
    "offer_attribute": "offer",
    "calendar": "moment",
    "favourite": "habits",
    "fit": "habits",
    "favourite_share": "habits",
    "known": "knowledge",
    "saturation": "knowledge",
    "trust": "trust",
    "exchange": "exchange",
    "stage": "stage",
    "count_after": "treatment",
    "repeated": "journey",
    "promises_kept": "promises",
    "promises_broken": "promises",
    "promise_erosion": "promises",
    "erosion": "treatment",
    "count_since": "offers",
}
_BY_ROLE = {"detail": "breadth", "negative": "treatment", "contact": "contact"}


def group_of(signal: Signal) -> str:
    """Return the group of meaning of a signal.

    >>> group_of(Signal("count", "one bad experience loses some", "negative", window=90))
    'treatment'
    """
    if signal.same:
        return "affinity" if signal.same == "topic" else "offers"
    if signal.measure in _BY_MEASURE:
        return _BY_MEASURE[signal.measure]
    if signal.measure == "ratio":
        return group_of(signal.parts[0])
    if signal.measure in OF_CASES or signal.column == "case_id":
        return "journey"
    of = signal.column or (signal.where[0] if signal.where else "")
    if of in ("wait_minutes", "rating", "resolved"):
        return {"wait_minutes": "waiting", "rating": "ratings"}.get(of, "journey")
    if signal.measure == "days_since_first":
        return "tenure"
    if signal.measure == "distinct" and signal.column != "day":
        return "breadth"
    if signal.role == "value":
        return _of_value(signal)
    if "offer" in (signal.role or ""):
        return "offers"
    return _BY_ROLE.get(signal.role or "", "activity")


def _of_value(signal: Signal) -> str:
    if signal.column and MEASURES[signal.measure].column and signal.column != "day":
        return "spend" if signal.column == "amount" else "basket"
    if signal.measure.startswith("trend"):
        return "trend"
    counts = ("count", "decayed_count", "distinct", "reached")
    return "frequency" if signal.measure in counts else "silence"
