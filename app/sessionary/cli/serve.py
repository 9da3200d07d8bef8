"""sessionary serve."""

from typing import Any

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.settings_options import settings_options
from sessionary.settings import Settings


@click.command()
@settings_options()
@clean_errors
def serve(**flags: Any) -> None:
    """Serve all four APIs until stopped.

    On an empty database the first start prints a key for each API, once. A setting comes from
    its flag, else from its SESSIONARY_ variable, else from the TOML file that SESSIONARY_CONFIG
    names, else it is the default. With --control the secret SESSIONARY_CONTROL_TOKEN is needed,
    which has no flag.

    \b
    Example:
      sessionary serve --port 8000 --db sessions.sqlite3 --workers 2
    """
    settings = Settings.load(flags)
    from sessionary.server import serve as run

    run(settings, click.echo)
