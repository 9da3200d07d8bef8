"""Online backup of a database, and restore."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from stat import S_IMODE

from sessionary.store.atomic_files import atomic_write, fsync, give_to_owner
from sessionary.store.errors import DatabaseUnusable
from sessionary.store.files import exclusive_lease, is_in_use, resolve_path
from sessionary.store.integrity import find_copy_problem, find_problems, open_read_only
from sessionary.store.schema import Schema

Progress = Callable[[int, int], None]  # pages copied, pages in all

_PAGES = 4096  # per step of the copy
_LOGS = ("-wal", "-journal")  # belong to the database; SQLite recreates its other files


def back_up(
    file: Path,
    target: Path,
    schema: Schema,
    *,
    replace: bool = False,
    progress: Progress = lambda *_: None,
) -> None:
    """Copy a database as it is at one moment, while others read and write it.

    The copy is one complete file on disk, or does not exist. Raises DatabaseUnusable where there
    is nothing of ours to copy or the copy is damaged, and FileExistsError.
    """
    with backup_target(target, file, replace=replace) as draft:
        _copy(file, draft, target, progress)
        if problem := find_copy_problem(draft, schema):
            raise DatabaseUnusable(f"No copy of {file} was made: {problem}")


def restore(copy: Path, file: Path, schema: Schema, stamp: str) -> Path | None:
    """Replace a database that no process has open with a copy.

    Returns where the replaced database is kept, see `replace_database`. Raises DatabaseUnusable,
    changing nothing, if the copy is damaged or of a newer program.
    """
    _ensure_different(copy, file)
    with replace_database(file, stamp) as (draft, kept):
        _copy(copy, draft, file, lambda *_: None)
        for finding in find_problems(draft, schema, may_be_older=True):
            if finding.problem is not None:
                raise DatabaseUnusable(
                    f"{copy} cannot be restored, {finding.check}: {finding.problem}"
                )
    return kept


@contextmanager
def backup_target(target: Path, origin: Path | None, *, replace: bool) -> Iterator[Path]:
    """Yield a draft of a backup or export. Its mode stays 0600, as it holds the hashes of keys.

    Raises DatabaseUnusable if a process has the target open, FileExistsError if it exists and
    `replace` is false, and CannotWrite.
    """
    target = resolve_path(target)
    if origin is not None:
        _ensure_different(origin, target)
    _ensure_free(target, replace)
    with atomic_write(target) as draft:
        yield draft
        _ensure_free(target, replace)
        if target.exists():
            give_to_owner(draft, target)


@contextmanager
def replace_database(file: Path, stamp: str) -> Iterator[tuple[Path, Path | None]]:
    """Yield a draft that replaces a database no process has open, and where that one is kept.

    It is kept in the same folder, under its name and the stamp; None if there is none. Raises
    DatabaseUnusable if a process has it open.
    """
    file = resolve_path(file)
    kept = file.with_name(f"{file.name}.{stamp}")
    with exclusive_lease(file), atomic_write(file) as draft:
        yield draft, kept if file.exists() else None
        if file.exists():
            if file.stat().st_size:
                draft.chmod(S_IMODE(file.stat().st_mode))
            give_to_owner(draft, file)
        fsync(draft)
        _checkpoint(file)
        _set_aside(file, kept)


def _checkpoint(file: Path) -> None:
    """Move the WAL into the file, since the WAL is removed first. Leave a damaged file as it is."""
    if file.exists() and file.stat().st_size:  # SQLite removes the WAL of an empty file
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _set_aside(file: Path, kept: Path) -> None:
    """Link a database and its logs to new names, then remove the logs under the old ones."""
    for end in [end for end in ("", *_LOGS) if Path(f"{file}{end}").exists()]:
        os.link(f"{file}{end}", f"{kept}{end}")
    # Only when all of it is kept: a log without its database destroys the next one.
    for end in (*_LOGS, "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)


def _copy(file: Path, draft: Path, target: Path, progress: Progress) -> None:
    try:
        with closing(open_read_only(file)) as origin, closing(sqlite3.connect(draft)) as copy:
            # An open read transaction, so that writes of others do not restart the copy.
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
            origin.backup(
                copy, pages=_PAGES, progress=lambda _, left, count: progress(count - left, count)
            )
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL
    except sqlite3.DatabaseError as error:
        raise DatabaseUnusable(f"{file} cannot be copied to {target}: {error}.") from error


def _ensure_different(file: Path, target: Path) -> None:
    if file.exists() and target.exists() and file.samefile(target):
        raise DatabaseUnusable(f"{target} is the database itself: name another file.")


def _ensure_free(target: Path, replace: bool) -> None:
    if target.exists() and not replace:
        raise FileExistsError(f"{target} exists already: name another file, or use --force")
    if is_in_use(target):
        raise DatabaseUnusable(f"{target} is open in another process: name another file.")
    for log in (Path(f"{target}{end}") for end in _LOGS):
        if log.exists():
            raise DatabaseUnusable(
                f"{log} holds the last writes of an earlier database, and would become a part of "
                "the copy: move it away with that database, or name another file."
            )
