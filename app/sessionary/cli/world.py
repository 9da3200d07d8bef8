"""What the commands share: the option that names the database, and how a mishap is told."""

import functools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import click
import peewee as pw

from sessionary.clock import BadClock
from sessionary.factory import prepare
from sessionary.seed import BadSeed
from sessionary.settings import BadSetting, Settings
from sessionary.store import Unusable
from sessionary.surfaces.mobilenext.catalogue import BadDevice

Command = TypeVar("Command", bound=Callable[..., Any])

MISHAPS = (
    BadClock,
    BadDevice,
    BadSeed,
    BadSetting,
    Unusable,
    OSError,
    pw.DatabaseError,
    sqlite3.Error,
)

db_option = click.option(
    "--db",
    envvar="SESSIONARY_DB",
    show_envvar=True,
    default=Settings.db,
    show_default=True,
    help="The database file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def told(command: Command) -> Command:
    """End a command with one sentence where something that may happen has happened."""

    @functools.wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except MISHAPS as error:
            raise click.ClickException(str(error)) from error

    return call  # type: ignore[return-value]


@contextmanager
def opened(db: str, seed: str | None = None) -> Iterator[None]:
    """Work on the database at `db`, made if it is not there yet."""
    settings = replace(Settings.load({"db": db}), seed=seed, clock_rate=None, auth="lenient")
    world = prepare(settings).world
    try:
        with world.entered():
            yield
    finally:
        world.close()


def show(rows: list[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table for people, or as JSON."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo(empty)
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)
