"""The schema, and what became of it from version to version.

To change it: change the models, append to migrations.MIGRATIONS the function that brings a
database of the version before to the same tables and indexes, and run
`python -m tests.schema_versions`, which writes the fixture of the new version that the tests will
upgrade from then on.
"""

import sqlite3
from collections.abc import Callable, Sequence

from sessionary.store.database import (
    Database,
    Model,
    current_namespace,
    memory_namespace,
    transaction,
)
from sessionary.store.errors import DatabaseUnusable
from sessionary.store.migrations import MIGRATIONS, Migration


def schema_version() -> int:
    """The version that this program works with."""
    return 1 + len(MIGRATIONS)


def create(
    tables: Sequence[type[Model]],
    first_rows: Callable[[], None],
    before_upgrade: Callable[[int], None] = lambda _: None,
) -> None:
    """Bring the active namespace to this program's schema; safe when several processes start.

    `before_upgrade` is told the version of an older database before anything of it is changed.
    Raises DatabaseUnusable for a database of a newer program, and if rows cannot be upgraded.
    """
    database = current_namespace().database
    found = _version(database)
    if found == 0:
        found = _make(database, tables, first_rows)
    if found > schema_version():
        raise DatabaseUnusable(
            f"{database.database} has schema version {found}, this program knows up to "
            f"{schema_version()}: start the newer program, or restore an older copy."
        )
    if found < schema_version():
        before_upgrade(found)
    for version, migrate in enumerate(MIGRATIONS[found - 1 :], start=found):
        _upgrade(database, version, migrate)
    if database.file is not None:
        database.file.know()


def add(tables: Sequence[type[Model]]) -> None:
    """Make tables that not every database has, unless they are there."""
    current_namespace().database.create_tables(tables, safe=True)


def _make(database: Database, tables: Sequence[type[Model]], first_rows: Callable[[], None]) -> int:
    """Make the tables of an empty database, unless another process has; gives its version."""
    with transaction():
        found = _version(database)
        if found:
            return found
        if database.get_tables():
            raise DatabaseUnusable(f"{database.database} is the database of another program.")
        database.create_tables(tables, safe=False)
        first_rows()
        _mark(database, schema_version())
        return schema_version()


def _upgrade(database: Database, version: int, migrate: Migration) -> None:
    """From this version to the next, whole or not at all, unless another process has.

    A table that is made anew may break its references meanwhile: they are proved at the end.
    """
    database.run("PRAGMA foreign_keys = OFF")
    try:
        with transaction():
            if _version(database) != version:
                return
            migrate(database)
            broken = database.run("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise DatabaseUnusable(
                    f"{database.database} cannot be upgraded to schema version {version + 1}: "
                    f"row {broken[1]} of {broken[0]} would refer to nothing in {broken[2]}. "
                    "Nothing was changed: run `sessionary check`."
                )
            _mark(database, version + 1)
    finally:
        database.run("PRAGMA foreign_keys = ON")


def shape(connection: sqlite3.Connection) -> dict[str, str]:
    """Each table and index by name, as SQL made it; those that the engine makes have no SQL."""
    made = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql > ''"
    return dict(connection.execute(made))


def wanted_shape(tables: Sequence[type[Model]]) -> dict[str, str]:
    """What a new database of these tables has."""
    namespace = memory_namespace()
    try:
        with namespace.activate():
            namespace.database.create_tables(tables, safe=False)
            return shape(namespace.connection())
    finally:
        namespace.close()


def _mark(database: Database, version: int) -> None:
    database.run(f"PRAGMA user_version = {version}")


def _version(database: Database) -> int:
    return int(database.run("PRAGMA user_version").fetchone()[0])
