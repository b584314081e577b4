"""As known then: a data set rebuilt from tables that have grown since is the same to the byte."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from features.batch import compute
from features.clock import DAY
from features.history import History
from features.sections import Roles
from features.snapshots import snapshot_spine
from tests.sources import history
from training.dataset import Dataset, churn_dataset, churn_plan
from training.tasks import Churn

ROLES = Roles(value=("purchase",), negative=("complaint",))
TASK = Churn(horizon="14d", active="30d", gap="2d")
OPENED, CLOCK = datetime(2016, 1, 1), datetime(2016, 10, 1)
PROJECT = f'timezone = "America/New_York"\nclock = "{CLOCK.isoformat()}"'
SECTIONS = """
[[interactions]]
source = "contacts.csv"
numbers = { points = "points" }

[[attributes]]
source = "people.csv"
"""
CONTACTS = (
    "customer_id",
    "occurred_at",
    "recorded_at",
    "interaction_id",
    "kind",
    "channel",
    "case_id",
    "amount",
    "points",
    "resolved",
    "due_at",
)
PEOPLE = ("customer_id", "known_at", "city", "age")
Row = Sequence[object]


@dataclass(frozen=True)
class Tables:
    """The rows of both tables."""

    contacts: list[Row]
    people: list[Row]

    def read(self, folder: Path, seed: int | None = None) -> History:
        """Write the tables, shuffled when there is a seed, and read them."""
        folder.mkdir()
        for name, columns, rows in (
            ("contacts.csv", CONTACTS, self.contacts),
            ("people.csv", PEOPLE, self.people),
        ):
            shuffled = rows if seed is None else Random(seed).sample(rows, len(rows))
            with (folder / name).open("w", newline="") as file:
                csv.writer(file).writerows([columns, *shuffled])
        return history(folder, SECTIONS, project=PROJECT)


def contact(
    rng: Random, customer: str, at: datetime, recorded: datetime, number: str | None, kind: str
) -> Row:
    return (
        customer,
        at.isoformat(),
        recorded.isoformat(),
        number,
        kind,
        rng.choice(["web", "phone", None]),
        rng.choice([None, f"{customer}-1", f"{customer}-2"]),
        rng.choice([None, round(rng.lognormvariate(3, 1), 2)]),
        rng.choice([None, rng.randrange(100)]),
        rng.choice([None, "true", "false"]),
        rng.choice([None, (at + timedelta(days=rng.randrange(9))).isoformat()]),
    )


def first_tables() -> Tables:
    rng = Random(5)
    contacts: list[Row] = []
    people: list[Row] = []
    for n in range(30):
        customer, at = f"c{n:02d}", OPENED + timedelta(days=rng.uniform(0, 20))
        until = CLOCK if n % 2 else OPENED + timedelta(days=rng.uniform(40, 270))
        while at < until:
            kind = "purchase" if rng.random() < 0.8 else "complaint"
            late = timedelta(days=rng.choice([0, 0, 0, 1, 20]))
            number = f"{customer}-{len(contacts)}" if rng.random() < 0.5 else None
            contacts.append(contact(rng, customer, at, at + late, number, kind))
            at += timedelta(days=rng.expovariate(1 / 7))
        people.append((customer, (OPENED + timedelta(days=n)).isoformat(), "Ayr", 20 + n))
    return Tables(contacts, people)


def later_rows(contacts: Iterable[Row]) -> Tables:
    """All that comes in afterwards: much of it about long ago."""
    rng = Random(6)
    more: list[Row] = []
    for customer in ("a new one", *(f"c{n:02d}" for n in range(0, 30, 3)), "z"):
        for days in (-200, -30, -1, 0, 1, 10):
            at = CLOCK + timedelta(days=days)
            for kind in ("purchase", "complaint"):
                recorded = max(at, CLOCK) + timedelta(days=rng.choice([0, 3]))
                more.append(contact(rng, customer, at, recorded, None, kind))
    resent = [row for row in contacts if row[3] is not None and str(row[2]) < CLOCK.isoformat()]
    for row in resent[::4]:
        # the same id again, with other content
        at = datetime.fromisoformat(str(row[1])) - timedelta(days=1)
        more.append(contact(rng, str(row[0]), at, CLOCK, str(row[3]), "complaint"))
    since = CLOCK.isoformat()
    people: list[Row] = [(f"c{n:02d}", since, "Bath", "not a number any more") for n in range(30)]
    return Tables(more, people)


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> History:
    return first_tables().read(tmp_path_factory.mktemp("then") / "tables")


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> History:
    first = first_tables()
    more = later_rows(first.contacts)
    grown = Tables([*more.contacts, *first.contacts], [*more.people, *first.people])
    return grown.read(tmp_path_factory.mktemp("now") / "tables", seed=1)


def in_bytes(data: Dataset) -> dict[str, bytes]:
    vocabularies = data.values.vocabularies()
    return {
        "names": repr(data.values.plan.names).encode(),
        "categories": repr(vocabularies).encode(),
        "signals": data.values.encode(vocabularies).tobytes(),
        "label": data.label.tobytes(),
        "customer": data.customer.tobytes(),
        "as_of": data.as_of.tobytes(),
        "ends": data.ends.tobytes(),
        "left out": repr(data.left_out).encode(),
    }


def test_what_came_later_is_left_out_of_the_history(then: History, rebuilt: History) -> None:
    assert rebuilt.known_until == then.known_until
    order = [(name, "ascending") for name in then.interactions.column_names]
    assert rebuilt.interactions.sort_by(order).equals(then.interactions.sort_by(order))


def test_a_value_that_is_no_number_does_not_make_the_past_a_text(
    then: History, rebuilt: History
) -> None:
    assert then.attribute_numbers == {"city": False, "age": True}
    assert rebuilt.attribute_numbers == then.attribute_numbers


def test_signals_of_the_same_rows_are_the_same_bytes(then: History, rebuilt: History) -> None:
    instants = [then.known_until - days * DAY for days in (0, 1, 7, 30, 100)]
    spine = snapshot_spine(then, instants)
    first, again = (
        compute(churn_plan(known, ROLES, TASK), known, spine) for known in (then, rebuilt)
    )
    assert first.plan == again.plan
    assert len(first) == 150
    assert first.vocabularies() == again.vocabularies()
    found = first.vocabularies()
    assert first.encode(found).tobytes() == again.encode(found).tobytes()


def test_a_training_set_is_the_same_bytes(then: History, rebuilt: History) -> None:
    first, again = (churn_dataset(known, ROLES, TASK) for known in (then, rebuilt))
    assert len(first) > 100
    assert 0 < first.label.mean() < 1
    assert in_bytes(first) == in_bytes(again)


def test_later_rows_would_have_changed_it_had_they_been_known(
    then: History, tmp_path: Path
) -> None:
    first = first_tables()
    more = later_rows(first.contacts)
    in_time = [(*row[:2], min(str(row[1]), str(row[2])), *row[3:]) for row in more.contacts]
    known = Tables([*first.contacts, *in_time], first.people).read(tmp_path / "tables")
    one, other = (in_bytes(churn_dataset(each, ROLES, TASK)) for each in (then, known))
    assert {name for name in one if one[name] != other[name]} >= {"signals", "label", "customer"}
