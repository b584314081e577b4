"""Mutations: break the engine on purpose, one line at a time, and see the tests turn red.

``python -m tests.mutations`` applies each mutation of ``mutations.toml`` to a scratch copy of the
sources and runs the test that is named for it, which must fail; unmutated, all of them must pass.
The kernel runs uncompiled, so that no cache of compiled code can stand in for what was changed
(``--compiled`` compiles it anew each time, which takes half a minute each). ``--write`` writes
the list to ``tests/features/MUTATIONS.md``. The exit code is 1 when a mutation survives, its text
is no longer found, or a test fails without any.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MUTATIONS = ROOT / "tests" / "mutations.toml"
COPIED = ("features", "training", "tests")
LIST = ROOT / "tests" / "features" / "MUTATIONS.md"
HEAD = """# Mutations of the engine, and the tests that catch them

Each line of the engine below was broken as told; the test beside it turns red and its name says
why. `python -m tests.mutations` does it again; this list is written by its `--write`, from
`tests/mutations.toml`.

| where | broken | caught by |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text of a source file that occurs in it once, what replaces it, and the test that fails."""

    what: str
    file: str
    function: str
    old: str
    new: str
    test: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutations; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--compiled", action="store_true", help="compile the kernel each time")
    parser.add_argument("--write", action="store_true", help="write the list and run nothing")
    parser.add_argument("only", nargs="*", help="only those whose text contains one of these")
    chosen = parser.parse_args(arguments)
    mutations = [Mutation(**m) for m in tomllib.loads(MUTATIONS.read_text())["mutation"]]
    if chosen.write:
        LIST.write_text(listed(mutations))
        return 0
    wanted = [m for m in mutations if not chosen.only or any(w in m.what for w in chosen.only)]
    failed = _run({m.test for m in wanted}, None, chosen.compiled)
    if failed != 0:
        _say(f"without any mutation the tests do not pass (exit code {failed})")
        return 1
    _say(f"unmutated: {len({m.test for m in wanted})} tests pass")
    problems = 0
    for mutation in wanted:
        problem = _problem(mutation, chosen.compiled)
        problems += bool(problem)
        _say(f"{problem or 'caught'}: {mutation.what} ({mutation.file})")
    _say(f"{len(wanted) - problems} of {len(wanted)} mutations caught")
    return 1 if problems else 0


def listed(mutations: Sequence[Mutation]) -> str:
    """Return the list as Markdown."""
    rows = [
        f"| `{m.file.removeprefix('features/')}` {m.function} | {m.what} | "
        f"`{m.test.rpartition('/')[2].replace('|', chr(92) + '|')}` |\n"
        for m in mutations
    ]
    return HEAD + "".join(rows)


def _problem(mutation: Mutation, compiled: bool) -> str:
    found = (ROOT / mutation.file).read_text().count(mutation.old)
    if found != 1:
        return f"FOUND {found} TIMES"
    code = _run({mutation.test}, mutation, compiled)
    return {0: "SURVIVED", 1: ""}.get(code, f"TESTS BROKE (exit code {code})")


def _run(tests: set[str], mutation: Mutation | None, compiled: bool) -> int:
    """Run tests in a scratch copy and return pytest's exit code: 0 passed, 1 failed."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for folder in COPIED:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, scratch / folder, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", scratch)
        if mutation:
            file = scratch / mutation.file
            file.write_text(file.read_text().replace(mutation.old, mutation.new))
        environment = dict(os.environ) | ({} if compiled else {"NUMBA_DISABLE_JIT": "1"})
        command = [sys.executable, "-m", "pytest", "-x", "--noconftest", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, *sorted(tests)], cwd=scratch, env=environment, capture_output=True
        )
        return done.returncode


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
