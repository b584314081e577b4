"""The README's code blocks, for the tests that run them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORT = 3000


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def curls(port: int) -> list[str]:
    """Return the README's curl commands, for a server on another port."""
    found = [block for block in blocks("bash") if block.startswith("curl ")]
    return [block.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}") for block in found]
