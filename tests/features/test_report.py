"""The report of a reading: what was left out, assumed, missing or does not fit together."""

from pathlib import Path

from features import clock
from features.settings import read_settings
from features.sources import report
from features.sources.reader import read_history
from features.sources.summary import lines
from tests.sources import ROLES, VISITS, history, visits, write

OFFERED = """
[[interactions]]
source = "offered.csv"
[[attributes]]
source = "facts.csv"
[offers]
source = "offers.csv"
"""


def interactions(folder: Path, content: str, further: str = "") -> report.Interactions:
    found = visits(folder, content, further).report
    assert found
    return found.interactions[0]


def test_columns_are_measured_that_are_mapped(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,n,amount,topic,x\n"
    table += "a,2017-01-01,3,-1.5,tea,1\nb,2017-01-02,,2,,\n"
    found = interactions(tmp_path, table, 'numbers = { items = "n" }\n')
    assert {column.name: column for column in found.table.columns} == {
        "topic": report.Column("topic", 1),
        "amount": report.Column("amount", 0, -1.5, 2.0),
        "items": report.Column("items", 1, 3.0, 3.0),
    }


def test_a_missing_recorded_at_is_counted_and_one_before_its_time_too(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,recorded_at\na,2017-01-02,2017-01-01\nb,2017-01-02,\n"
    found = interactions(tmp_path, table)
    assert (found.assumed, found.early) == (1, 1)
    assert interactions(tmp_path, "customer_id,occurred_at\na,2017-01-02\n").assumed == 1


def test_repeats_are_told_from_conflicts_and_from_what_came_after_the_clock(
    tmp_path: Path,
) -> None:
    table = (
        "customer_id,occurred_at,interaction_id\n"
        "a,2017-01-01,1\na,2017-01-01,1\na,2017-01-02,2\nb,2017-01-02,2\nb,2017-03-01,3\n"
    )
    found = history(
        tmp_path,
        VISITS + VISITS.replace("visits", "calls"),
        {"visits.csv": table, "calls.csv": "customer_id,occurred_at\na,2017-01-01\n"},
        'clock = "2017-02-01T00:00:00"',
    )
    assert found.report
    first, second = found.report.interactions
    assert (first.late, first.repeats, first.conflicts, first.conflict) == (1, 2, 1, "2")
    assert (second.late, second.repeats, second.conflicts, second.conflict) == (0, 0, 0, None)
    day = clock.DAY
    begins = 17_167 * day
    assert first.kinds == (report.Kind("purchase", 2, 1, begins, begins + day),)
    assert found.notes == (
        "left out 1 interaction from after 2017-02-01T00:00:00Z",
        "left out 2 interactions whose id came before in their source",
        "1 id, such as '2', came again with other content: is the id that of one interaction? "
        "Only the first recorded of each is kept",
    )


def test_what_does_not_fit_together_is_told(tmp_path: Path) -> None:
    """Customer a was shown o and took it; b took it before it was shown, c was never shown it."""
    files = {
        "visits.csv": "customer_id,occurred_at\na,2017-01-01\n",
        "offered.csv": (
            "customer_id,occurred_at,kind,offer_id\n"
            "a,2017-01-01,offer_shown,o\na,2017-01-02,offer_accepted,o\n"
            "b,2017-01-01,offer_accepted,o\nb,2017-01-02,offer_shown,o\n"
            "c,2017-01-01,offer_accepted,o\na,2017-01-03,offer_accepted,\n"
            "a,2017-01-03,offer_shown,p\nb,2017-01-03,offer_shown,p\nb,2017-01-03,offer_shown,q\n"
        ),
        "facts.csv": "customer_id,town,age\na,Bath,41\nx,,50\nc,Ayr,\nd,,\n",
        "offers.csv": "offer_id\no\n",
    }
    path = write(tmp_path, VISITS + OFFERED, files)
    accepted = ROLES + 'offer_accepted = ["offer_accepted"]\n'
    path.write_text(path.read_text().replace(ROLES, accepted))
    found = read_history(read_settings(path))
    assert found.report
    assert found.report.offers == report.Offers(1, 4, 3, (("p", 2), ("q", 1)))
    (attributes,) = found.report.attributes
    assert (attributes.dated, attributes.customers, attributes.strangers) == (False, 3, 1)
    assert attributes.table.columns == (report.Column("town", 2), report.Column("age", 2))
    told = "\n".join(lines(path, found))
    assert "  3 customers, 1 of them without interactions; known since ever" in told
    assert "  town  a category  50 % missing" in told
    assert "  3 of 4 acceptances are of an offer that had not been shown" in told
    assert "  2 offers that 3 interactions name are not in the table: 'p', 'q'" in told


def test_what_is_fine_is_not_told(tmp_path: Path) -> None:
    table = "customer_id,occurred_at,recorded_at,topic\na,2017-01-01,2017-01-02,tea\n"
    found = visits(tmp_path, table)
    assert list(lines(Path("shop.toml"), found)) == [
        "shop.toml: 1 interaction of 1 customer, known until 2017-01-02T05:00:00.000001Z",
        "",
        "visits: 1 row",
        "  purchase  1  of 1 customer  2017-01-01T05:00:00Z to 2017-01-01T05:00:00Z",
    ]
