"""Identities: a source system's key belongs to a customer from when that is known on."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import batch, clock, identities, online, reading
from features.errors import SettingsError, SourceError
from features.history import History, attributes_table, interactions_table
from features.interactions import Attribute, Interaction
from features.offers import Value
from features.plan import compile_plan
from features.settings import read_settings
from features.signals import attribute
from features.sources.reader import read_history
from features.sources.summary import lines
from tests import oracle, sources
from tests.strategies import AS_OF, DAY, ROLES, SIGNALS, attributes, histories, instants

PLAN = compile_plan(SIGNALS, ROLES)
NAMES = ("c", "d", "k", "l")
Row = tuple[str, str, int]


def table(rows: Sequence[Row]) -> pa.Table:
    """Identities as a table."""
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    return pa.table(
        [
            pa.array(list(c), f.type)
            for c, f in zip(columns, identities.IDENTITIES_SCHEMA, strict=True)
        ],
        schema=identities.IDENTITIES_SCHEMA,
    )


def kept(rows: Sequence[Row], known_until: int = identities.EVERMORE) -> set[Row]:
    found = identities.resolve(table(rows), known_until).identities.to_pylist()
    return {(row["key"], row["customer_id"], row["known_at"]) for row in found}


def since(rows: set[Row], key: str, customer: str) -> int | None:
    """When it is known that a key is a customer's, by walking; ``None`` when it is not."""
    at = clock.EVER
    while key != customer:
        step = [(to, known) for k, to, known in rows if k == key]
        if not step:
            return None
        key, at = step[0][0], max(at, step[0][1])
    return at


def owner(rows: set[Row], key: str, instant: int) -> str:
    """Whose a key is known to be just before an instant, by walking."""
    for k, to, known in rows:
        if k == key and known < instant:
            return owner(rows, to, instant)
    return key


rows_of_table = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), instants | st.just(clock.EVER)),
    max_size=5,
)


@settings(deadline=None)
@given(rows_of_table, instants)
def test_what_is_known_later_changes_nothing_before(rows: list[Row], until: int) -> None:
    everything = kept(rows)
    early = kept(rows, until)
    assert early == {row for row in everything if row[2] < until}
    assert len({key for key, *_ in everything}) == len(everything)
    at = np.full(len(NAMES), until, dtype=np.int64)
    names = pa.array(NAMES)
    whose = identities.owners(table(sorted(everything)), names, at).to_pylist()
    assert whose == [owner(everything, name, until) for name in NAMES]
    assert whose == identities.owners(table(sorted(early)), names).to_pylist()
    own = identities.standing(table(sorted(everything)), names, at).tolist()
    assert own == [name == to for name, to in zip(NAMES, whose, strict=True)]


def known_to_be(
    items: Sequence[Interaction], facts: Sequence[Attribute], rows: set[Row], customer: str
) -> tuple[list[Interaction], list[Attribute]]:
    """What belongs to a customer, each from when it is known to, by the plainest loop."""
    own_items, own_facts = [], []
    for item in items:
        at = since(rows, item.customer_id, customer)
        if at is not None:
            own_items.append(replace(item, recorded_at=max(item.recorded_at, at)))
    for fact in facts:
        at = since(rows, fact.customer_id, customer)
        if at is not None:
            own_facts.append(replace(fact, since=at))
    return own_items, own_facts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(*(histories(name, max_size=6) for name in NAMES)),
    st.tuples(*(attributes(name) for name in NAMES)),
    rows_of_table,
    st.lists(instants, min_size=1, max_size=2, unique=True),
    st.sampled_from([1, 4, reading.HELD]),
)
def test_every_engine_counts_what_is_known_to_be_theirs(
    items: tuple[list[Interaction], ...],
    facts: tuple[list[Attribute], ...],
    rows: list[Row],
    at: list[int],
    held: int,
) -> None:
    resolved = kept(rows)
    all_items, all_facts = list(chain(*items)), list(chain(*facts))
    history = History(
        interactions_table(all_items, ["points", "stars"]),
        attributes_table(all_facts),
        {},
        known_until=0,
        identities=table(sorted(resolved)),
    )
    asked = [(name, instant) for name in NAMES for instant in at]
    spine = batch.Spine(pa.array([n for n, _ in asked]), np.array([t for _, t in asked]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "HELD", held)
        values = batch.compute(PLAN, history, spine)
    for place, (name, instant) in enumerate(asked):
        own_items, own_facts = known_to_be(all_items, all_facts, resolved, name)
        right = oracle.values(SIGNALS, ROLES, own_items, instant, own_facts)
        alone = online.evaluate(PLAN, own_items, instant, own_facts).row(0)
        assert list(map(repr, values.row(place))) == list(map(repr, right))
        assert list(map(repr, alone)) == list(map(repr, right))


CITY = compile_plan(attribute("city", why="w"), {})
few_instants = st.integers(AS_OF - 3, AS_OF)


def city(facts: Sequence[Attribute], rows: set[Row], name: str, instant: int) -> Value:
    """A customer's city by batch and online, which must agree with the oracle."""
    history = History(
        interactions_table([]),
        attributes_table(facts),
        {},
        known_until=0,
        identities=table(sorted(rows)),
    )
    _, own = known_to_be([], facts, rows, name)
    spine = batch.Spine(pa.array([name]), np.array([instant]))
    (right,) = oracle.values(CITY.signals, {}, [], instant, own)
    assert batch.compute(CITY, history, spine).row(0) == [right]
    assert online.evaluate(CITY, [], instant, own).row(0) == [right]
    return right


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Attribute,
            st.sampled_from(NAMES),
            few_instants | st.just(clock.EVER),
            st.just("city"),
            st.sampled_from(["Ayr", "Bath", "York"]),
        ),
        max_size=6,
    ),
    st.lists(
        st.tuples(
            st.sampled_from(NAMES), st.sampled_from(NAMES), few_instants | st.just(clock.EVER)
        ),
        max_size=4,
    ),
    few_instants,
)
def test_of_facts_under_all_keys_the_latest_that_counts_is_read(
    facts: list[Attribute], rows: list[Row], instant: int
) -> None:
    for name in NAMES:
        city(facts, kept(rows), name, instant)


