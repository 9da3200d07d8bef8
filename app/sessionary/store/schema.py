"""The schema, and what became of it from version to version."""

from collections.abc import Callable, Sequence

from sessionary.store.worlds import Database, Model, current, transaction

SCHEMA_VERSION = 1


class Unusable(Exception):
    """A database that this program cannot work with; the message says why and what to do."""


def create(tables: Sequence[type[Model]], first_rows: Callable[[], None]) -> None:
    """Bring the entered world to this program's schema; safe when several processes start.

    Raises Unusable for a database of a newer program.
    """
    database = current().database
    if _version(database) == SCHEMA_VERSION:
        return
    with transaction():
        found = _version(database)
        if found > SCHEMA_VERSION:
            raise Unusable(
                f"{database.database} has schema version {found}, this program knows up to "
                f"{SCHEMA_VERSION}: start the newer program, or restore an older copy."
            )
        if found == 0:
            database.create_tables(tables, safe=False)
            first_rows()
            database.run(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(database: Database) -> int:
    return int(database.run("PRAGMA user_version").fetchone()[0])
