"""The notebooks run from end to end, and what is stored of them is what a run shows."""

import ast
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import KERNEL, NOTEBOOKS, executed, read, shown

MOST_BYTES = 700_000
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
"""Another processor may compute other last digits."""
stored = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def in_words(text: str) -> str:
    """Return a text without its numbers and the width of its columns."""
    return re.sub(r"[\s-]+", " ", NUMBER.sub("0", text))


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def outputs(path: Path) -> list[Any]:
    return [output for cell in code(path) for output in cell.outputs]


def test_there_are_notebooks() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


@stored
def test_one_was_run_from_top_to_bottom_without_an_error_or_noise(path: Path) -> None:
    assert [cell.execution_count for cell in code(path)] == list(range(1, len(code(path)) + 1))
    assert {output.output_type for output in outputs(path)} == {"execute_result"}
    assert any("image/png" in output.data for output in outputs(path))


@stored
def test_what_is_stored_is_small_and_the_same_wherever_it_is_run(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    notebook = read(path)
    assert notebook.metadata == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    assert not any(cell.metadata for cell in notebook.cells)
    texts = json.dumps([{**output.data, "image/png": ""} for output in outputs(path)])
    assert not re.search(r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6,}", texts)


@stored
def test_one_defines_no_logic(path: Path) -> None:
    for cell in code(path):
        lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
        tree = ast.parse("\n".join(lines))
        found = [type(node).__name__ for node in ast.walk(tree)]
        assert not {"FunctionDef", "ClassDef", "Lambda", "For", "While"} & set(found), cell.source


@stored
def test_each_plot_is_introduced(path: Path) -> None:
    cells = read(path).cells
    for before, cell in itertools.pairwise(cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert before.cell_type == "markdown", cell.source


@pytest.mark.slow
@stored
def test_a_run_shows_what_is_stored(path: Path, demo: tuple[Path, str]) -> None:
    folder, _ = demo
    notebook = executed(path, RAPPORT_SETTINGS=str(folder / "rapport.toml"))
    streams = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    ]
    assert streams == []
    for now, before in zip(shown(notebook), shown(read(path)), strict=True):
        assert now.keys() == before.keys()
        for kind, text in now.items():
            assert in_words(text) == in_words(before[kind]), "run `make notebooks-run`"
            assert numbers(text) == pytest.approx(numbers(before[kind]), rel=0.02, abs=0.002)
