"""`sessionary record`."""

from pathlib import Path

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.double import CONTROL, DEFAULTS, serve
from sessionary.cli.exec import run_with_double
from sessionary.factory import load_settings
from sessionary.sdk_env import DEFAULT
from sessionary.settings import DOUBLE


@click.command(
    epilog="Example: sessionary record run.jsonl -- npm test",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@clean_errors
def record(file: Path, command: tuple[str, ...]) -> None:
    """Record a run of a new double in FILE, for replay and shrink.

    COMMAND runs as by `sessionary exec`; without one, the double serves as `sessionary double` does
    until it is stopped. The run is that of the default namespace: its seed, its clock, its faults
    and its calls with their answers, but no credentials. FILE may be read at any time, also after a
    kill. Both commands have the option --record FILE for the same.
    """
    flags = {"record": str(file)} | CONTROL
    if command:
        run_with_double(load_settings(flags, defaults=DOUBLE), DEFAULT, command)
    else:
        serve(load_settings(flags, defaults=DEFAULTS))
