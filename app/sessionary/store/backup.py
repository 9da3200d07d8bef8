"""Copies of a namespace's file: made while it is served, and put back in its place."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from stat import S_IMODE

from sessionary.store.atomic_files import atomic_write, fsync
from sessionary.store.database import Model
from sessionary.store.errors import DatabaseUnusable
from sessionary.store.files import is_open, replacing, resolved
from sessionary.store.integrity import check, integrity, reading

Progress = Callable[[int, int], None]  # how much is done, of how much

_PAGES = 4096  # that are copied at once
_JOURNALS = ("-wal", "-journal")  # a part of the database beside them; the rest is made anew


def back_up(
    file: Path, target: Path, *, replace: bool = False, progress: Progress = lambda *_: None
) -> None:
    """Copy a database as it is at one moment, while others read and write it.

    The copy is one whole file on disk, or not there at all. Raises DatabaseUnusable where there
    is nothing to copy or the copy is not sound, and FileExistsError.
    """
    with backup_target(target, file, replace=replace) as draft:
        _copy(file, draft, target, progress)
        problem = integrity(draft)
        if problem is not None:
            raise DatabaseUnusable(f"{file} is damaged, no copy of it was made: {problem}")


def restore(copy: Path, file: Path, tables: Sequence[type[Model]], stamp: str) -> Path | None:
    """Put a copy in the place of a database that nobody has open.

    Gives where the database is now that was there before: beside, under a name with the stamp.
    Raises DatabaseUnusable, changing nothing, for a copy that is not sound or of a newer program.
    """
    _must_differ(copy, file)
    with replace_database(file, stamp) as (draft, kept):
        _copy(copy, draft, file, lambda *_: None)
        for finding in check(draft, tables, may_be_older=True):
            if finding.problem is not None:
                raise DatabaseUnusable(
                    f"{copy} cannot be restored, {finding.check}: {finding.problem}"
                )
    return kept


@contextmanager
def backup_target(target: Path, origin: Path, *, replace: bool) -> Iterator[Path]:
    """A draft of what is taken from a database to another file, which no process has open.

    Raises DatabaseUnusable, and FileExistsError for a file that is not to be replaced.
    """
    target = resolved(target)
    _must_differ(origin, target)
    _must_be_free(target, replace)
    with atomic_write(target) as draft:
        yield draft
        _must_be_free(target, replace)
        if target.exists():
            _give(draft, target)
        draft.chmod(0o600)  # as it holds the hashes of keys


@contextmanager
def replace_database(file: Path, stamp: str) -> Iterator[tuple[Path, Path | None]]:
    """A draft of what takes the place of a database that nobody has open.

    With it comes where the database is then that was there before: beside, under a name with the
    stamp. Raises DatabaseUnusable where a process has it open.
    """
    file = resolved(file)
    kept = file.with_name(f"{file.name}.{stamp}")
    with replacing(file), atomic_write(file) as draft:
        yield draft, kept if file.exists() else None
        _belong_as(file, draft)
        fsync(draft)
        _take_journal_in(file)
        _set_aside(file, kept)


def _take_journal_in(file: Path) -> None:
    """Let nothing be in the journal alone, which goes first; what is damaged stays as it is."""
    if file.exists() and file.stat().st_size:  # beside an empty file the engine removes a journal
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _set_aside(file: Path, kept: Path) -> None:
    """Give a database another name, its journal too, as the first half of replacing it."""
    found = [end for end in ("", *_JOURNALS) if Path(f"{file}{end}").exists()]
    for end in found:
        os.link(f"{file}{end}", f"{kept}{end}")
    # Only now, when all of it is kept: a journal without its database is the end of the next one.
    for end in (*_JOURNALS, "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)


def _copy(file: Path, draft: Path, target: Path, progress: Progress) -> None:
    try:
        with closing(reading(file)) as origin, closing(sqlite3.connect(draft)) as copy:
            # Held open, so that what others write meanwhile does not make it begin again.
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
            origin.backup(
                copy, pages=_PAGES, progress=lambda _, left, count: progress(count - left, count)
            )
            copy.execute("PRAGMA journal_mode = DELETE")  # nothing beside it that could be lost
    except sqlite3.DatabaseError as error:
        raise DatabaseUnusable(f"{file} cannot be copied to {target}: {error}.") from error


def _belong_as(file: Path, draft: Path) -> None:
    """To whom the database belongs that it replaces; a new one to the owner of its folder alone."""
    is_there = file.exists()
    draft.chmod(S_IMODE(file.stat().st_mode) if is_there else 0o600)
    _give(draft, file if is_there else file.absolute().parent)


def _give(draft: Path, like: Path) -> None:
    if os.geteuid() == 0:
        found = like.stat()
        os.chown(draft, found.st_uid, found.st_gid)


def _must_differ(file: Path, target: Path) -> None:
    if file.exists() and target.exists() and file.samefile(target):
        raise DatabaseUnusable(f"{target} is the database itself: name another file.")


def _must_be_free(target: Path, replace: bool) -> None:
    if target.exists() and not replace:
        raise FileExistsError(f"{target} is there already: name another file, or use --force")
    if is_open(target):
        raise DatabaseUnusable(f"{target} is open in another process: name another file.")
    for journal in (Path(f"{target}{end}") for end in _JOURNALS):
        if journal.exists():
            raise DatabaseUnusable(
                f"{journal} holds what was written last to an earlier database, and would become "
                "a part of the copy: move it away with that database, or name another file."
            )
