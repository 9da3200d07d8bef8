"""sessionary export and import: everything as lines of JSON."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

import click

from sessionary import store
from sessionary.cli.database import (
    clean_errors,
    database_option,
    open_existing,
    progress_bar,
    timestamp,
)
from sessionary.factory import TABLES

_OFTEN = 1_000  # rows between two signs of progress


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@database_option
@clean_errors
def export_(file: Path, force: bool, db: str) -> None:
    """Write everything to FILE, or to the standard output: a line of JSON for each row.

    Organizations, users, memberships, the hashes of keys, devices, the clock, and the sessions of
    all surfaces, all of one moment, also while it is served.

    \b
    Example:
      sessionary export everything.jsonl
    """
    is_file = str(file) != "-"
    target = store.backup_target(file, Path(db), replace=force) if is_file else nullcontext(None)
    with target as draft, open_existing(db), progress_bar("exporting") as progress:
        count = store.row_count(TABLES)
        with nullcontext(sys.stdout) if draft is None else draft.open("w") as out:
            for number, line in enumerate(store.export_lines(TABLES)):
                out.write(f"{line}\n")
                if not number % _OFTEN:
                    progress(number, count)


@click.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
@click.option(
    "--force", is_flag=True, help="Replace the database that is there; it is kept beside."
)
@database_option
@clean_errors
def import_(file: TextIO, force: bool, db: str) -> None:
    """Make a database of what `export` wrote to FILE, or to the standard input (-).

    Whole or not at all. No server may have the database open.

    \b
    Example:
      sessionary import everything.jsonl --db new.sqlite3
    """
    with progress_bar("importing") as progress:
        count, kept = store.import_lines(
            _read(file, progress), Path(db), TABLES, timestamp(), replace=force
        )
    beside = "" if kept is None else f"; what was there is now {kept}"
    click.echo(f"{count} rows are in {db}{beside}")


def _read(file: TextIO, progress: store.Progress) -> Iterator[str]:
    size, done = os.fstat(file.fileno()).st_size, 0
    for number, line in enumerate(file):
        yield line
        done += len(line)
        if not number % _OFTEN:
            progress(done, size)
