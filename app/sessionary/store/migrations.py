"""What brings a database of each schema version to the next; once written, it stays as it is."""

from collections.abc import Callable

from sessionary.store.database import Database

Migration = Callable[[Database], None]


def remember_when_galtea_sessions_were_written(database: Database) -> None:
    """To version 2. Of an older session that closes by itself it is known; of another one the
    creation is the last write that is."""
    _remake(
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


def _remake(database: Database, table: str, columns: str, values: str) -> None:
    """Make a table anew with these columns, from these values of its rows; its indexes stay."""
    made = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"
    indexes = database.run(made, (table,)).fetchall()
    database.run(f'ALTER TABLE "{table}" RENAME TO "{table}_before"')
    database.run(f'CREATE TABLE "{table}" ({columns})')
    database.run(f'INSERT INTO "{table}" SELECT {values} FROM "{table}_before"')  # noqa: S608
    database.run(f'DROP TABLE "{table}_before"')
    for (index,) in indexes:
        database.run(index)


# The first brings version 1 to version 2, and so on.
MIGRATIONS: tuple[Migration, ...] = (remember_when_galtea_sessions_were_written,)
