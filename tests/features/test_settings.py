"""Settings: the demo's file reads, and every mistake is told with its remedy."""

from pathlib import Path

import pytest

from features import clock
from features.errors import SettingsError
from features.settings import Settings, read_settings
from training.tasks import Churn, OfferTask

DEMO = Path(__file__).parents[2] / "rapport.toml"
PROJECT = '[project]\nname = "test"\n'
SOURCE = '[[interactions]]\nsource = "a.csv"\nkind = "purchase"\n'
ROLES = '[roles]\nvalue = ["purchase"]\n'
VALID = PROJECT + SOURCE + ROLES


def read(folder: Path, content: str) -> Settings:
    path = folder / "shop.toml"
    path.write_text(content, encoding="utf-8")
    return read_settings(path)


def test_the_demos_settings_read() -> None:
    found = read_settings(DEMO)
    assert found.project.timezone == "America/New_York"
    assert clock.isoformat(found.project.now() or 0) == "2018-01-01T05:00:00Z"
    assert [source.kind for source in found.interactions] == [
        "purchase",
        "item",
        "offer_shown",
        "offer_accepted",
    ]
    assert found.numbers() == ("coupons", "discount", "items")
    assert found.offers is not None
    assert found.section("churn", Churn) == Churn()
    assert found.section("offer", OfferTask) == OfferTask()


def test_the_smallest_settings_have_defaults_for_the_rest(tmp_path: Path) -> None:
    found = read(tmp_path, VALID)
    assert (found.project.timezone, found.project.now()) == ("UTC", None)
    assert (found.attributes, found.offers) == ((), None)
    assert found.section("churn", Churn).active_days == 60
    assert found.roles.all_kinds() == {"purchase"}


def test_paths_start_at_the_folder_of_the_settings(tmp_path: Path) -> None:
    found = read(tmp_path, VALID)
    assert found.file("data/a.csv") == str(tmp_path / "data" / "a.csv")
    assert found.file("/srv/a.csv") == "/srv/a.csv"


def told(error: pytest.ExceptionInfo[SettingsError], *parts: str) -> bool:
    """Whether subject, value got, what is wanted and the remedy are in the text."""
    message = str(error.value)
    every = (error.value.subject, str(error.value.got), error.value.wanted, error.value.remedy)
    assert all(part and part in message for part in every)
    missing = [part for part in parts if part not in message]
    assert not missing, message
    return True


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("[project\n", ("shop.toml", "not TOML", "line 1")),
        (VALID + "[sreving]\n", ("[sreving]", "Did you mean 'serving'?")),
        (PROJECT + SOURCE, ("no section [roles]", "Add [roles]")),
        (PROJECT + ROLES, ("no section [interactions]",)),
        (SOURCE + ROLES, ("no section [project]",)),
        ('[project]\nnme = "x"\n' + SOURCE + ROLES, ("[project] name", "Add `name = …`")),
        (VALID.replace("name =", 'name = "x"\ncurency ='), ("currency", "Did you mean")),
        (VALID.replace("kind", "knid"), ("[[interactions]] number 1 knid", "'kind'?")),
        (PROJECT + SOURCE.replace("[[", "[").replace("]]", "]") + ROLES, ("[[interactions]]",)),
        (PROJECT.replace('"test"', "3") + SOURCE + ROLES, ("[project] name", "got 3")),
        ("project = 3\n" + SOURCE + ROLES, ("[project]", "dictionary")),
        (PROJECT + 'timezone = "Mars"\n' + SOURCE + ROLES, ("timezone", "'Mars'", "IANA")),
        (PROJECT + 'clock = "noon"\n' + SOURCE + ROLES, ("[project] clock", "'noon'")),
        (VALID.replace('["purchase"]', "[]"), ("[roles] value", "at least one kind")),
        (VALID + 'vlaue = ["x"]\n', ("[roles] vlaue", "Did you mean 'value'?")),
        (VALID + "[offers]\n", ("[offers] source", "Add `source = …`")),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, content: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, content)
    assert told(error, *parts)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ('columns = { amuont = "x" }', ("'amuont', which is none", "Did you mean 'amount'?")),
        ('columns = { source = "x" }', ("'source', which is none",)),
        ('columns = { kind = "x" }', ("'kind' is both a constant and a column",)),
        ('numbers = { amount = "x" }', ("`numbers` that declare 'amount'",)),
        ('numbers = { "No Items" = "x" }', ("`numbers` that declare 'No Items'",)),
        ("columns = 3", ("columns", "got 3")),
        ('[[attributes]]\nsource = "b.csv"\ncolumns = { city = "x" }', ("'city' cannot be",)),
        ('[offers]\nsource = "b.csv"\ncolumns = { topic = "x" }', ("'topics'?",)),
    ],
)
def test_a_wrong_source_is_told(tmp_path: Path, line: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, f"{PROJECT}{SOURCE}{line}\n{ROLES}")
    assert told(error, "shop.toml", *parts)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ('horizon = "-3d"', ("[churn] horizon", "'-3d'", "whole number of days")),
        ('horizon = "4w"', ("[churn] horizon", "'4w'", "'28d'")),
        ('horizon = "0d"', ("[churn] horizon", "at least '1d'")),
        ('active = "0d"', ("[churn] active", "at least '1d'")),
        ("gap = 7", ("[churn] gap", "got 7")),
        ('definition = "gone"', ("[churn] definition", "'lapse' or 'exit'")),
        ('horizn = "28d"', ("[churn] horizn", "Did you mean 'horizon'?")),
    ],
)
def test_a_wrong_section_of_another_layer_is_told(
    tmp_path: Path, line: str, parts: tuple[str, ...]
) -> None:
    settings = read(tmp_path, f"{VALID}[churn]\n{line}\n")
    with pytest.raises(SettingsError) as error:
        settings.section("churn", Churn)
    assert told(error, "shop.toml", *parts)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(tmp_path / "missing.toml")
    assert told(error, "missing.toml", "No such file", "--settings")


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(tmp_path)
    assert told(error, str(tmp_path), "--settings")


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(VALID.replace("test", "é").encode("latin-1"))
    with pytest.raises(SettingsError) as error:
        read_settings(path)
    assert told(error, "not TOML")


def test_a_tenth_of_each_table_may_be_wrong_when_the_settings_say_so(tmp_path: Path) -> None:
    assert read(tmp_path, VALID).checks.rejected == 0.01
    assert read(tmp_path, VALID + "[checks]\nrejected = 0.1\n").checks.rejected == 0.1
    assert read(tmp_path, VALID + "[checks]\nrejected = 1\n").checks.rejected == 1.0


@pytest.mark.parametrize("share", ["-0.1", "1.5", "nan", "true", '"1 %"'])
def test_a_share_lies_between_none_and_all(tmp_path: Path, share: str) -> None:
    with pytest.raises(SettingsError, match=r"\[checks\] rejected"):
        read(tmp_path, VALID + f"[checks]\nrejected = {share}\n")
