"""The schema: created in a new database, migrated in an older one.

To change it: change the models, add a function to the `migrations` of their surface that brings a
database of the previous version to the same tables and indexes, and run
`python -m tests.schema_versions`. It writes the fixture of the new version, which the tests upgrade
from then on.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import peewee as pw

from sessionary.store.connections import Database
from sessionary.store.database import Model, current_namespace, label
from sessionary.store.errors import DatabaseUnusable
from sessionary.store.migrations import Migration
from sessionary.store.transactions import transaction
from sessionary.store.undo_triggers import SessionColumns


@dataclass(frozen=True)
class Schema:
    """Tables, the rows of a new database, and migrations: from version 1 to 2, and so on.

    Before version n, the tables and indexes of `earlier(n)` had that SQL, or were not there.
    """

    tables: tuple[type[Model], ...]
    add_first_rows: Callable[[], None] = lambda: None
    migrations: tuple[Migration, ...] = ()
    earlier: Callable[[int], Mapping[str, str | None]] = lambda _: {}
    optional_tables: Callable[[], Sequence[type[Model]]] = tuple  # that some settings need
    single_rows: Mapping[str, str] = field(default_factory=dict)  # table: condition of its one row
    session_columns: SessionColumns = field(default_factory=dict)

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
            f"{label(namespace)} has schema version {version}, this program knows up to "
            f"{schema.version}: start the newer program, or restore an older copy."
        )
    if version < schema.version:
        before_upgrade(version)
    for older, migration in enumerate(schema.migrations[version - 1 :], start=version):
        _upgrade(database, older, migration)
    if database.file is not None:
        database.file.remember_identity()
        database.file.lease.share()


def create_tables(tables: Sequence[type[Model]]) -> None:
    """Create optional tables in the active namespace, if missing."""
    with transaction():  # another process sees a table with its indexes, or neither
        current_namespace().database.create_tables(tables, safe=True)


def create_temporary_tables(tables: Sequence[type[Model]]) -> None:
    """Let this connection, which only reads, find optional tables that the database lacks."""
    for table in tables:
        if not table.table_exists():  # type: ignore[no-untyped-call]
            table.create_table(safe=False, temporary=True)


def _create(database: Database, schema: Schema) -> int:
    """Fill an empty database, unless another process has; return its version."""
    with transaction():
        version = read_version(current_namespace().connection())
        if version:
            return version
        if database.run("SELECT 1 FROM sqlite_master").fetchone():
            name = label(current_namespace())
            raise DatabaseUnusable(f"{name} is the database of another program.")
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


def column_types(table: type[Model]) -> dict[str, tuple[type, ...]]:
    """Return the Python types that each column accepts."""
    return {each.column_name: _accepted_types(each) for each in table._meta.sorted_fields}


def _accepted_types(field: pw.Field) -> tuple[type, ...]:
    while isinstance(field, pw.ForeignKeyField):
        field = field.rel_field
    if isinstance(field, pw.TextField):
        return (str, type(None))
    return (int, float, type(None)) if isinstance(field, pw.FloatField) else (int, type(None))


def read_version(connection: sqlite3.Connection) -> int:
    """Return the schema version that a database has, 0 if it is empty or not ours."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
