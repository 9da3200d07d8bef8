"""The check of a database file: pages, foreign keys, schema and rows."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from sessionary.durations import monotonic
from sessionary.store.database import Model
from sessionary.store.errors import DatabaseUnusable, is_corruption, is_unavailable, with_file_name
from sessionary.store.files import read_only_uri, resolve_path
from sessionary.store.foreign_schema import (
    find_differences,
    has_first_undo_log,
    has_table_of,
    has_undo_log,
)
from sessionary.store.schema import Schema, column_types, read_version

_MAX_PROBLEMS = 5  # listed per check; there may be one per row
BUSY_TIMEOUT_SECONDS = 5.0
_LOOK_STEPS = 1_000  # of SQLite's machine between two looks at the clock
_SQL_TYPES = {int: "'integer'", float: "'real'", str: "'text'", type(None): "'null'"}
# Entries of the undo log that are not of a table and as many values as it has columns.
_BAD_ENTRIES = """SELECT count(*) FROM history_entries WHERE table_name <> '' AND CASE
WHEN old_values IS NULL THEN 0 WHEN json_valid(old_values) THEN json_array_length(old_values)
IS NOT NULLIF((SELECT count(*) FROM pragma_table_info(table_name)), 0) ELSE 1 END"""


class Finding(NamedTuple):
    """The name of a check, and the problem it found or None."""

    check: str
    problem: str | None


def find_problems(file: Path, schema: Schema, *, may_be_older: bool = False) -> list[Finding]:
    """Check pages, foreign keys, schema and rows; of a foreign schema, only the schema.

    Raises DatabaseUnusable if the file is unreadable.
    """
    with with_file_name(file), closing(open_read_only(file)) as connection:
        return _find_problems(connection, schema, may_be_older)


def find_copy_problem(file: Path, schema: Schema) -> str | None:
    """Return the problem of the tables, pages and indexes of a backup, or None."""
    with with_file_name(file), closing(open_read_only(file)) as connection:
        checks = _check_origin, _check_tables
        problems = (_run(partial(check, connection, schema)) for check in checks)
        return next(filter(None, problems), None) or _run(partial(_check_pages, connection))


def ensure_sound(connection: sqlite3.Connection, schema: Schema) -> None:
    """Raise DatabaseUnusable for the first problem of a file of any known version."""
    for finding in _find_problems(connection, schema, may_be_older=True):
        if finding.problem is not None:
            raise DatabaseUnusable(f"the file cannot be used, {finding.check}: {finding.problem}")


def file_version(
    file: Path, schema: Schema, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS
) -> int:
    """Return the schema version of a file, which may be newer than the program.

    Raises DatabaseUnusable if it is missing, of another program, or was altered by one.
    """
    with with_file_name(file), closing(open_read_only(file, busy_timeout_seconds)) as connection:
        connection.execute("BEGIN")  # another process may upgrade it
        version = read_version(connection)
        if _check_origin(connection, schema):
            raise DatabaseUnusable(f"{file} is the database of another program, or empty.")
        problem = _check_tables(connection, schema) or _check_single_rows(connection, schema)
        if has_first_undo_log(connection):
            raise DatabaseUnusable(f"{file} cannot be opened: {problem}.")
        if problem is not None:
            raise DatabaseUnusable(
                f"{file} was altered by another program: {problem}; restore a backup."
            )
        return version


def open_read_only(
    file: Path, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS
) -> sqlite3.Connection:
    """Open a connection that cannot write. Raises DatabaseUnusable if the file is missing."""
    if not resolve_path(file).is_file():
        raise DatabaseUnusable(f"there is no database at {file}{_similar_name(file)}")
    connection = sqlite3.connect(
        read_only_uri(file), timeout=busy_timeout_seconds, uri=True, isolation_level=None
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


@contextmanager
def time_limit(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt the statement that runs when the time is over; raise DatabaseUnusable then."""
    due = monotonic() + seconds
    connection.set_progress_handler(lambda: monotonic() > due, _LOOK_STEPS)
    try:
        yield
    except Exception as error:
        if monotonic() > due:
            raise DatabaseUnusable(
                f"the file cannot be used: to check it takes more than {seconds:g} s"
            ) from error
        raise
    finally:
        connection.set_progress_handler(None, 0)


