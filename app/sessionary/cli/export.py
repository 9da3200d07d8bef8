"""`sessionary export` and `import`: a database as JSON Lines."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

import click

from sessionary import store
from sessionary.cli.database import (
    clean_errors,
    database_command,
    database_option,
    kept_note,
    open_read_only,
    timestamp,
)
from sessionary.cli.output import Output, json_option, print_output
from sessionary.cli.progress import progress_bar, progress_option
from sessionary.factory import SCHEMA

_PROGRESS_ROWS = 1_000  # rows between two updates of the progress bar


@click.command("export", epilog="Example: sessionary export everything.jsonl")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@progress_option
@database_option
@json_option
@clean_errors
def export_(file: Path, force: bool, progress: bool | None, db: str, as_json: bool) -> None:
    """Write all data to FILE as JSON Lines.

    FILE is standard output by default. The export is consistent, even while a server uses the
    database. It holds organizations, users, memberships, hashes of API keys, devices, the clock,
    and all sessions.
    """
    is_file = str(file) != "-"
    number = 0
    target = store.backup_target(file, Path(db), replace=force) if is_file else nullcontext(None)
    with target as draft, open_read_only(db), progress_bar("exporting", progress) as show:
        count = store.row_count(SCHEMA.tables)
        with nullcontext(sys.stdout) if draft is None else draft.open("w") as out:
            for number, line in enumerate(store.export_lines(SCHEMA), 1):
                out.write(f"{line}\n")
                if not number % _PROGRESS_ROWS:
                    show(number, count)
        show(count, count)
    if is_file:
        value = {"db": db, "file": file, "lines": number}
        print_output(Output(value, f"Wrote {number} lines to {file}"), as_json)


@click.command("import", epilog="Example: sessionary import everything.jsonl --db new.sqlite3")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Replace an existing database; it is kept next to it.")
@progress_option
@database_command
def import_(file: Path, force: bool, progress: bool | None, db: str) -> Output:
    """Create a database from an export in FILE.

    FILE is - for standard input. The import is all or nothing. Stop all servers that use the
    database first.
    """
    with _open(file) as source, progress_bar("importing", progress) as show:
        lines = _read(source, show)
        count, kept = store.import_lines(lines, Path(db), SCHEMA, timestamp(), replace=force)
    value = {"db": db, "rows": count, "kept": kept}
    return Output(value, f"Imported {count} rows into {db}{kept_note(kept)}")


def _open(file: Path) -> AbstractContextManager[TextIO]:
    source = sys.stdin.fileno() if str(file) == "-" else file
    return open(source, encoding="utf-8", errors="surrogateescape", closefd=source is file)


def _read(file: TextIO, progress: store.Progress) -> Iterator[str]:
    size, done = os.fstat(file.fileno()).st_size, 0
    for number, line in enumerate(file):
        yield line
        done += len(line)
        if not number % _PROGRESS_ROWS:
            progress(done, size)
