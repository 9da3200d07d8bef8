"""Whether a namespace could be written just now."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sessionary.store.database import Namespace
from sessionary.store.errors import DatabaseUnavailable
from sessionary.store.schema import schema_version

_PATIENCE_MS = 250
_TRIAL_BYTES = 32_768  # far more than a cache of one page holds: some of it reaches the disk


def check_writable(namespace: Namespace) -> None:
    """That a namespace has this program's schema and that a write to it would succeed just now.

    What is written is taken back, and waits for others no longer than a quarter of a second.
    Raises DatabaseUnavailable, or what the engine says.
    """
    if namespace.database.file is None:
        return  # memory is always there, and nobody else has it
    with namespace.activate():
        namespace.check_file_unchanged()
        connection = namespace.writable()
        _prove_schema(connection)
        with _impatient(connection):
            before = _foreign_commits(connection)
            try:
                _try_to_write(connection)
            except sqlite3.OperationalError as error:
                # Where others have written while we waited, the disk is as it should be.
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or _foreign_commits(connection) == before:
                    raise


def _prove_schema(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != schema_version():
        raise DatabaseUnavailable(
            f"the database has schema version {found}, this program works with "
            f"{schema_version()}: restart the server"
        )


@contextmanager
def _impatient(connection: sqlite3.Connection) -> Iterator[None]:
    """Wait for a lock but briefly, and keep next to nothing back from the disk."""
    wanted = {"busy_timeout": _PATIENCE_MS, "cache_size": 1}
    before = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    _set(connection, wanted)
    try:
        yield
    finally:
        _set(connection, before)


def _set(connection: sqlite3.Connection, pragmas: dict[str, int]) -> None:
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _foreign_commits(connection: sqlite3.Connection) -> int:
    """A number that changes with every commit of another connection."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _try_to_write(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE sessionary_trial (content)")
        connection.execute("INSERT INTO sessionary_trial VALUES (zeroblob(?))", (_TRIAL_BYTES,))
    finally:
        connection.rollback()