@pytest.mark.parametrize(
    ("what", "instant", "expected"),
    [
        ("before the key is known, what the customer said", 7, "York"),
        ("just known: not yet", 8, "York"),
        ("of what the key said before it was known, the newer, whatever its text", 9, "Bath"),
        ("what the customer said in between is newer still", 12, "Ayr"),
    ],
)
def test_a_fact_stays_as_old_as_it_is_when_its_key_becomes_known(
    what: str, instant: int, expected: str
) -> None:
    facts = [
        Attribute("c", 1, "city", "York"),
        Attribute("k", 2, "city", "Zeal"),
        Attribute("k", 5, "city", "Bath"),
        Attribute("c", 10, "city", "Ayr"),
    ]
    assert city(facts, {("k", "c", 8)}, "c", instant) == expected, what


def test_a_key_known_late_does_not_make_its_old_facts_the_latest() -> None:
    facts = [Attribute("k", 1, "city", "Zeal"), Attribute("c", 5, "city", "Ayr")]
    assert city(facts, {("k", "c", 20)}, "c", 30) == "Ayr"


@pytest.mark.parametrize(
    ("rows", "expected", "told"),
    [
        ([("k", "c", 5), ("k", "d", 3)], {("k", "d", 3)}, (0, 1, 0)),
        ([("k", "d", 5), ("k", "c", 5)], {("k", "c", 5)}, (0, 1, 0)),
        ([("k", "c", 5), ("k", "c", 3)], {("k", "c", 3)}, (0, 0, 0)),
        ([("k", "k", 1), ("k", "c", 5)], {("k", "c", 5)}, (0, 0, 0)),
        ([("k", "l", 1), ("l", "k", 5)], {("k", "l", 1)}, (0, 0, 1)),
        ([("k", "l", 1), ("l", "c", 2), ("c", "k", 3)], {("k", "l", 1), ("l", "c", 2)}, (0, 0, 1)),
        ([("k", "c", 9), ("k", "d", 10)], {("k", "c", 9)}, (1, 0, 0)),
    ],
)
def test_identities_that_disagree(
    rows: list[Row], expected: set[Row], told: tuple[int, int, int]
) -> None:
    found = identities.resolve(table(rows), known_until=10)
    assert kept(rows, known_until=10) == expected
    assert (found.late, found.contested, found.circular) == told


SECTIONS = """
[[interactions]]
source = "visits.csv"
kind = "purchase"

[[attributes]]
source = "people.csv"

[identities]
source = "logins.csv"
columns = { key = "cookie", customer_id = "account", known_at = "at" }
"""
FILES = {
    "visits.csv": "customer_id,occurred_at\nk,2024-01-01\nk,2024-01-05\nc,2024-01-03\nx,2024-01-03",
    "people.csv": "customer_id,city\nk,Ayr\n",
    "logins.csv": "cookie,account,at\nk,c,2024-01-04T12:00\nz,c,2024-01-02\nk,x,2024-01-05\n",
}
UTC = 'timezone = "UTC"'


