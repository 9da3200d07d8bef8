"""The command `sessionary`."""

import click

from sessionary import __version__
from sessionary.cli.clock import clock
from sessionary.cli.devices import devices
from sessionary.cli.keys import keys
from sessionary.cli.seed import seed
from sessionary.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sessionary")
def main() -> None:
    """The sessions APIs of Scale GenAI Platform, Mobile Next, Notte and Galtea on one SQLite file.

    \b
    Example:
      sessionary serve --port 8000 --db sessions.sqlite3
    """


for command in (serve, keys, devices, seed, clock):
    main.add_command(command)
