"""The comparison of a database's schema with the one that the program makes.

A file from outside may hold triggers, views and altered tables, which would run with our
statements. So every row of `sqlite_master` must be one that this program writes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from functools import cache
from typing import NamedTuple

from sessionary.store.database import Model, memory_namespace
from sessionary.store.schema import Schema
from sessionary.store.undo_log import TABLES as UNDO_TABLES
from sessionary.store.undo_triggers import read_columns, triggers

_UNDO_ENTRIES = "history_entries"
_FIRST_UNDO_LOG = "history_changes"  # a table of the first format


class Entry(NamedTuple):
    """A row of `sqlite_master`, without its page."""

    type: str
    name: str
    table: str
    sql: str | None


def read_entries(connection: sqlite3.Connection) -> set[Entry]:
    """Return all tables, indexes, views and triggers."""
    return set(
        map(Entry._make, connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
    )


def has_table_of(connection: sqlite3.Connection, schema: Schema) -> bool:
    """Return whether something has the name of one of our tables."""
    return not _found_names(connection).isdisjoint(_names(schema.tables))


def has_undo_log(connection: sqlite3.Connection) -> bool:
    """Return whether a database without foreign tables has an undo log."""
    return _UNDO_ENTRIES in _found_names(connection)


def has_first_undo_log(connection: sqlite3.Connection) -> bool:
    """Return whether a double has left an undo log that this program does not read."""
    return _FIRST_UNDO_LOG in _found_names(connection)


def _found_names(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def find_differences(connection: sqlite3.Connection, schema: Schema, version: int) -> list[str]:
    """Name everything that a database of this version, which the program knows, must not have."""
    found = read_entries(connection)
    if has_first_undo_log(connection):
        return [
            "a double has left an undo log of the first format in it: run `sessionary serve` of a "
            f"program with schema version {version} on it once, which removes the log"
        ]
    expected = _expected(found, schema, version)
    if _UNDO_ENTRIES in {entry.name for entry in found}:
        expected |= found & _undo_entries(schema, expected)
    kinds, names = {each[:2] for each in expected}, {each.name for each in expected}
    foreign = sorted(
        f"{each.type} {each.name} is foreign" for each in found if each[:2] not in kinds
    )
    changed = {each.name for each in found ^ expected} & names
    return [*foreign, *(f"{name} is not as it was made" for name in sorted(changed))]


def _names(tables: Iterable[type[Model]]) -> set[str]:
    return {table._meta.table_name for table in tables}


def _expected(found: set[Entry], schema: Schema, version: int) -> set[Entry]:
    """Return what the found tables, and those that every database has, should be."""
    tables, present = schema.tables, {entry.table for entry in found}
    names = _names(tables)
    if not present <= names:
        tables = (*tables, *UNDO_TABLES, *schema.optional_tables())
    created: Set[Entry] = _created(tables)
    earlier: dict[str, str | None] = {}
    for later in range(schema.version, version, -1):
        earlier |= schema.earlier(later)
    if earlier:
        created = _created_before(created, earlier)
    return {entry for entry in created if entry.table in names | present}


@cache
def _created(tables: Sequence[type[Model]]) -> frozenset[Entry]:
    """Return the schema of a new database with these tables."""
    with closing(memory_namespace()) as namespace, namespace.activate():
        namespace.database.create_tables(tables, safe=False)
        return frozenset(read_entries(namespace.connection()))


def _created_before(created: Iterable[Entry], earlier: Mapping[str, str | None]) -> set[Entry]:
    """Return the schema with the earlier SQL of some tables and indexes."""
    tables_first = sorted(created, key=lambda entry: entry.type == "index")
    statements = {entry.name: entry.sql for entry in tables_first} | dict(earlier)
    with _database_of(statements) as connection:
        return read_entries(connection)


@contextmanager
def _database_of(statements: Mapping[str, str | None]) -> Iterator[sqlite3.Connection]:
    """Open a new database with these tables and indexes, by name."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, statement in statements.items():
            if statement is not None and not name.startswith("sqlite_"):  # SQLite makes those
                connection.execute(statement)
        yield connection


def _undo_entries(schema: Schema, expected: Iterable[Entry]) -> set[Entry]:
    """Return the triggers of the undo log, and the indexes that it adds to other tables."""
    entries = set()
    with _database_of({each.name: each.sql for each in expected if each.type == "table"}) as made:
        for tables in schema.session_columns.values():
            for table, session in tables.items():
                name = table._meta.table_name
                columns = read_columns(made.execute, name)
                entries |= {Entry("trigger", *each) for each in triggers(table, session, columns)}
    return entries
