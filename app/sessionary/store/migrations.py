"""Migrations from each schema version to the next. A released migration never changes."""

from collections.abc import Callable

from sessionary.store.connections import Database

Migration = Callable[[Database], None]


def add_galtea_written_at(database: Database) -> None:
    """To version 2: derive the last write from the deadline, else take the deletion or creation."""
    _recreate(
        database,
        "galtea_sessions",
        '"seq" INTEGER NOT NULL PRIMARY KEY, "id" TEXT NOT NULL, "organization" TEXT NOT NULL, '
        '"custom_id" TEXT, "version" TEXT NOT NULL, "product" TEXT NOT NULL, "user" TEXT, '
        '"test_case" TEXT, "test" TEXT NOT NULL, "run" TEXT, "is_production" INTEGER NOT NULL, '
        '"context" TEXT, "metadata" TEXT, "status" TEXT NOT NULL, "stopping_reason" TEXT, '
        '"error" TEXT, "created_at" INTEGER NOT NULL, "written_at" INTEGER NOT NULL, '
        '"auto_close_minutes" INTEGER, "expires_at" INTEGER, "deleted_at" INTEGER',
        "seq, id, organization, custom_id, version, product, user, test_case, test, run, "
        "is_production, context, metadata, status, stopping_reason, error, created_at, "
        "COALESCE(expires_at - auto_close_minutes * 60000000, deleted_at, created_at), "
        "auto_close_minutes, expires_at, deleted_at",
    )


def _recreate(database: Database, table: str, columns: str, values: str) -> None:
    """Recreate a table with new columns, from expressions over its rows; keep its indexes."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"
    indexes = database.run(query, (table,)).fetchall()
    database.run(f'ALTER TABLE "{table}" RENAME TO "{table}_before"')
    database.run(f'CREATE TABLE "{table}" ({columns})')
    database.run(f'INSERT INTO "{table}" SELECT {values} FROM "{table}_before"')  # noqa: S608
    database.run(f'DROP TABLE "{table}_before"')
    for (index,) in indexes:
        database.run(index)


# From version 1 to 2, from 2 to 3, and so on.
MIGRATIONS: tuple[Migration, ...] = (add_galtea_written_at,)
