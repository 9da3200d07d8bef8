"""The command line: `sessionary COMMAND`."""

import gc
from importlib import import_module

import click

from sessionary import __version__

_SECTIONS = {  # by heading: each command, with its module and its name there
    "Run a server or a double": {
        "serve": "serve.serve",
        "double": "double.double",
        "exec": "exec.exec_",
        "env": "env.env",
        "ready": "ready.ready",
    },
    "Control time and faults, and see what happened": {
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
    },
    "Manage a database file": {
        "keys": "keys.keys",
        "members": "members.members",
        "devices": "devices.devices",
        "seed": "seed.seed",
        "prune": "prune.prune",
        "backup": "backup.backup",
        "restore": "backup.restore",
        "check": "backup.check",
        "migrate": "backup.migrate",
        "export": "export.export_",
        "import": "export.import_",
    },
}
_COMMANDS = {name: path for commands in _SECTIONS.values() for name, path in commands.items()}


class _LazyGroup(click.Group):
    """Imports a command when it is called: most commands need few modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(".")
        gc.disable()  # nothing imported is garbage: collections take a sixth of the start
        try:
            command: click.Command = getattr(import_module(f"sessionary.cli.{module}"), name)
        finally:
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from sessionary.surfaces import SURFACES

        for heading, names in _SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(
                    [(name, each.get_short_help_str(99)) for name, each in commands if each]
                )
        with formatter.section("Surfaces"):
            formatter.write_dl([(surface.name, surface.title) for surface in SURFACES])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sessionary")
def main() -> None:
    """Serve the sessions APIs of several vendors (surfaces), for real or as a test double.

    `serve` and `double` run a server. The second group of commands talks to a running one at
    --url, by default http://127.0.0.1:8000, or works on a database file with --db. The third
    group works on a database file: instance/sessionary.sqlite3 in the current folder, unless
    --db or SESSIONARY_DB names another.

    Exit codes: 0 for success, 1 for an error, with one sentence that explains it, 2 for wrong
    usage.

    \b
    Examples:
      sessionary serve --port 8000 --db sessions.sqlite3
      sessionary double --port 8001
      sessionary clock advance 25h --url http://127.0.0.1:8001

    \b
    Shell completion for bash (zsh: zsh_source, fish: fish_source):
      eval "$(_SESSIONARY_COMPLETE=bash_source sessionary)"
    """
