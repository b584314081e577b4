"""A real PostgreSQL of its own for a test: begun empty, on a free port, gone afterwards."""

import getpass
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import free_port

PATIENCE = 60
USER = "rapport"


@contextmanager
def postgres() -> Iterator[str]:
    """Start PostgreSQL on 127.0.0.1 and give its URL, password included.

    It refuses root, so root runs it as ``nobody``.
    """
    programs = _programs()
    account = {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}
    # Not below pytest's folders, which are their user's alone.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    password, port = secrets.token_hex(8), free_port()
    (folder / "password").write_text(password)
    if account:
        for path in (folder, folder / "password"):
            shutil.chown(path, "nobody")
    # Texts in the order of a language, as many a server has them: what relies on another says so.
    language = ["--locale-provider", "icu", "--icu-locale", "en-US"]
    begin = [programs / "initdb", "-D", folder / "data", "-U", USER, "-A", "scram-sha-256"]
    serve = [programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port)]
    try:
        subprocess.run(
            [*begin, *language, "--pwfile", folder / "password", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **account,  # type: ignore[call-overload]
        )
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [*serve, "-k", "", "-F"],
                stdout=log,
                stderr=log,
                cwd=folder,
                **account,  # type: ignore[call-overload]
            )
        try:
            _wait(programs, port, folder / "log")
            yield f"postgresql+psycopg2://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # and the connections that are open
            server.wait(PATIENCE)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    # The packages of distributions keep them beside the path, a folder for each version.
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    complete = [folder for folder in found if (folder / "postgres").exists()]
    assert complete, f"{getpass.getuser()} finds no PostgreSQL: install the package postgresql"
    return complete[-1]


def _wait(programs: Path, port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        asked = subprocess.run(
            [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)], capture_output=True
        )
        if asked.returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")
