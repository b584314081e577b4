"""The tables of what was measured: aligned for the terminal, Markdown for the documents."""

import os
import platform
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement: of what, what came out, what was wanted, and what else to know."""

    what: str
    value: str
    wanted: str = ""
    note: str = ""


@dataclass
class Report:
    """Sections of lines, shown as they are measured."""

    title: str
    versions: dict[str, str] = field(default_factory=dict)
    sections: dict[str, list[Line]] = field(default_factory=dict)

    def section(self, name: str) -> None:
        """Begin a section and show its name."""
        self.sections.setdefault(name, [])
        show(f"\n{name}")

    def add(self, line: Line) -> None:
        """Add a line to the newest section and show it."""
        list(self.sections.values())[-1].append(line)
        wanted = f"(wanted: {line.wanted})" if line.wanted else ""
        show(f"  {line.what:<52} {line.value:>24}  {wanted} {line.note}".rstrip())

    def running(self, name: str) -> None:
        """Say on standard error what is being measured, for who waits."""
        sys.stderr.write(f"  … {name}\n")

    def markdown(self) -> str:
        """Return everything as Markdown, with date, hardware and versions."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        parts = [f"# {self.title}", f"{datetime.now(UTC):%d %B %Y}; {hardware()}; {versions}."]
        for name, lines in self.sections.items():
            table = ["| | measured | wanted | |", "|---|---:|---|---|"]
            table += [f"| {x.what} | {x.value} | {x.wanted} | {x.note} |" for x in lines]
            parts += [f"## {name}", "\n".join(table)]
        return "\n\n".join(parts) + "\n"


def hardware() -> str:
    """Return the processor, how many of its cores may be used, and the memory."""
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        found = [x for x in cpus.read_text(encoding="utf-8").splitlines() if "model name" in x]
        model = found[0].split(":", 1)[1].strip() if found else model
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()}"


def show(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201 - a benchmark is a program that prints
