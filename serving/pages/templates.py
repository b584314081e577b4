"""Templates: how the pages are written; whatever is put into one is text, and never markup."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.pages.words import BANDS, percent, plain, points

FOLDER = Path(__file__).parent


@cache
def templates() -> Environment:
    """Return the templates, which are read once."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "plain": plain,
        "count": lambda number: f"{number:,}",
        "path": lambda text: quote(text, safe=""),
    }
    environment.globals |= {"bands": BANDS, "style": f"/page.css?{_digest('page.css')}"}
    return environment


def warm_up() -> None:
    """Compile every template, so that no request has to wait for it."""
    for name in templates().list_templates(extensions=["html"]):
        templates().get_template(name)


def written(name: str, **facts: Any) -> str:
    """Return a page; ``typed`` is what stands in the field that searches."""
    return templates().get_template(name).render(**{"typed": "", "signed_in": False, **facts})


def asset(name: str) -> bytes:
    """Return a file that pages load."""
    return (FOLDER / name).read_bytes()


@cache
def _digest(name: str) -> str:
    """Return what tells one version of a file from another, so that a browser may keep it."""
    return hashlib.sha256(asset(name)).hexdigest()[:12]
