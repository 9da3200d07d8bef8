"""The check of a database file: pages, foreign keys and schema."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sessionary.store.errors import DatabaseUnusable, is_corruption, is_unavailable, with_file_name
from sessionary.store.schema import Schema, expected_shape, read_shape, read_version

_MAX_PROBLEMS = 5  # listed per check; there may be one per row
BUSY_TIMEOUT_SECONDS = 5.0


class Finding(NamedTuple):
    """The name of a check, and the problem it found or None."""

    check: str
    problem: str | None


def find_problems(file: Path, schema: Schema, *, may_be_older: bool = False) -> list[Finding]:
    """Check pages, foreign keys and schema. Raises DatabaseUnusable if the file is unreadable."""
    checks: dict[str, Callable[[sqlite3.Connection], str | None]] = {
        "integrity": _check_pages,
        "references": _check_references,
        "schema": lambda connection: _check_schema(connection, schema, may_be_older),
    }
    with with_file_name(file), closing(open_read_only(file)) as connection:
        return [Finding(name, _run(check, connection)) for name, check in checks.items()]


def find_page_problem(file: Path) -> str | None:
    """Return what is wrong with the pages and indexes of a file, or None."""
    with with_file_name(file), closing(open_read_only(file)) as connection:
        return _run(_check_pages, connection)


def file_version(file: Path) -> int:
    """Return the schema version of a file. Raises DatabaseUnusable unless it is one of ours."""
    with with_file_name(file), closing(open_read_only(file)) as connection:
        version = read_version(connection)
    if not version:
        raise DatabaseUnusable(f"{file} is the database of another program, or empty.")
    return version


def open_read_only(file: Path) -> sqlite3.Connection:
    """Open a read-only connection. Raises DatabaseUnusable if it is missing."""
    if not file.is_file():
        raise DatabaseUnusable(f"No database at {file}.")
    mode = "immutable=1" if _is_immutable(file) else "mode=ro"
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?{mode}",
        timeout=BUSY_TIMEOUT_SECONDS,
        uri=True,
        isolation_level=None,
    )


def _is_immutable(file: Path) -> bool:
    """Return whether it has no WAL, and its folder is not writable for one."""
    path = file.resolve()
    has_log = any(Path(f"{path}{end}").exists() for end in ("-wal", "-journal"))
    return not has_log and not os.access(path.parent, os.W_OK)


def _check_pages(connection: sqlite3.Connection) -> str | None:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return None if found == ["ok"] else _join(found)


def _check_references(connection: sqlite3.Connection) -> str | None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return _join([f"row {row[1]} of {row[0]} refers to nothing in {row[2]}" for row in broken])


def _check_schema(connection: sqlite3.Connection, schema: Schema, may_be_older: bool) -> str | None:
    found, known = read_version(connection), schema.version
    if not found:
        return "it is the database of another program, or empty"
    if found > known:
        return f"it has version {found}, this program knows up to {known}: use the newer program"
    if found < known:
        older = f"it has version {found}, this program has {known}: run `sessionary migrate`"
        return None if may_be_older else older
    shape = read_shape(connection)
    expected = expected_shape(schema.tables).items()
    return _join(
        [f"{name} is not as it was made" for name, sql in expected if shape.get(name) != sql]
    )


def _run(
    check: Callable[[sqlite3.Connection], str | None], connection: sqlite3.Connection
) -> str | None:
    try:
        return check(connection)
    except sqlite3.DatabaseError as error:
        if is_unavailable(error) and not is_corruption(error):
            raise
        return str(error)


def _join(problems: list[str]) -> str | None:
    more = len(problems) - _MAX_PROBLEMS
    listed = problems[:_MAX_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
    return "; ".join(listed) or None
