"""The command `sessionary`."""

from importlib import import_module

import click

from sessionary import __version__

_NAMES = ("serve", "double", "clock", "keys", "devices", "seed")


class _Commands(click.Group):
    """Loads a command when it is called: most need but a little of the house."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _NAMES:
            return None
        found: click.Command = getattr(import_module(f"sessionary.cli.{cmd_name}"), cmd_name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
