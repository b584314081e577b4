"""Sources: every fault of a table of interactions is told with what to do about it."""

from pathlib import Path

import pytest

from features.errors import SourceError
from tests.sources import VISITS, history, visits

HEADER = "customer_id,occurred_at"


def test_a_missing_file_is_told_with_the_place_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"visits\.csv") as error:
        history(tmp_path)
    assert str(tmp_path / "visits.csv") in error.value.remedy


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'\.xlsx'; wanted a file ending in \.parquet, \.csv"):
        history(tmp_path, VISITS.replace(".csv", ".xlsx"))


def test_a_file_that_is_not_parquet_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"visits\.parquet"):
        history(tmp_path, VISITS.replace(".csv", ".parquet"), {"visits.parquet": "not parquet"})


def test_a_line_with_too_many_fields_is_told(tmp_path: Path) -> None:
    lines = "".join(f"c{i},2017-01-01\n" for i in range(30_000))
    with pytest.raises(SourceError, match="wanted a readable table"):
        visits(tmp_path, f"{HEADER}\n{lines}c,2017-01-01,what,is,this\n")


def test_a_column_that_the_table_lacks_is_told_with_the_nearest(tmp_path: Path) -> None:
    mapped = 'columns = { amount = "totl" }\n'
    with pytest.raises(SourceError, match=r"column 'amount': got no column 'totl'.*'total'\?"):
        visits(tmp_path, f"{HEADER},total\nc,2017-01-01,3\n", mapped)


def test_a_column_that_is_needed_but_mapped_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'occurred_at'.*The table has: customer_id, when\."):
        visits(tmp_path, "customer_id,when\nc,2017-01-01\n")


@pytest.mark.parametrize("amount", ["inf", "-Infinity", "1e400", "12,50", "three"])
def test_an_amount_that_is_no_finite_number_is_refused(tmp_path: Path, amount: str) -> None:
    with pytest.raises(SourceError, match=r"'amount'.* \(in 1 row\); wanted a finite number"):
        visits(tmp_path, f'{HEADER},amount\nc,2017-01-01,"{amount}"\nd,2017-01-01,\n')


def test_resolved_is_true_or_false(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'perhaps' .*wanted true or false"):
        visits(tmp_path, f"{HEADER},resolved\nc,2017-01-01,perhaps\n")


@pytest.mark.parametrize(
    ("line", "column"), [(",2017-01-01", "customer_id"), ("c,", "occurred_at")]
)
def test_a_row_without_customer_or_time_is_refused(tmp_path: Path, line: str, column: str) -> None:
    with pytest.raises(SourceError, match=f"column '{column}': got nothing in 1 row;"):
        visits(tmp_path, f"{HEADER}\n{line}\nd,2017-01-01\n")


def test_unknown_kinds_are_told_with_their_counts_and_the_known_ones(tmp_path: Path) -> None:
    section = VISITS.replace('kind = "purchase"\n', "")
    table = f"{HEADER},kind\na,2017-01-01,visit\nb,2017-01-01,visit\nb,2017-01-01,complaint\n"
    with pytest.raises(SourceError, match=r"'visit' \(in 2 rows\)") as error:
        history(tmp_path, section, {"visits.csv": table})
    assert "complaint, offer_shown, purchase" in error.value.remedy
    assert "complaint" not in str(error.value.got)


@pytest.mark.parametrize("content", [f"{HEADER}\n", "", "\n"])
def test_a_table_without_rows_is_no_history(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceError):
        visits(tmp_path, content)
