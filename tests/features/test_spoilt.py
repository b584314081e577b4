"""A file that is no table is told by what it is, with what to do about it."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

from features.errors import SourceError
from features.settings import read_settings
from features.sources.reader import read_history
from features.sources.spoilt import spoilt
from training.__main__ import commands

TEXT = "customer,date,amount\n" + "Zoé,2024-01-01,5.5\n" * 40
SETTINGS = """
[project]
name = "shop"
[[interactions]]
source = "sales.csv"
kind = "purchase"
columns = { customer_id = "customer", occurred_at = "date" }
[roles]
value = ["purchase"]
"""


@pytest.mark.parametrize(
    ("name", "held", "got", "remedy"),
    [
        ("sales.csv", TEXT.encode("latin-1"), "not in UTF-8, in line 2", "iconv -f latin1 -t"),
        ("sales.csv", TEXT.encode("utf-16"), "in UTF-16", "iconv -f utf-16 -t utf-8"),
        ("sales.csv", TEXT.encode("utf-16-le"), "in UTF-16", "save it as 'CSV UTF-8'"),
        ("sales.csv", bytes(range(256)) * 9, "a binary file", "to Parquet or CSV"),
        ("sales.csv", b"PK\x03\x04" + bytes(99), "a spreadsheet", "save it as 'CSV UTF-8'"),
        ("sales.csv.gz", gzip.compress(TEXT.encode("latin-1")), "in line 2", "iconv"),
        ("sales.csv.gz", TEXT.encode(), "not compressed", "without .gz"),
        ("sales.parquet", b"x" * 99, "no Parquet file", "Export it to Parquet"),
    ],
)
def test_init_says_what_a_file_is(
    tmp_path: Path, name: str, held: bytes, got: str, remedy: str
) -> None:
    (tmp_path / name).write_bytes(held)
    out = tmp_path / "rapport.toml"
    result = CliRunner().invoke(commands, ["init", str(tmp_path / name), "--out", str(out)])
    assert result.exit_code == 2
    assert got in result.output
    assert remedy in result.output
    assert not out.exists()


def test_reading_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "rapport.toml").write_text(SETTINGS)
    (tmp_path / "sales.csv").write_bytes(TEXT.encode("latin-1"))
    with pytest.raises(SourceError, match=r"not in UTF-8, in line 2; .* iconv -f latin1"):
        read_history(read_settings(tmp_path / "rapport.toml"))


def test_a_letter_over_the_edge_of_a_chunk_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_bytes(b"x" * ((1 << 20) - 1) + "é\n".encode())
    assert spoilt(str(file)) is None
    file.write_bytes(b"x\n" * (1 << 20) + "é\n".encode("latin-1"))
    told = spoilt(str(tmp_path / "*.csv"))
    assert told is not None
    assert told[0] == f"text that is not in UTF-8, in line {(1 << 20) + 1:,}"


def test_a_header_without_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("customer,date,amount\n")
    out = tmp_path / "rapport.toml"
    result = CliRunner().invoke(commands, ["init", str(tmp_path), "--out", str(out)])
    assert result.exit_code == 2
    assert "sales: left out, no row below its header" in result.output
