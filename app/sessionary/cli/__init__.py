"""The command `sessionary`."""

import gc
from importlib import import_module

import click

from sessionary import __version__

_HOMES = {  # each command's module and name in it
    "serve": "serve.serve",
    "double": "double.double",
    "ready": "ready.ready",
    "exec": "exec.exec_",
    "env": "env.env",
    "clock": "clock.clock",
    "sessions": "sessions.sessions",
    "timeline": "sessions.timeline",
    "explain": "sessions.explain",
    "diff": "sessions.diff",
    "journal": "journal.journal",
    "faults": "faults.faults",
    "namespaces": "namespaces.namespaces",
    "reset": "namespaces.reset",
    "snapshot": "namespaces.snapshot",
    "keys": "keys.keys",
    "devices": "devices.devices",
    "seed": "seed.seed",
    "backup": "backup.backup",
    "restore": "backup.restore",
    "check": "backup.check",
    "migrate": "backup.migrate",
    "export": "export.export_",
    "import": "export.import_",
    "prune": "prune.prune",
}


class _Commands(click.Group):
    """Loads a command when it is called: most need but a little of the house."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _HOMES:
            return None
        module, _, name = _HOMES[cmd_name].partition(".")
        gc.disable()  # what is loaded stays: to look through it meanwhile takes a sixth of a start
        try:
            found: click.Command = getattr(import_module(f"sessionary.cli.{module}"), name)
        finally:
            gc.enable()
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sessionary")
def main() -> None:
    """The sessions APIs of Scale GenAI Platform, Mobile Next, Notte and Galtea on one SQLite file.

    That file is instance/sessionary.sqlite3 in the current folder unless --db or SESSIONARY_DB
    names another; a running double is found at --url or SESSIONARY_URL. Every command tells more
    with --help. It exits with 0 when it is done, with 1 and one sentence when it cannot be, and
    with 2 when it was called wrongly.

    \b
    Example:
      sessionary serve --port 8000 --db sessions.sqlite3
      sessionary double --port 8001

    \b
    To complete commands in bash; in zsh with zsh_source, in fish with fish_source:
      eval "$(_SESSIONARY_COMPLETE=bash_source sessionary)"
    """
