"""Run the notebooks, each from a fresh kernel, and store what they show: by hand, and in tests."""

import time
from pathlib import Path
from typing import Any

import click
import nbformat
from nbclient import NotebookClient

from tests.processes import environment as own_environment

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = tuple(sorted(FOLDER.glob("*.ipynb")))
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LONGEST = 300
"""Seconds that one cell may take."""


def read(path: Path) -> Any:
    """Return a stored notebook."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def executed(path: Path, **environment: str) -> Any:
    """Return a notebook as a fresh kernel runs it, without what changes from run to run.

    Args:
        path: the notebook, which stays as it is.
        **environment: what the kernel has besides this process's environment.
    """
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(FOLDER)}},
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(env=own_environment(PYTHONPATH=str(ROOT), **environment))
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def shown(notebook: Any) -> list[dict[str, str]]:
    """Return what each output shows by its kind, pictures without their content."""
    return [
        {kind: "" if kind == "image/png" else text for kind, text in output["data"].items()}
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
def store(names: tuple[str, ...]) -> None:
    """Run the notebooks whose file names begin so, by default all, and store them."""
    for path in (path for path in NOTEBOOKS if not names or path.name.startswith(names)):
        began = time.monotonic()
        notebook = executed(path)
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
        size = path.stat().st_size / 1e3
        click.echo(f"{path.name}: {time.monotonic() - began:.0f} s, {size:,.0f} kB")


if __name__ == "__main__":
    store(prog_name="python -m tests.notebooks")