def _similar_name(file: Path) -> str:
    """Return the end of a sentence: a question if the folder has a file of a similar name."""
    folder = file.absolute().parent
    databases = [each.name for each in folder.glob("*") if each.suffix == file.suffix]
    similar = get_close_matches(file.name, databases, n=1)
    return f": did you mean {file.with_name(similar[0])}?" if similar else "."


def _find_problems(
    connection: sqlite3.Connection, schema: Schema, may_be_older: bool
) -> list[Finding]:
    foreign = _run(partial(_check_tables, connection, schema))
    if foreign is not None:
        return [Finding("schema", foreign)]
    checks = {
        "integrity": partial(_check_pages, connection),
        "references": partial(_check_references, connection),
        "schema": partial(_check_schema, connection, schema, may_be_older),
    }
    return [Finding(name, _run(check)) for name, check in checks.items()]


def _check_origin(connection: sqlite3.Connection, schema: Schema) -> str | None:
    is_ours = read_version(connection) and has_table_of(connection, schema)
    return None if is_ours else "it is the database of another program, or empty"


def _check_tables(connection: sqlite3.Connection, schema: Schema) -> str | None:
    version = read_version(connection)
    is_known = version <= schema.version and not _check_origin(connection, schema)
    return _join(find_differences(connection, schema, version)) if is_known else None


def _check_pages(connection: sqlite3.Connection) -> str | None:
    texts = (str(row[0]) for row in connection.execute("PRAGMA integrity_check"))
    found = [line for text in texts for line in text.splitlines()]
    return None if found == ["ok"] else _join(found)


def _check_references(connection: sqlite3.Connection) -> str | None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return _join([f"row {row[1]} of {row[0]} refers to nothing in {row[2]}" for row in broken])


def _check_schema(connection: sqlite3.Connection, schema: Schema, may_be_older: bool) -> str | None:
    found, known = read_version(connection), schema.version
    if foreign := _check_origin(connection, schema):
        return foreign
    if found > known:
        return f"it has version {found}, this program knows up to {known}: use the newer program"
    if found < known and not may_be_older:
        return f"it has version {found}, this program has {known}: run `sessionary migrate`"
    problem = _check_single_rows(connection, schema)
    return problem or (_check_types(connection, schema) if found == known else None)


def _check_single_rows(connection: sqlite3.Connection, schema: Schema) -> str | None:
    for table, condition in schema.single_rows.items():
        query = f'SELECT count(*), total({condition}) FROM "{table}"'
        if connection.execute(query).fetchone() != (1, 1):
            return f"{table} does not have the one row that the program needs"
    return None


def _check_types(connection: sqlite3.Connection, schema: Schema) -> str | None:
    """Compare the types of all values, which SQLite does not enforce."""
    problems = []
    for table in schema.tables:
        if count := connection.execute(_other_types_query(table)).fetchone()[0]:
            name = table._meta.table_name
            problems.append(f"{count} rows of {name} hold a value of another type")
    if has_undo_log(connection) and (count := connection.execute(_BAD_ENTRIES).fetchone()[0]):
        problems.append(f"{count} entries of the undo log do not fit their table")
    return _join(problems)


@cache
def _other_types_query(table: type[Model]) -> str:
    others = [
        f'typeof("{name}") NOT IN ({", ".join(_SQL_TYPES[each] for each in types)})'
        for name, types in column_types(table).items()
    ]
    return f'SELECT count(*) FROM "{table._meta.table_name}" WHERE {" OR ".join(others)}'


def _run(check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except sqlite3.DatabaseError as error:
        is_interrupted = error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
        if is_interrupted or (is_unavailable(error) and not is_corruption(error)):
            raise
        return str(error)


def _join(problems: list[str]) -> str | None:
    more = len(problems) - _MAX_PROBLEMS
    listed = problems[:_MAX_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
    return "; ".join(listed) or None
