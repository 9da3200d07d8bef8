"""The same statements and values in a bare sqlite3 loop: the share of the engine."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from sessionary.store import Namespace
from sessionary.store.database import DURABILITY

_WRITES = ("INSERT", "UPDATE", "DELETE")


class Step(NamedTuple):
    """A statement and its values."""

    text: str
    values: tuple[Any, ...]

    @property
    def writes(self) -> bool:
        return self.text.startswith(_WRITES)

    def about(self, old: str, new: str) -> "Step":
        """Return the step for another session."""
        return self._replace(
            values=tuple(
                each.replace(old, new) if isinstance(each, str) else each for each in self.values
            )
        )


def record(namespace: Namespace, call: Callable[[], bytes]) -> tuple[list[Step], bytes]:
    """Return the statements of a call, and its response body."""
    steps: list[Step] = []
    with namespace.activate():
        connection = namespace.database.connection()  # type: ignore[no-untyped-call]
    execute = connection.execute

    def recording(text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if not text.startswith(("BEGIN", "COMMIT")):
            steps.append(Step(text, tuple(values)))
        return cast(sqlite3.Cursor, execute(text, values))

    connection.execute = recording
    try:
        body = call()
    finally:
        del connection.execute
    if not steps:
        raise LookupError("the call did not use execute() of its connection: nothing was recorded")
    return steps, body


def open_copy(namespace: Namespace, path: Path, durability: str) -> sqlite3.Connection:
    """Open a bare connection to a copy of the namespace, with our PRAGMAs."""
    connection = sqlite3.connect(path, isolation_level=None)
    with namespace.activate():
        namespace.database.connection().backup(connection)  # type: ignore[no-untyped-call]
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {DURABILITY[durability]}")
    return connection


def make_replay(connection: sqlite3.Connection, steps: Sequence[Step]) -> Callable[[], None]:
    """Make a function that runs these statements, the writes in one transaction.

    The select of the key comes before the transaction, as in the product.
    """
    if not any(step.writes for step in steps):
        return lambda: _run(connection, steps)
    before = 0 if steps[0].writes else 1

    def write() -> None:
        _run(connection, steps[:before])
        connection.execute("BEGIN IMMEDIATE")
        _run(connection, steps[before:])
        connection.execute("COMMIT")

    return write


def _run(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    for text, values in steps:
        connection.execute(text, values).fetchall()
