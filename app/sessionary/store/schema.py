"""The schema: created in a new database, migrated in an older one.

To change it: change the models, add a function to the `migrations` of their surface that brings a
database of the previous version to the same tables and indexes, and run
`python -m tests.schema_versions`. It writes the fixture of the new version, which the tests upgrade
from then on.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from sessionary.store.connections import Database
from sessionary.store.database import Model, current_namespace, memory_namespace
from sessionary.store.errors import DatabaseUnusable
from sessionary.store.migrations import Migration
from sessionary.store.transactions import transaction


@dataclass(frozen=True)
class Schema:
    """Tables, the rows of a new database, and migrations: from version 1 to 2, and so on."""

    tables: tuple[type[Model], ...]
    add_first_rows: Callable[[], None] = lambda: None
    migrations: tuple[Migration, ...] = ()

    @property
    def version(self) -> int:
        """The version that the program works with."""
        return 1 + len(self.migrations)


def migrate(schema: Schema, before_upgrade: Callable[[int], None] = lambda _: None) -> None:
    """Create or upgrade the tables of the active namespace; safe when several processes start.

    `before_upgrade` gets the version of an older database before anything is changed. Raises
    DatabaseUnusable for a newer database, and if rows cannot be upgraded.
    """
    namespace = current_namespace()
    namespace.schema_version = schema.version
    database = namespace.database
    version = read_version(namespace.connection())
    if version == 0:
        version = _create(database, schema)
    if version > schema.version:
        raise DatabaseUnusable(
            f"{database.database} has schema version {version}, this program knows up to "
            f"{schema.version}: start the newer program, or restore an older copy."
        )
    if version < schema.version:
        before_upgrade(version)
    for older, migration in enumerate(schema.migrations[version - 1 :], start=version):
        _upgrade(database, older, migration)
    if database.file is not None:
        database.file.remember_identity()


def create_tables(tables: Sequence[type[Model]]) -> None:
    """Create optional tables in the active namespace, if missing."""
    current_namespace().database.create_tables(tables, safe=True)


def _create(database: Database, schema: Schema) -> int:
    """Fill an empty database, unless another process has; return its version."""
    with transaction():
        version = read_version(current_namespace().connection())
        if version:
            return version
        if database.get_tables():
            raise DatabaseUnusable(f"{database.database} is the database of another program.")
        database.create_tables(schema.tables, safe=False)
        schema.add_first_rows()
        database.run(f"PRAGMA user_version = {schema.version}")
        return schema.version


def _upgrade(database: Database, version: int, migration: Migration) -> None:
    """Run one migration in a transaction, unless another process has.

    Foreign keys are off, so that it can recreate a table, and checked at the end.
    """
    database.run("PRAGMA foreign_keys = OFF")
    try:
        with transaction():
            if read_version(current_namespace().connection()) != version:
                return
            migration(database)
            broken = database.run("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise DatabaseUnusable(
                    f"{database.database} cannot be upgraded to schema version {version + 1}: "
                    f"row {broken[1]} of {broken[0]} would refer to nothing in {broken[2]}. "
                    "Nothing was changed: run `sessionary check`."
                )
            database.run(f"PRAGMA user_version = {version + 1}")
    finally:
        database.run("PRAGMA foreign_keys = ON")


def read_shape(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the SQL of each table and index by name, without SQLite's automatic indexes."""
    query = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql > ''"
    return dict(connection.execute(query))


def expected_shape(tables: Sequence[type[Model]]) -> dict[str, str]:
    """Return the shape of a new database with these tables."""
    with closing(memory_namespace()) as namespace, namespace.activate():
        namespace.database.create_tables(tables, safe=False)
        return read_shape(namespace.connection())


def read_version(connection: sqlite3.Connection) -> int:
    """Return the schema version that a database has, 0 if it is empty or not ours."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
