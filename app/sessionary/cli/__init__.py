"""The command line: `sessionary COMMAND`."""

import gc
from importlib import import_module

import click

from sessionary import __version__
from sessionary.near_names import did_you_mean

_SECTIONS = {  # commands by heading
    "Run a server or a double": "serve double exec env ready",
    "Control time and faults, and see what happened": (
        "clock sessions timeline explain diff journal faults namespaces reset snapshot verify"
    ),
    "Record a run, and repeat it": "record replay shrink",
    "Manage a database file": (
        "keys members devices seed prune backup restore check migrate export import"
    ),
}
_COMMANDS = " ".join(_SECTIONS.values()).split()
_MODULES = {  # of the commands that have no module of their own
    **dict.fromkeys(("timeline", "explain", "diff"), "sessions"),
    **dict.fromkeys(("reset", "snapshot"), "namespaces"),
    "shrink": "replay",
    **dict.fromkeys(("restore", "check", "migrate"), "backup"),
    "import": "export",
}


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from sessionary.surfaces import SURFACES

        for heading, names in _SECTIONS.items():
            found = [(name, self.get_command(ctx, name)) for name in names.split()]
            shown = [(name, each.get_short_help_str(99)) for name, each in found if each]
            with formatter.section(heading):
                formatter.write_dl(shown)
        with formatter.section("Surfaces"):
            formatter.write_dl([(surface.name, surface.title) for surface in SURFACES])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sessionary")
def main() -> None:
    """Serve the sessions APIs of several vendors (surfaces), for real or as a test double.

    `serve` and `double` run a server. The second group of commands talks to a running one at
    --url, by default http://127.0.0.1:8000, or works on a database file with --db. The last
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
