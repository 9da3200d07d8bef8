"""What the commands share: the option that names the database, and how a mishap is told."""

import functools
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import peewee as pw

from sessionary import store
from sessionary.clock import BadClock, wall
from sessionary.factory import prepare
from sessionary.seed import BadSeed
from sessionary.settings import BadSetting, Settings
from sessionary.store import BadExport, Unusable
from sessionary.surfaces.mobilenext.catalogue import BadDevice
from sessionary.wire.instants import to_stamp

Command = TypeVar("Command", bound=Callable[..., Any])

MISHAPS = (
    BadClock,
    BadDevice,
    BadExport,
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


@contextmanager
def existing(db: str) -> Iterator[None]:
    """Work on the database at `db`. Raises Unusable where there is none of this program's."""
    store.version(Path(db))
    with opened(db):
        yield


def stamp() -> str:
    """The instant outside, as a part of a file's name."""
    return to_stamp(wall())


@contextmanager
def advancing(label: str) -> Iterator[store.Progress]:
    """Shows at a terminal how far long work is."""
    with click.progressbar(
        length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:

        def show(done: int, count: int) -> None:
            bar.length = count
            bar.update(done - bar.pos)

        yield show


def tell(said: str, as_json: bool, **facts: Any) -> None:
    """Print what was done as a sentence, or as JSON."""
    click.echo(json.dumps(facts, indent=2) if as_json else said)


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
