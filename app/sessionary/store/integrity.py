"""Whether a file holds a database of this program, whole and sound."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sessionary.store.database import Model
from sessionary.store.errors import DatabaseUnusable, is_damage, is_unavailable, with_file_name
from sessionary.store.schema import schema_version, shape, wanted_shape

_SHOWN = 5  # problems of one kind; there may be one for each row
PATIENCE_SECONDS = 5.0  # with others who keep it locked


class Finding(NamedTuple):
    """What was looked at, and what is wrong with it, or None."""

    check: str
    problem: str | None


def check(
    file: Path, tables: Sequence[type[Model]], *, may_be_older: bool = False
) -> list[Finding]:
    """Look at the pages, the references and the schema of a file.

    Raises DatabaseUnusable where there is none, or it cannot be read just now.
    """
    checks: dict[str, Callable[[sqlite3.Connection], str | None]] = {
        "integrity": _integrity,
        "references": _references,
        "schema": lambda connection: _schema(connection, tables, may_be_older),
    }
    with with_file_name(file), closing(reading(file)) as connection:
        return [Finding(name, _found(look, connection)) for name, look in checks.items()]


def reading(file: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises DatabaseUnusable where there is no file."""
    if not file.is_file():
        raise DatabaseUnusable(f"There is no database at {file}.")
    how = "immutable=1" if _is_at_rest(file) else "mode=ro"
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?{how}",
        timeout=PATIENCE_SECONDS,
        uri=True,
        isolation_level=None,
    )


def _is_at_rest(file: Path) -> bool:
    """Whether it is whole without a journal, and nothing can be made beside it to read it with."""
    found = file.resolve()
    has_journal = any(Path(f"{found}{end}").exists() for end in ("-wal", "-journal"))
    return not has_journal and not os.access(found.parent, os.W_OK)


def version(file: Path) -> int:
    """The schema version of a file. Raises DatabaseUnusable where it is none of this program's."""
    with with_file_name(file), closing(reading(file)) as connection:
        found = _version(connection)
    if not found:
        raise DatabaseUnusable(f"{file} is the database of another program, or empty.")
    return found


def integrity(file: Path) -> str | None:
    """What is wrong with its pages and indexes, or None."""
    with with_file_name(file), closing(reading(file)) as connection:
        return _found(_integrity, connection)


def _integrity(connection: sqlite3.Connection) -> str | None:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return None if found == ["ok"] else _told(found)


def _references(connection: sqlite3.Connection) -> str | None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return _told([f"row {row[1]} of {row[0]} refers to nothing in {row[2]}" for row in broken])


def _schema(
    connection: sqlite3.Connection, tables: Sequence[type[Model]], may_be_older: bool
) -> str | None:
    found, known = _version(connection), schema_version()
    if not found:
        return "it is the database of another program, or empty"
    if found > known:
        return f"it has version {found}, this program knows up to {known}: use the newer program"
    if found < known:
        older = f"it has version {found}, this program has {known}: run `sessionary migrate`"
        return None if may_be_older else older
    has = shape(connection)
    wanted = wanted_shape(tables).items()
    return _told([f"{name} is not as it was made" for name, sql in wanted if has.get(name) != sql])


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _found(
    look: Callable[[sqlite3.Connection], str | None], connection: sqlite3.Connection
) -> str | None:
    try:
        return look(connection)
    except sqlite3.DatabaseError as error:
        if is_unavailable(error) and not is_damage(error):
            raise
        return str(error)


def _told(problems: list[str]) -> str | None:
    more = len(problems) - _SHOWN
    shown = problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return "; ".join(shown) or None
