"""The same statements with the same values in a bare sqlite3 loop: what the engine alone takes."""

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
        """The same of another session."""
        return self._replace(
            values=tuple(
                each.replace(old, new) if isinstance(each, str) else each for each in self.values
            )
        )


def record(namespace: Namespace, call: Callable[[], bytes]) -> tuple[list[Step], bytes]:
    """What a call asks of the database, and what it answers."""
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
        raise LookupError("the call went past its connection's execute(): nothing was recorded")
    return steps, body


def copied(namespace: Namespace, path: Path, durability: str) -> sqlite3.Connection:
    """A bare connection to a copy of the namespace, set up as the product sets up its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    with namespace.activate():
        namespace.database.connection().backup(connection)  # type: ignore[no-untyped-call]
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {DURABILITY[durability]}")
    return connection


def replaying(connection: sqlite3.Connection, steps: Sequence[Step]) -> Callable[[], None]:
    """A function that runs these statements. Those that write share a transaction.

    What the product read before is read before; the product identifies its caller first.
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
