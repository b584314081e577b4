"""Profiles: how times, numbers and names of an unknown table are read."""

from pathlib import Path

import duckdb
import pytest

from features.sources.profile import Column, profile_of
from features.sources.tables import open_file


def column(folder: Path, values: list[str]) -> Column:
    path = folder / "table.csv"
    quoted = "".join(f'{i},"{value}"\n' for i, value in enumerate(values))
    path.write_text(f"row,held\n{quoted}", encoding="utf-8")
    with duckdb.connect() as connection:
        open_file(connection, str(path), "table").create("given")
        return profile_of(connection, "table", "given").columns["held"]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("%d/%m/%y", "{day:02}/{month:02}/24"),
        ("%d/%m/%y %H:%M", "{day:02}/{month:02}/24 16:45"),
        ("%m/%d/%y %H:%M", "{month}/{day}/24 9:05"),
        ("%m/%d/%y", "{month:02}/{day:02}/24"),
        ("%d.%m.%y", "{day:02}.{month:02}.24"),
        ("%d.%m.%y %H:%M", "{day:02}.{month:02}.24 16:45"),
        ("%d-%m-%y", "{day}-{month}-24"),
        ("%d/%m/%Y", "{day:02}/{month:02}/2024"),
        ("%m/%d/%Y %H:%M", "{month}/{day}/2024 9:05"),
    ],
)
def test_a_year_has_as_many_digits_as_it_is_read_by(tmp_path: Path, form: str, value: str) -> None:
    held = column(tmp_path, [value.format(day=1 + i % 28, month=1 + i % 12) for i in range(60)])
    assert (held.is_time, held.form) == (True, form)


def test_numbers_with_points_between_thousands_have_a_comma(tmp_path: Path) -> None:
    held = column(tmp_path, ["1.234,50", "12,50", "999,00", "2.500,10"] * 5)
    assert (held.is_number, held.decimal, held.greatest) == (True, ",", 2500.1)


@pytest.mark.parametrize(
    ("values", "decimal"),
    [(["1.5", "2.25"], "."), (["1,5", "2,25"], ","), (["1", "-20"], None), (["1.000"], ".")],
)
def test_the_decimal_sign_of_whole_numbers_is_open(
    tmp_path: Path, values: list[str], decimal: str | None
) -> None:
    assert column(tmp_path, values * 5).decimal == decimal


@pytest.mark.parametrize("good", ["12.50", "2024-03-04", "04/13/2024"])
def test_the_share_that_cannot_be_read_is_known(tmp_path: Path, good: str) -> None:
    held = column(tmp_path, [good] * 983 + ["n/a"] * 17)
    assert held.is_time or held.is_number
    assert held.unread == pytest.approx(0.017)


def test_names_are_as_they_stand(tmp_path: Path) -> None:
    held = column(tmp_path, ["purchase  ", "return    "] * 5)
    assert held.values == ("purchase  ", "return    ")
