"""Small deployments for tests: a settings file and its tables in a temporary folder."""

from collections.abc import Mapping
from pathlib import Path

from features.history import History
from features.settings import read_settings
from features.sources.reader import read_history

ROLES = """
[roles]
value = ["purchase"]
negative = ["complaint"]
offer_shown = ["offer_shown"]
"""
VISITS = """
[[interactions]]
source = "visits.csv"
kind = "purchase"
"""


def write(
    folder: Path,
    sections: str = VISITS,
    files: Mapping[str, str] | None = None,
    project: str = 'timezone = "America/New_York"',
) -> Path:
    """Write a settings file with the given sections, and its text files; return its path."""
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    path = folder / "rapport.toml"
    path.write_text(f'[project]\nname = "test"\n{project}\n{sections}{ROLES}', encoding="utf-8")
    return path


def history(
    folder: Path,
    sections: str = VISITS,
    files: Mapping[str, str] | None = None,
    project: str = 'timezone = "America/New_York"',
) -> History:
    """Read the history of a deployment written for a test."""
    return read_history(read_settings(write(folder, sections, files, project)))


def visits(folder: Path, content: str, further: str = "") -> History:
    """Read a history of purchases from one CSV table; ``further`` goes on its section."""
    return history(folder, VISITS + further, {"visits.csv": content})
