"""Writing settings: TOML that says what is meant, whatever a table or a column is called."""

import json
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from features.errors import SettingsError
from features.settings import Settings, read_settings


def plain(text: str) -> str:
    r"""Return a text from outside as one line that can be shown, and stand in a comment.

    >>> plain("sales\n[policy]\x1b[2J  #.csv")
    'sales [policy] [2J #.csv'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def line(name: str, value: object, why: str = "") -> str:
    """Return a key with its value, and the reason for it.

    >>> line("kind", "purchase", "by its name")
    'kind = "purchase"                  # by its name'
    """
    return _beside(f"{_key(name)} = {_toml(value)}", why)


def heading(section: str, why: str) -> str:
    """Return the line that begins a section, such as ``[offers]``, and what it is about."""
    return _beside(section, why)


def remark(text: str) -> str:
    """Return a line that is a comment."""
    return f"# {plain(text)}"


def _beside(told: str, why: str) -> str:
    return f"{told:<34} # {plain(why)}" if why else told


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # What JSON writes as it is and TOML refuses: DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def put(out: Path, text: str, private: bool) -> Settings:
    """Read settings back, and only then put them in the place of a file, whole.

    Args:
        out: the file.
        text: of the settings.
        private: whether nobody else of the machine may read them.

    Raises:
        SettingsError: they are not as settings must be, and the file is left as it was; or it
            cannot be written.
    """
    place = out.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".init-") as folder:
            draft = Path(folder) / out.name
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(draft, flags, 0o600 if private else 0o666), "wb") as file:
                file.write(text.encode())
            settings = _read_back(draft, out)
            draft.replace(place)
    except OSError as error:
        raise SettingsError(
            f"settings file '{out}'",
            error.strerror,
            "a place that can be written to",
            "Name another with --out.",
        ) from error
    return replace(settings, path=out)


def _read_back(draft: Path, out: Path) -> Settings:
    try:
        return read_settings(draft)
    except SettingsError as error:
        raise SettingsError(
            f"the settings proposed, {error.subject}".replace(str(draft), out.name),
            error.got,
            error.wanted,
            f"{error.remedy} Nothing was written to '{out}': give `init` fewer of the tables, or "
            "write the settings by hand as docs/settings.md shows.",
        ) from error
