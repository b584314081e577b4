"""The peers' environments, made once under ``.bench/`` from the files beside this one."""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BENCH = ROOT / ".bench"


def python(name: str) -> Path:
    """Return the interpreter of an environment, made anew when its requirements changed.

    Args:
        name: the stem of the requirements file beside this module.
    """
    requirements = HERE / f"{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = BENCH / name
    interpreter, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return interpreter
    uv = [sys.executable, "-m", "uv"]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run([*uv, "venv", "--quiet", "--clear", "-p", version, str(folder)], check=True)
    install = [*uv, "pip", "install", "--quiet", "-p", str(interpreter), "-r", str(requirements)]
    subprocess.run(install, check=True)
    stamp.write_text(digest, encoding="ascii")
    return interpreter


def version(interpreter: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [str(interpreter), "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()