def test_a_deployment_with_identities(tmp_path: Path) -> None:
    history = sources.history(tmp_path, SECTIONS, FILES, UTC)
    days = [row["known_at"] / clock.DAY for row in history.identities.to_pylist()]
    assert days == [19724.0, 19726.5]
    count = compile_plan([s for s in SIGNALS if s.name in ("any_count", "attribute_city")], ROLES)
    spine = batch.Spine(
        pa.array(["c", "k", "c", "c"]),
        np.array([19726.5, 19726.5, 19726.5 + 1 / DAY, 19728]) * DAY,
    )
    spine = replace(spine, as_of=spine.as_of.astype(np.int64))
    rows = [batch.compute(count, history, spine).row(i) for i in range(4)]
    assert rows == [[1.0, None], [1.0, "Ayr"], [2.0, "Ayr"], [3.0, "Ayr"]]
    said = "\n".join(lines(tmp_path / "rapport.toml", history))
    assert "4 interactions of 2 customers" in said
    assert "2 keys of 1 customer, 1 of them without interactions; known from their dates" in said
    assert "left out 1 of the identities: they give a key to another customer" in said
    assert "1 customer; known since ever" in said, "whose attributes are k's is no stranger"
    assert len(history.notes) == 1


def test_a_history_read_again_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    (tmp_path / "later").mkdir()
    stopped = 'timezone = "UTC"\nclock = "2024-01-04T00:00:00"'
    later = FILES | {"logins.csv": FILES["logins.csv"] + "x,c,2024-01-03\nc,z,2024-02-01\n"}
    early = FILES | {"logins.csv": "cookie,account,at\nx,c,2024-01-03\nz,c,2024-01-02\n"}
    now = sources.history(tmp_path / "now", SECTIONS, early, stopped)
    again = sources.history(tmp_path / "later", SECTIONS, later, stopped)
    assert again.identities.equals(now.identities)
    assert again.interactions.equals(now.interactions)
    assert again.known_until == now.known_until


def test_without_a_clock_the_last_identity_is_known(tmp_path: Path) -> None:
    files = FILES | {"logins.csv": "cookie,account,at\nk,c,2024-03-01\n"}
    history = sources.history(tmp_path, SECTIONS, files, UTC)
    assert len(history.identities) == 1
    assert history.known_until == history.identities["known_at"][0].as_py() + 1


def test_identities_without_dates_are_known_since_ever(tmp_path: Path) -> None:
    sections = SECTIONS.replace(', known_at = "at"', "")
    files = FILES | {"logins.csv": "cookie,account\nk,c\n"}
    history = sources.history(tmp_path, sections, files, UTC)
    assert history.identities["known_at"].to_pylist() == [clock.EVER]
    said = "\n".join(lines(tmp_path / "rapport.toml", history))
    assert "1 key of 1 customer; known since ever: the table has no dates" in said


def test_wrong_rows_are_set_aside(tmp_path: Path) -> None:
    wrong = "k,,2024-01-01\n,c,2024-01-01\nk,c,\nk,c,soon\nk,c,2999-01-01\n"
    files = FILES | {"logins.csv": FILES["logins.csv"] + wrong}
    path = sources.write(tmp_path, SECTIONS + "[checks]\nrejected = 0.9\n", files, UTC)
    history = read_history(read_settings(path), tmp_path / "aside")
    assert history.report is not None
    assert history.report.identities is not None
    assert history.report.identities.table.rejected == 5
    aside = (tmp_path / "aside" / "identities" / "logins.csv").read_text()
    assert "soon" in aside
    assert "times that have come" in aside
    assert len(history.identities) == 2


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    files = FILES | {"logins.csv": "cookie,acount,at\nk,c,2024-01-01\n"}
    with pytest.raises(SourceError, match="no column 'account'"):
        sources.history(tmp_path, SECTIONS, files, UTC)
    with pytest.raises(SettingsError, match="'user' is no column of identities"):
        sources.history(tmp_path, SECTIONS.replace("key =", "user ="), FILES, UTC)


def test_a_key_that_is_nobodys_is_a_customer() -> None:
    none = identities.IDENTITIES_SCHEMA.empty_table()
    names = pa.array(["c", None])
    assert identities.owners(none, names).to_pylist() == ["c", None]
    some = table([("k", "c", AS_OF)])
    assert identities.owners(some, pa.array(["k", "x"])).to_pylist() == ["c", "x"]
