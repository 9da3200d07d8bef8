"""sessionary backup, restore, check and migrate: the file as a whole."""

from pathlib import Path
from typing import Any

import click

from sessionary import store
from sessionary.cli.database import clean_errors, database_option, progress_bar, timestamp
from sessionary.cli.output import json_option, print_result, print_rows
from sessionary.factory import TABLES, prepare
from sessionary.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@database_option
@json_option
@clean_errors
def backup(file: Path, force: bool, db: str, as_json: bool) -> None:
    """Copy the database to FILE, also while it is served.

    The copy is one file of one moment, read once more before it gets its name. It holds the hashes
    of keys: only its owner may read it.

    \b
    Example:
      sessionary backup /backups/monday.sqlite3 --force
    """
    with progress_bar("copying") as progress:
        store.back_up(Path(db), file, replace=force, progress=progress)
    size = file.stat().st_size
    print_result(f"{db} is copied to {file}", as_json, db=db, file=str(file), bytes=size)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@database_option
@json_option
@clean_errors
def restore(file: Path, db: str, as_json: bool) -> None:
    """Put the backup FILE in the place of the database, which no server may have open.

    FILE is checked first and stays where it is. The database that was there is kept beside.

    \b
    Example:
      sessionary restore /backups/monday.sqlite3
    """
    kept = store.restore(file, Path(db), TABLES, timestamp())
    beside = "" if kept is None else f"; what was there is now {kept}"
    kept_text = None if kept is None else str(kept)
    print_result(
        f"{file} is restored to {db}{beside}", as_json, db=db, file=str(file), kept=kept_text
    )


@click.command()
@database_option
@json_option
@clean_errors
def check(db: str, as_json: bool) -> None:
    """Prove the database: its pages, its references, its schema. Exits with 1 if one is not sound.

    It may be served meanwhile.

    \b
    Example:
      sessionary check --json
    """
    findings = store.find_problems(Path(db), TABLES)
    rows: list[dict[str, Any]] = [
        {"check": each.check, "ok": each.problem is None, "problem": each.problem}
        for each in findings
    ]
    print_rows(rows, as_json=as_json, empty="")
    if any(each.problem for each in findings):
        raise click.exceptions.Exit(1)


@click.command()
@database_option
@json_option
@clean_errors
def migrate(db: str, as_json: bool) -> None:
    """Bring the database of an older program to this one's schema; a backup is made first.

    `serve` does the same when it starts.

    \b
    Example:
      sessionary migrate
    """
    before, after = store.file_version(Path(db)), store.schema_version()
    prepared = prepare(Settings(db=db, auth="lenient"))
    prepared.namespace.close()
    said = f"{db} has schema version {after} already"
    kept = None if prepared.kept is None else str(prepared.kept)
    if kept is not None:
        said = f"{db} is upgraded from schema version {before} to {after}; as it was: {kept}"
    print_result(said, as_json, db=db, before=before, after=after, kept=kept)
