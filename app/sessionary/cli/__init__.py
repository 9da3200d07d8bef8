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

    That file is instance/sessionary.sqlite3 in the current folder unless --db or SESSIONARY_DB
    names another. Every command tells more with --help. It exits with 0 when it is done, with 1
    and one sentence when it cannot be, and with 2 when it was called wrongly.

    \b
    Example:
      sessionary serve --port 8000 --db sessions.sqlite3

    \b
    To complete commands in bash; in zsh with zsh_source, in fish with fish_source:
      eval "$(_SESSIONARY_COMPLETE=bash_source sessionary)"
    """


for command in (serve, keys, devices, seed, clock):
    main.add_command(command)
