"""The recipe: a fingerprint of everything a model follows from, to know when it is current."""

import hashlib
import json
from pathlib import Path

from features.settings import Settings

LAYERS = ("features", "training")


def recipe_of(settings: Settings) -> str | None:
    """Return the fingerprint of settings, source files and code.

    ``None`` where a source is a database: nothing says cheaply whether it changed.
    """
    sources = [table.source for table in settings.interactions]
    sources += [table.source for table in settings.attributes]
    if settings.offers:
        sources.append(settings.offers.source)
    if any("://" in source for source in sources):
        return None
    digest = hashlib.sha256()
    raw = {name: part for name, part in settings.raw.items() if name != "serving"}
    digest.update(json.dumps(raw, sort_keys=True, default=str).encode())
    root = Path(__file__).parent.parent
    files = [path for layer in LAYERS for path in sorted((root / layer).rglob("*.py"))]
    for source in sources:
        path = Path(settings.file(source)).absolute()
        files += sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
