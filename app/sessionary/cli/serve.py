"""sessionary serve."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import click

from sessionary.cli.world import told
from sessionary.settings import Settings, kinds


def _settings_as_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a flag for each setting; its environment twin is read with the settings."""
    for each in reversed([each for each in fields(Settings) if not each.metadata["is_secret"]]):
        types = [kind for kind in kinds(each.type) if kind is not type(None)]
        flag = "--" + each.name.replace("_", "-")
        default = "none" if each.default is None else str(each.default).lower()
        about = (
            f"{each.metadata['about']}  [env: SESSIONARY_{each.name.upper()}; default: {default}]"
        )
        choices = each.metadata["choices"]
        command = click.option(
            f"{flag}/--no-{flag[2:]}" if bool in types else flag,
            each.name,
            type=click.Choice(choices) if choices else types[0],
            default=None,
            help=about[0].upper() + about[1:],
        )(command)
    return command


@click.command()
@_settings_as_options
@told
def serve(**flags: Any) -> None:
    """Serve all four APIs until stopped.

    On an empty database the first start prints a key for each API, once. A setting comes from
    its flag, else from its SESSIONARY_ variable, else from the TOML file that SESSIONARY_CONFIG
    names, else it is the default.

    \b
    Example:
      sessionary serve --port 8000 --db sessions.sqlite3 --workers 2
    """
    settings = Settings.load(flags)
    from sessionary.server import serve as run

    run(settings, click.echo)
