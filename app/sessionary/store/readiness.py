"""The readiness check: would a write succeed now?"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sessionary.store.database import Namespace, label
from sessionary.store.errors import DatabaseUnavailable, DatabaseUnusable, is_busy
from sessionary.store.schema import read_version

_TIMEOUT_MS = 250
_TRIAL_BYTES = 32_768  # far more than a cache of one page: some of it reaches the disk


def check_writable(namespace: Namespace) -> None:
    """Check the schema version and try a write, which is rolled back.

    It waits at most 250 ms for other writers. Raises DatabaseUnavailable or an SQLite error.
    """
    if namespace.database.file is None:
        return  # memory is always writable
    with namespace.activate():
        namespace.check_file_unchanged()
        connection = namespace.connection()
        _check_schema(connection, namespace.schema_version)
        with _short_timeout(connection):
            before = _data_version(connection)
            try:
                _try_write(connection)
            except sqlite3.OperationalError as error:
                # If others committed in the meantime, the disk works.
                if not is_busy(error) or _data_version(connection) == before:
                    raise


def ensure_writable(namespace: Namespace) -> None:
    """Raise DatabaseUnusable if this process may not write to the file."""
    try:
        check_writable(namespace)
    except (DatabaseUnavailable, sqlite3.OperationalError) as error:
        if not is_busy(error):
            raise DatabaseUnusable(
                f"{label(namespace)} cannot be written by this user: {error}."
            ) from error


def _check_schema(connection: sqlite3.Connection, known: int) -> None:
    if (version := read_version(connection)) != known:
        raise DatabaseUnavailable(
            f"the database has schema version {version}, this program needs "
            f"{known}: restart the server"
        )


@contextmanager
def _short_timeout(connection: sqlite3.Connection) -> Iterator[None]:
    """Shorten the busy timeout, and the cache so that the trial reaches the disk."""
    trial = {"busy_timeout": _TIMEOUT_MS, "cache_size": 1}
    before = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in trial}
    for name, value in trial.items():
        connection.execute(f"PRAGMA {name} = {value}")
    try:
        yield
    finally:
        for name, value in before.items():
            connection.execute(f"PRAGMA {name} = {value}")


def _data_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes with every commit of another connection."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _try_write(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE sessionary_trial (content)")
        connection.execute("INSERT INTO sessionary_trial VALUES (zeroblob(?))", (_TRIAL_BYTES,))
    finally:
        connection.rollback()
