"""What migrations are made of. Each surface declares those of its own tables.

A migration brings a database from one schema version to the next. A released one never changes.
"""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

from collections.abc import Callable

from sessionary.store.connections import Database
from sessionary.store.undo_triggers import TableColumns, delete_sql, read_columns, replace_sql

Migration = Callable[[Database], None]


def recreate_table(
    database: Database, table: str, columns: str, values: str, *new_indexes: str
) -> None:
    """Recreate a table with new columns, from expressions over each row, which is called `old`.

    Its indexes stay, its triggers go. An undo log gets the same expressions of the former rows.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"
    indexes = [index for (index,) in database.run(query, (table,)).fetchall()]
    before, new = read_columns(database.run, table), f"{table}_new"
    database.run(f'CREATE TABLE "{new}" ({columns})')
    database.run(f'INSERT INTO "{new}" SELECT {values} FROM "{table}" AS old')
    after = read_columns(database.run, new)._replace(name=table)
    if database.run("SELECT 1 FROM sqlite_master WHERE name = 'history_ways'").fetchone():
        _convert_undo_log(database, before, after, values)
    database.run(f'DROP TABLE "{table}"')
    database.run(f'ALTER TABLE "{new}" RENAME TO "{table}"')
    for index in (*indexes, *new_indexes):
        database.run(index)


def _convert_undo_log(
    database: Database, before: TableColumns, after: TableColumns, values: str
) -> None:
    """Make the entries of a table's undo log fit its new columns."""
    members = (f"""json_extract("row", '$[{n}]') AS "{c}\"""" for n, c in enumerate(before.columns))
    former = f"SELECT json_array({values}) FROM (SELECT {', '.join(members)}) AS old"
    keys = ", ".join(f'new."{name}"' for name in after.keys)
    is_same = " AND ".join(
        f"""new."{name}" IS json_extract("row", '$[{n}]')""" for n, name in enumerate(before.keys)
    )
    inserted = f'SELECT json_array({keys}) FROM "{after.name}_new" AS new WHERE {is_same}'
    for sql, converted in ((replace_sql, former), (delete_sql, inserted)):
        database.run(
            f'UPDATE history_changes SET "row" = COALESCE(({converted}), "row") '
            "WHERE way IN (SELECT id FROM history_ways WHERE statement = ?)",
            (sql(before),),
        )
        database.run(
            "UPDATE history_ways SET statement = ? WHERE statement = ?", (sql(after), sql(before))
        )
