"""The page of the signals: its parts that follow from the declarations."""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from features import composites
from features.listing import entries, tally
from features.shape import FULL

PAGE = Path(__file__).parent / "signals.md"
COMPOSITES = {
    "Knowledge": composites.knowledge,
    "Trust": composites.trust,
    "Exchange of value": composites.exchange,
    "Stages": composites.stage,
}
PICTURED = {"Knowledge": "knowledge", "Trust": "trust", "Exchange of value": "exchange"}


def page(text: str) -> str:
    """Return the page's text with its generated parts made anew."""
    for name, lines in PARTS.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        body = "\n".join(lines()).strip()
        text = f"{before}{begin}\n\n{body}\n\n{end}{rest.partition(end)[2]}"
    return text


def write() -> None:
    """Write the page of the signals anew."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def formulas() -> Iterator[str]:
    """Yield what the docstrings of the composite signals say."""
    for title, declared in COMPOSITES.items():
        said = (inspect.getdoc(declared) or "").split("\nArgs:")[0]
        yield from (f"### {title}", "", said.replace("``", "`").rstrip(), "")
        if title in PICTURED:
            yield from (f"![{title}]({PICTURED[title]}.svg)", "")


def catalogue() -> Iterator[str]:
    """Yield a table for each group of meaning."""
    group = ""
    yield f"{tally(FULL)}."
    for entry in entries(FULL):
        if entry.group != group:
            group = entry.group
            yield from ("", f"### {group.capitalize()}", "")
            yield from ("| signal | what it measures | unit | why |", "|---|---|---|---|")
        said = re.sub(r"([*|<])", r"\\\1", entry.meaning)
        yield f"| `{entry.name}` | {said} | {entry.unit} | {entry.why} |"


PARTS: dict[str, Callable[[], Iterator[str]]] = {"composites": formulas, "catalogue": catalogue}
