"""Group commit: one wait for the disk for the writes of several requests.

A thread that serves one request after the other opens a group. In it, each outermost transaction is
a savepoint in one transaction of SQLite, so that a refusal undoes itself alone. The group is
committed before any of its requests is answered: nobody sees what is not on the disk yet.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from sessionary.durations import monotonic
from sessionary.store.database import Namespace
from sessionary.store.errors import DatabaseUnavailable, is_unavailable

_group: ContextVar["CommitGroup | None"] = ContextVar("sessionary_commit_group", default=None)


class CommitGroup:
    """The writes of several requests, in one namespace."""

    def __init__(self) -> None:
        self.error: Exception | None = None  # of the commit; then nothing was written
        self._namespace: Namespace | None = None  # once it has begun
        self._connection: sqlite3.Connection
        self._lock = ExitStack()
        self._is_in_part = False
        self._cause = "the transaction was undone"  # or the error of the database that undid it

    @property
    def has_begun(self) -> bool:
        """Whether a request has written anything, or read what another one has."""
        return self._namespace is not None

    def takes(self, namespace: Namespace) -> bool:
        """Return whether a transaction that begins now is a part of this group."""
        if self._is_in_part:
            return False
        if self._namespace is None:
            return not namespace.connection().in_transaction
        return self._namespace is namespace

    @contextmanager
    def part(self, namespace: Namespace) -> Iterator[None]:
        """Run the block as a transaction of its own in the group."""
        if self._namespace is None:
            self._begin(namespace)
        namespace.ensure_same_contents()
        connection = self._connection
        self._ensure_going_on()
        connection.execute("SAVEPOINT part")
        self._is_in_part = True
        try:
            yield
        except BaseException as error:
            if is_unavailable(error):
                self._cause = str(error)
            if self._is_going_on():
                connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._is_in_part = False
            if self._is_going_on():
                connection.execute("RELEASE part")

    def _begin(self, namespace: Namespace) -> None:
        with ExitStack() as stack:
            due = stack.enter_context(namespace.write_lock)
            self._connection = namespace.connection()
            begin(self._connection, due)
            self._lock = stack.pop_all()
        self._namespace = namespace

    def _is_going_on(self) -> bool:
        """Return whether neither SQLite nor a closed connection has ended the transaction."""
        try:
            return self._connection.in_transaction
        except sqlite3.ProgrammingError:
            return False

    def _ensure_going_on(self) -> None:
        if not self._is_going_on():
            raise DatabaseUnavailable(self._cause)

    def commit(self) -> None:
        """Commit, if it has begun; set `error` if that fails."""
        if self._namespace is None:
            return
        with self._lock:
            try:
                self._ensure_going_on()
                self._connection.execute("COMMIT")
            except (sqlite3.Error, DatabaseUnavailable) as error:
                self.error = error
                if self._is_going_on():
                    self._connection.rollback()
        if self.error is None:
            self._namespace.outages.report_success()


def begin(connection: sqlite3.Connection, due: float | None) -> None:
    """Begin to write; wait until then for a program that holds SQLite's own lock."""
    if due is None:
        connection.execute("BEGIN IMMEDIATE")
        return
    left_ms = max(0, int(1000 * (due - monotonic())))
    (timeout_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {left_ms}")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")


@contextmanager
def commit_group() -> Iterator[CommitGroup]:
    """Let the transactions of the block be parts of one group, which is committed at its end."""
    group = CommitGroup()
    token = _group.set(group)
    try:
        yield group
    finally:
        _group.reset(token)
        group.commit()


def current_group() -> CommitGroup | None:
    """Return the group of the running thread, if there is one."""
    return _group.get()
