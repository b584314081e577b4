"""Write the generated parts of the documentation anew: catalogue, settings and pictures."""

import click

from docs import pictures, settings, signals
from features.console import WIDE, progress


@click.command(help=__doc__, context_settings=WIDE)
def write() -> None:
    """Write the pages of the signals and of the settings, and every picture."""
    with progress("Writing the documentation", 2 + len(pictures.PICTURES)) as advance:
        signals.write()
        advance(1)
        settings.write()
        advance(1)
        for name in pictures.PICTURES:
            pictures.write(name)
            advance(1)


if __name__ == "__main__":
    write(prog_name="python -m docs")
