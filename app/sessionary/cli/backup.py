"""`sessionary backup`, `restore`, `check` and `migrate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sessionary import store
from sessionary.cli.database import database_command, kept_note, timestamp
from sessionary.cli.output import Output
from sessionary.cli.progress import progress_bar, progress_option
from sessionary.cli.tables import format_table
from sessionary.factory import SCHEMA, prepare
from sessionary.settings import Settings


@click.command(epilog="Example: sessionary backup monday.sqlite3 --force")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@progress_option
@database_command
def backup(file: Path, force: bool, progress: bool | None, db: str) -> Output:
    """Copy the database to FILE, even while a server uses it.

    The copy is consistent and is verified before it gets its name. It holds the hashes of API
    keys, so only its owner can read it.
    """
    if str(file) == "-":
        raise click.BadParameter("a backup is a file, not standard output", param_hint="FILE")
    with progress_bar("copying", progress) as show:
        store.back_up(Path(db), file, SCHEMA, replace=force, progress=show)
    size = file.stat().st_size
    return Output({"db": db, "file": file, "bytes": size}, f"Copied {db} to {file}")


@click.command(epilog="Example: sessionary restore monday.sqlite3")
@click.argument("file", type=click.Path(path_type=Path))
@database_command
def restore(file: Path, db: str) -> Output:
    """Replace the database with a copy of the backup FILE.

    Stop all servers that use the database first. FILE is verified before; the previous database is
    kept next to the new one.
    """
    kept = store.restore(file, Path(db), SCHEMA, timestamp())
    value = {"db": db, "file": file, "kept": kept}
    return Output(value, f"Restored {file} to {db}{kept_note(kept)}")


@click.command(epilog="Example: sessionary check --json")
@database_command
def check(db: str) -> Output:
    """Check the integrity of the database.

    It reads all pages, foreign keys and the schema. Exits with 1 if a check fails. A server may
    use the database at the same time.
    """
    findings = store.find_problems(Path(db), SCHEMA)
    rows: list[dict[str, Any]] = [
        {"check": each.check, "ok": each.problem is None, "problem": each.problem}
        for each in findings
    ]
    return Output(
        rows,
        format_table(rows, colours={"ok": _colour}),
        exit_code=int(any(each.problem for each in findings)),
    )


def _colour(row: Mapping[str, Any]) -> str:
    return "green" if row["ok"] else "red"


@click.command(epilog="Example: sessionary migrate")
@database_command
def migrate(db: str) -> Output:
    """Upgrade the database to the schema of this program.

    `serve` does the same. A backup is kept.
    """
    before, after = store.file_version(Path(db), SCHEMA), SCHEMA.version
    if before < after:
        with store.exclusive_lease(Path(db)):  # others would wait long, and then fail
            pass
    prepared = prepare(Settings(db=db, auth="lenient"))
    prepared.namespace.close()
    text = f"{db} already has schema version {after}"
    if prepared.kept is not None:
        text = f"Upgraded {db} from schema version {before} to {after}; backup: {prepared.kept}"
    return Output({"db": db, "before": before, "after": after, "kept": prepared.kept}, text)
