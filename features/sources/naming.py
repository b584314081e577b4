"""Naming: what the further numbers of an unknown table are called in the settings."""

import re
import unicodedata
from collections.abc import Collection

from features.interactions import is_further
from features.sources.profile import words_of

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def number_name(column: str, taken: Collection[str]) -> str:
    """Return a name that the settings take for a column of further numbers.

    Args:
        column: what the table calls it.
        taken: the names of other further numbers.

    >>> number_name("Foo Bar", ["foo_bar"]), number_name("Größe", []), number_name("rating", [])
    ('foo_bar_2', 'groesse', 'rating_number')
    >>> number_name("7 days", []), number_name("%", [])
    ('n_7_days', 'number')
    """
    spelled = "_".join(words_of(column)).translate(UMLAUTS)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9_]", "", plain).strip("_") or "number"
    if name[0].isdigit():
        name = f"n_{name}"
    if not is_further(name):
        name = f"{name}_number"
    again = 2
    found = name
    while found in taken:
        found, again = f"{name}_{again}", again + 1
    return found
