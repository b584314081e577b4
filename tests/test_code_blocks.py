"""Code in the documentation: what is written down is valid, and what can be run is run."""

import doctest
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from docs.settings import SECTIONS
from features.__main__ import commands as features
from features.settings import Settings
from serving.__main__ import commands as serving
from tests.readme import ROOT
from training.__main__ import commands as training

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
OURS = {"features": features, "training": training, "serving": serving}
# Not run here, and where they are: what serves for ever, needs a machine of its own, or is long.
ELSEWHERE = {
    "python -m serving serve": "tests/test_service.py",
    "python -m training init": "tests/training/test_starting.py",
    "python -m training main": "tests/conftest.py trains the shop by it",
    "python -m training score --engine spark": "tests/training/test_cluster.py",
    "make": "`.ci/run`; tests/test_readme.py holds the targets to the Makefile",
    "curl": "tests/test_demo.py",
    "mlflow run": "tests/test_mlproject.py",
    "mlflow models serve": "tests/training/test_mlflow_server.py",
    "mlflow server": "tests/training/test_mlflow_server.py",
    "mlflow ui": "a window for people",
    "bentoml": "tests/test_operations.py, but for containers",
    "podman": "nobody here: it needs a builder of containers",
}
SHELL = ("cd", "export", "source")
EXITS = {  # what says no, as the pages say that it does
    "python -m serving retain --older-than 3y": 2,  # it tells what it would delete
    "python -m training promote": 1,  # the shop's models have learned from all that there is
}
ARGUMENTS = {  # what is of the demo or of nobody's machine, as the shop has it
    "1002": "0001",
    "1003": "0002",
    "/backups/rapport-2026-11-22.db": "backup.db",
    "2018-01-01": "2024-12-01",
    "challenger": "champion",  # the shop has none of offers
    "s3://shop/scores.parquet": "scores.parquet",
}


def blocks(*languages: str) -> list[tuple[str, str]]:
    """Return the pages' code blocks of some languages, each with the name of its page."""
    return [
        (path.name, text)
        for path in PAGES
        for language, text in BLOCK.findall(path.read_text(encoding="utf-8"))
        if language in languages
    ]


def lines() -> list[tuple[str, str]]:
    """Return every command, without its comment, with the name of its page."""
    found = []
    for page, text in blocks("bash", "console"):
        whole = text.replace("\\\n", " ")
        if whole.startswith("curl"):  # its body goes over several lines
            found.append((page, "curl"))
            continue
        for line in whole.splitlines():
            words = shlex.split(line, comments=True)
            for part in shlex.join(words).replace("'&&'", "&&").split(" && "):
                found += [(page, part)] if part else []
    return found


def program(command: str) -> list[str]:
    """Return the words of a command from its program on."""
    words = shlex.split(command)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        del words[0]
    if words and words[0] == ".venv/bin/python":
        words[0] = "python"
    return words


def test_every_command_is_ours_or_known_elsewhere() -> None:
    for page, command in lines():
        words = program(command)
        if not words or words[0] in SHELL or words[:2] == ["python", "-c"]:
            continue
        ours = words[:2] == ["python", "-m"] and words[2] in OURS
        assert ours or _elsewhere(words), f"{page}: {command}"


@pytest.mark.parametrize(
    ("page", "command"), [(p, c) for p, c in lines() if program(c)[:2] == ["python", "-m"]]
)
def test_the_options_of_our_commands_exist(page: str, command: str) -> None:
    _, _, layer, name, *arguments = program(command)
    found = OURS[layer].commands[name]
    with click.Context(found) as context:
        found.parse_args(context, [ARGUMENTS.get(word, word) for word in arguments])


@pytest.mark.slow
def test_our_commands_run(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(deployment.path.parent)
    monkeypatch.setenv("RAPPORT_SETTINGS", str(deployment.path))
    ran = 0
    for page, command in dict.fromkeys(lines()):
        words = program(command)
        if words[:2] != ["python", "-m"] or _elsewhere(words) or "--engine" in words:
            continue
        arguments = [ARGUMENTS.get(word, word) for word in words[3:]]
        result = CliRunner().invoke(OURS[words[2]], arguments)
        told = f"{page}: {command}\n{result.output}"
        assert result.exit_code == EXITS.get(shlex.join(words), 0), told
        ran += 1
    assert ran >= 10


@pytest.mark.parametrize(("page", "text"), blocks("toml"))
def test_settings_are_valid(page: str, text: str) -> None:
    for name, held in tomllib.loads(text).items():
        tables = held if isinstance(held, list) else [held]
        model = SECTIONS.get(f"[[{name}]]") or SECTIONS[f"[{name}]"]
        for table in tables:
            model.model_validate(table)


@pytest.mark.parametrize(("page", "text"), blocks("json"))
def test_json_is_valid(page: str, text: str) -> None:
    json.loads(text)


# Those of notebooks.md need a deployment: tests/test_docs.py has one.
RUN = [p for p in PAGES if "\n>>> " in p.read_text(encoding="utf-8") and p.stem != "notebooks"]


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_examples_run(path: Path) -> None:
    done = doctest.testfile(str(path), module_relative=False)
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for link in links:
        place, _, anchor = link.partition("#")
        if "://" in link or link.startswith("<"):
            continue
        found = (path.parent / place).resolve() if place else path
        assert found.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", t).strip().lower().replace(" ", "-") for t in titles}
            assert anchor in slugs, link


def _elsewhere(words: list[str]) -> bool:
    command = shlex.join(words)
    return any(command.startswith(known) for known in ELSEWHERE)
