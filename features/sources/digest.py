"""A fingerprint of a deployment's data: the sections that read it, and the files themselves."""

import hashlib
import json
from pathlib import Path

from features.settings import Settings

SECTIONS = ("interactions", "attributes", "offers")


def data_digest(settings: Settings) -> str | None:
    """Return the fingerprint of what the settings read and how.

    ``None`` where a source is a database or the store: nothing says cheaply whether it changed.
    """
    if settings.reads_store:
        return None
    sources = [table.source for table in settings.interactions]
    sources += [table.source for table in settings.attributes]
    sources += [table.source for table in (settings.identities, settings.offers) if table]
    if any("://" in source for source in sources):
        return None
    digest = hashlib.sha256()
    read = {name: settings.raw.get(name) for name in SECTIONS}
    if settings.identities:
        read["identities"] = settings.raw["identities"]
    read |= {"timezone": settings.project.timezone, "known_until": settings.project.now()}
    digest.update(json.dumps(read, sort_keys=True, default=str).encode())
    for source in sources:
        for path in _files(Path(settings.file(source)).absolute()):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _files(path: Path) -> list[Path]:
    """Return the files of a path or glob; what is none of them the reader complains about."""
    if path.is_file():
        return [path]
    pattern = str(path.relative_to(path.anchor))
    found = [] if pattern == "." else sorted(Path(path.anchor).glob(pattern))
    return [each for each in found if each.is_file()]
