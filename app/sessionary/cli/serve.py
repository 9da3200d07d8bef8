"""`sessionary serve`."""

from typing import Any

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.settings_options import ServingCommand, settings_options
from sessionary.factory import load_settings
from sessionary.settings import DOUBLE_ONLY


@click.command(
    cls=ServingCommand,
    epilog="Example: sessionary serve --port 8000 --db sessions.sqlite3 --workers 2",
)
@settings_options(without=[DOUBLE_ONLY])
@click.option("--ids-seed", hidden=True)  # refused with the reason
@clean_errors
def serve(**flags: Any) -> None:
    """Serve all APIs from a database file until stopped.

    The first start on an empty database prints an API key for each surface, once. A setting comes
    from its flag, its environment variable, the TOML file that SESSIONARY_CONFIG names, or its
    default, in this order. The control plane (--control) needs a secret in
    SESSIONARY_CONTROL_TOKEN, which has no flag.
    """
    settings = load_settings(flags)
    from sessionary.server import serve as run

    run(settings, click.echo)
