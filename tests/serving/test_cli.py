"""The command line of serving: what it does once, refuses, and says when there is nothing."""

import shutil
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from features.settings import Settings
from serving.__main__ import commands


@pytest.fixture
def own(shop: Settings, tmp_path: Path) -> Path:
    """The trained shop, with tables, settings and store of its own; the registry is shared."""
    for path in shop.path.parent.iterdir():
        if path.is_file() and path.suffix in (".csv", ".toml"):
            shutil.copy(path, tmp_path)
    (tmp_path / "mlflow.db").symlink_to(shop.path.parent / "mlflow.db")
    return tmp_path / "rapport.toml"


def run(command: str, settings: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [command, "--settings", str(settings), *more])
    return result.exit_code, result.output


def test_sources_are_imported_once_and_what_is_new_in_them_later(own: Path) -> None:
    assert "are new" in run("import", own)[1]
    assert run("import", own) == (0, "The store holds the sources' history already.\n")
    with (own.parent / "purchases.csv").open("a", newline="") as file:
        file.write("0000,2024-12-30T10:00:00,new,1.0,1\r\n")
    code, told = run("import", own)
    assert code == 0, told
    assert "1 interaction is new." in told
    assert run("import", own) == (0, "The store holds the sources' history already.\n")


def test_tables_that_lack_what_was_imported_are_refused(own: Path) -> None:
    run("import", own)
    table = own.parent / "items.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    code, told = run("import", own)
    assert code == 2
    assert "1 interactions of 'items'" in told
    assert "Name a new store" in told


def test_the_brief_of_nobody_says_why(own: Path) -> None:
    code, told = run("brief", own)
    assert code == 0
    assert "nobody is at risk" in told
    assert "clock" in told


def test_the_brief_names_who_why_and_what_to_offer(own: Path) -> None:
    run("import", own)
    code, told = run("brief", own, "--channel", "post")
    assert code == 0, told
    assert told.count("risk of leaving") == 10
    assert told.count("    customer ") == 3
    assert "% likely, " in told


def test_an_address_that_is_taken_is_a_clear_error(own: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, told = run("serve", own, "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "name another with --port" in told


def test_a_port_that_cannot_be_is_refused(own: Path) -> None:
    assert run("serve", own, "--port", "99999")[0] == 2
