"""What migrations are made of. Each surface declares those of its own tables.

A migration brings a database from one schema version to the next. A released one never changes.
"""

from collections.abc import Callable

from sessionary.store.connections import Database

Migration = Callable[[Database], None]


def recreate_table(database: Database, table: str, columns: str, values: str) -> None:
    """Recreate a table with new columns, from expressions over its rows; keep its indexes."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"
    indexes = database.run(query, (table,)).fetchall()
    database.run(f'ALTER TABLE "{table}" RENAME TO "{table}_before"')
    database.run(f'CREATE TABLE "{table}" ({columns})')
    database.run(f'INSERT INTO "{table}" SELECT {values} FROM "{table}_before"')  # noqa: S608
    database.run(f'DROP TABLE "{table}_before"')
    for (index,) in indexes:
        database.run(index)
