"""The command line: `sessionary COMMAND`."""

import errno
import gc
import os
import sys
from importlib import import_module
from typing import Any

import click

from sessionary import __version__
from sessionary.near_names import did_you_mean

# Commands by heading, with their summaries, so that the help imports nothing else.
_SECTIONS = {
    "Run it": {
        "demo": "Serve a double with example sessions and the console.",
        "init": "Write a seed file and a conftest.py to start tests from.",
        "double": "Serve all APIs as a test double until stopped.",
        "exec": "Run COMMAND with a new double, which its SDKs find.",
        "record": "Record a run of a new double in FILE, for replay and shrink.",
        "serve": "Serve all APIs from a database file until stopped.",
        "env": "Print the variables that point SDKs at a double.",
        "ready": "Check whether the server at URL is ready.",
        "status": "Show what runs where: server, clock, sessions and database.",
    },
    "Steer a double, and see what happened": {
        "console": "Print the address of the console, or open it.",
        "clock": "Show, freeze, move or scale the clock of a namespace.",
        "sessions": "List sessions with their status and next transition.",
        "lanes": "Draw the statuses of sessions over time, past and future.",
        "timeline": "List coming transitions: when sessions change by themselves.",
        "explain": "Explain the status of SESSION: rule, reason, inputs, next.",
        "diff": "List what changed between two instants, and why.",
        "journal": "List, follow and explain recorded calls.",
        "faults": "Arm, list and disarm faults.",
        "namespaces": "Create, list, fork, restore and drop namespaces of a double.",
        "reset": "Reset a namespace to its initial state.",
        "snapshot": "Save a namespace, without its journal, to FILE.",
        "replay": "Do the run in FILE again, and compare answers byte by byte.",
        "shrink": "Reduce the run in FILE to the calls after which COMMAND fails.",
        "verify": "Compare a double with a vendor's service, recorded as HAR.",
    },
    "Keep a database": {
        "keys": "Create, list and revoke API keys.",
        "members": "Add, remove and list members of organizations.",
        "devices": "Add, list and retire devices.",
        "seed": "Apply the seed FILE to the database, all or nothing.",
        "prune": "Remove sessions that ended long ago.",
        "backup": "Copy the database to FILE, even while a server uses it.",
        "restore": "Replace the database with a copy of the backup FILE.",
        "check": "Check the integrity of the database.",
        "migrate": "Upgrade the database to the schema of this program.",
        "export": "Write all data to FILE as JSON Lines.",
        "import": "Create a database from an export in FILE.",
    },
}
_COMMANDS = [name for section in _SECTIONS.values() for name in section]
_MODULES = {  # of the commands that have no module of their own
    **dict.fromkeys(("timeline", "explain", "diff"), "sessions"),
    **dict.fromkeys(("reset", "snapshot"), "namespaces"),
    "shrink": "replay",
    **dict.fromkeys(("restore", "check", "migrate"), "backup"),
    "import": "export",
}
_INTERRUPTED = 130  # as shells: 128 plus the number of SIGINT
_FIRST_STEPS = """\
Look around:  sessionary demo     a double with example sessions, and its console
In tests:     sessionary init     a seed file and a conftest.py
By hand:      sessionary double   an empty double; then `sessionary env` and your SDK
"""


class _LazyGroup(click.Group):
    """Imports a command when it is called: most commands need few modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return _COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        gc.disable()  # nothing imported is garbage: collections take a sixth of the start
        try:
            module = import_module(f"sessionary.cli.{_MODULES.get(cmd_name, cmd_name)}")
        finally:
            gc.enable()
        command: click.Command = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not (name in _COMMANDS or name.startswith("-") or ctx.resilient_parsing):
            ctx.fail(f"no command {name!r}{did_you_mean(name, _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for heading, summaries in _SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl(list(summaries.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # the help is printed before a command can say so
            if error.errno != errno.ENOSPC:
                raise
            click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)  # ends the line on which the terminal shows ^C
            raise click.exceptions.Exit(_INTERRUPTED) from None


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="sessionary")
@click.pass_context
def main(context: click.Context) -> None:
    """Serve the sessions APIs of several vendors (surfaces), for real or as a test double.

    A command is about what --url or --db names, else SESSIONARY_URL, else SESSIONARY_DB, else
    the server at http://127.0.0.1:8000; the commands that keep a database take a file only, by
    default instance/sessionary.sqlite3.

    An instant is a time such as 2026-03-01T12:00:00Z, or relative: -1h, +1d. An id may be given
    by its first characters: at least 4 after a prefix such as key_. --json prints JSON.

    Exit codes: 0 for success, 1 for an error, with one sentence that explains it, 2 for wrong
    usage, 130 for Ctrl-C (`serve` and `double` then stop properly: 0).

    \b
    Examples:
      sessionary double --port 8001
      sessionary clock advance 25h --url http://127.0.0.1:8001
      sessionary serve --port 8000 --db sessions.sqlite3

    \b
    Shell completion for bash (zsh: zsh_source, fish: fish_source):
      eval "$(_SESSIONARY_COMPLETE=bash_source sessionary)"
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False
    if context.invoked_subcommand is None:
        click.echo(f"{_FIRST_STEPS}\n{context.get_help()}")
