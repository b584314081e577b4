"""The command line: counts when all is well, one line and exit code 2 when input is wrong."""

import subprocess
import sys
from pathlib import Path

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
