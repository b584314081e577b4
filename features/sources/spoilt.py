"""Spoilt files: what is wrong with one that cannot be read as a table, by its bytes."""

import codecs
import glob
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
AS_TEXT = "In the spreadsheet, save it as 'CSV UTF-8'"


def spoilt(path: str) -> tuple[str, str] | None:
    """Return what a file is instead of a table, and the remedy; ``None`` where it cannot be told.

    Args:
        path: of a file, or a glob, of which the first file that is wrong is told of.
    """
    # Path.glob takes no absolute pattern.
    found = [path] if Path(path).is_file() else sorted(glob.glob(path))  # noqa: PTH207
    return next((told for told in map(_spoilt, found) if told), None)


def _spoilt(path: str) -> tuple[str, str] | None:
    name, suffix = Path(path).name, Path(path).suffix.lower()
    try:
        with Path(path).open("rb") as plain:
            begin = plain.read(4)
        if begin.startswith(SPREADSHEETS):
            return "a spreadsheet or an archive", f"{AS_TEXT}, or export it to Parquet."
        if suffix == ".parquet":
            wrong = begin != b"PAR1"
            return ("no Parquet file", "Export it to Parquet again.") if wrong else None
        with gzip.open(path) if suffix == ".gz" else Path(path).open("rb") as file:
            return _text(file, name)
    except gzip.BadGzipFile:
        return "a file that is not compressed", "Name it without .gz."
    except (OSError, EOFError, zlib.error):
        return None


def _text(file: BinaryIO | gzip.GzipFile, name: str) -> tuple[str, str] | None:
    """Say what bytes are that should be text in UTF-8."""
    decoder, lines = codecs.getincrementaldecoder("utf-8")(), 1
    while chunk := file.read(CHUNK):
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _is_wide(chunk):
            return "text in UTF-16, not in UTF-8", _turned("utf-16", name)
        if b"\x00" in chunk:
            return "a binary file, not text", "Export the table to Parquet or CSV."
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            line = lines + bytes(error.object[: error.start]).count(b"\n")
            return f"text that is not in UTF-8, in line {line:,}", _turned("latin1", name)
        lines += chunk.count(b"\n")
    return None


def _is_wide(chunk: bytes) -> bool:
    """Whether every other byte is zero, as that of most letters is in UTF-16."""
    return any(chunk[at::2].count(0) > len(chunk) / 4 for at in (0, 1))


def _turned(encoding: str, name: str) -> str:
    turned = f"iconv -f {encoding} -t utf-8 '{name}' > 'utf8-{name}'"
    return f"{AS_TEXT}, or turn it into UTF-8: {turned}"
