"""The command line: counts when all is well, one line and exit code 2 when input is wrong."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from features.__main__ import commands
from tests.sources import VISITS, write

ROOT = Path(__file__).parents[2]


def test_wrong_settings_end_in_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "features", "check", "--settings", str(tmp_path / "missing.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: settings file: got ")
    assert "missing.toml" in line


def test_a_wrong_source_ends_in_one_line_too(tmp_path: Path) -> None:
    path = write(tmp_path, files={"visits.csv": "customer_id,occurred_at\nc,yesterday\n"})
    done = CliRunner().invoke(commands, ["check", "--settings", str(path)])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: source 'visits.csv', column 'occurred_at': got 'yesterday'")


def test_check_tells_what_the_sources_hold(tmp_path: Path) -> None:
    sections = (
        VISITS + '[[attributes]]\nsource = "facts.csv"\n' + '[offers]\nsource = "offers.csv"\n'
    )
    files = {
        "visits.csv": "customer_id,occurred_at\na,2017-01-01\na,2017-01-02\nb,2017-01-02\n",
        "facts.csv": "customer_id,city,age\na,Bath,41\n",
        "offers.csv": "offer_id\no\n",
    }
    path = write(tmp_path, sections, files)
    done = CliRunner().invoke(commands, ["check"], env={"RAPPORT_SETTINGS": str(path)})
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{path}: 3 interactions of 2 customers, known until 2017-01-02T05:00:00.000001Z",
        "",
        "visits: 3 rows",
        "  purchase  3  of 2 customers  2017-01-01T05:00:00Z to 2017-01-02T05:00:00Z",
        "",
        "facts: 1 row",
        "  1 customer; known since ever: the table has no dates",
        "  age   a number",
        "  city  a category",
        "",
        "offers: 1",
        "",
        "recorded_at is not mapped and taken to be occurred_at: visits",
    ]


def test_an_unknown_command_is_told() -> None:
    done = CliRunner().invoke(commands, ["chekc"])
    assert done.exit_code == 2
    assert "chekc" in done.stderr


def test_check_tells_which_rows_were_left_out_as_repeats(tmp_path: Path) -> None:
    table = (
        "customer_id,occurred_at,interaction_id\n"
        "c1,2017-01-01,7\nc2,2017-02-01,7\nc1,2017-03-01,8\nc1,2017-03-01,8\n"
    )
    path = write(tmp_path, files={"visits.csv": table})
    done = CliRunner().invoke(commands, ["check", "--settings", str(path)])
    assert done.exit_code == 0, done.output
    assert "  2 rows left out whose interaction_id came before" in done.output
    assert "  1 id, such as '7', came again with other content" in done.output


def test_a_time_that_has_not_come_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, files={"visits.csv": "customer_id,occurred_at\nc,2904-01-01\n"})
    done = CliRunner().invoke(commands, ["check", "--settings", str(path)])
    assert done.exit_code == 2
    assert "got '2904-01-01' (in 1 row)" in done.stderr
    assert "wanted times that have come" in done.stderr


def test_catalog_lists_what_the_data_get_tab_separated_when_piped(tmp_path: Path) -> None:
    path = write(tmp_path, files={"visits.csv": "customer_id,occurred_at\na,2017-01-01\n"})
    done = CliRunner().invoke(commands, ["catalog", "--settings", str(path)])
    assert done.exit_code == 0, done.output
    heading, *lines = done.stdout.splitlines()
    assert heading == "group\tname\tmeaning\tunit\twhy"
    found = {name: meaning for _, name, meaning, _, _ in (line.split("\t") for line in lines)}
    assert found["value_count_28d"] == "number of purchases in the 28 days before the instant"
    assert not [name for name in found if "amount" in name or "offer" in name]
    assert f"{len(found) - 3} signals of a customer, 3 more of" in done.stderr


def signals(tmp_path: Path, *options: str) -> tuple[int, str, Path]:
    table = "customer_id,occurred_at\na,2017-01-01T12:00:00\na,2017-01-03\nb,2017-01-02\n"
    path = write(tmp_path, files={"visits.csv": table})
    rows = tmp_path / "rows.csv"
    rows.write_text("customer_id,as_of\nb,2017-01-02T00:00:00\na,2017-01-02\n", encoding="utf-8")
    out = tmp_path / "signals.parquet"
    command = ["signals", "--settings", str(path), "--out", str(out), *options]
    done = CliRunner().invoke(commands, command)
    return done.exit_code, done.output, out


def test_signals_of_every_customer_at_instants(tmp_path: Path) -> None:
    code, told, out = signals(tmp_path, "--at", "2017-01-02", "--at", "2017-02-01T00:00:00")
    assert code == 0
    assert "signals.parquet: 4 rows, " in told
    found = pq.read_table(out).sort_by([("as_of", "ascending"), ("customer_id", "ascending")])
    assert found["value_count_28d"].to_pylist() == [1.0, 0.0, 0.0, 0.0]
    assert found["value_days_since_first"].to_pylist()[0] == 0.5


def test_signals_of_a_table_of_rows(tmp_path: Path) -> None:
    code, told, out = signals(tmp_path, "--rows", str(tmp_path / "rows.csv"))
    assert (code, "2 rows" in told) == (0, True)
    assert pq.read_table(out)["customer_id"].to_pylist() == ["a", "b"]


def test_signals_need_instants_or_rows(tmp_path: Path) -> None:
    assert signals(tmp_path)[0] == 2
    code, told, out = signals(tmp_path, "--at", "noon")
    assert (code, "'noon' is no time such as" in told, out.exists()) == (2, True, False)
    (tmp_path / "odd.csv").write_text("customer_id\na\n", encoding="utf-8")
    code, told, _ = signals(tmp_path, "--rows", str(tmp_path / "odd.csv"))
    assert (code, "no column 'as_of'" in told) == (2, True)
