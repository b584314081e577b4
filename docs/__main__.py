"""Write the generated parts of the documentation anew: the catalogue and the pictures."""

import click

from docs import pictures, signals
from features.console import WIDE, progress


@click.command(help=__doc__, context_settings=WIDE)
def write() -> None:
    """Write the page of the signals and every picture."""
    with progress("Writing the documentation", 1 + len(pictures.PICTURES)) as advance:
        signals.write()
        advance(1)
        for name in pictures.PICTURES:
            pictures.write(name)
            advance(1)


if __name__ == "__main__":
    write(prog_name="python -m docs")
