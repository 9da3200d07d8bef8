"""What migrations are made of. Each surface declares those of its own tables.

A migration brings a database from one schema version to the next. A released one never changes.
"""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

from collections.abc import Callable, Mapping

from sessionary.store.connections import Database
from sessionary.store.undo_triggers import read_columns

Migration = Callable[[Database], None]


def recreate_table(
    database: Database, table: str, columns: str, added: Mapping[str, str], *new_indexes: str
) -> None:
    """Recreate a table with these columns; `added` has expressions over a row for the new ones.

    The row is called `old`. The table's indexes stay, its triggers go. An undo log gets the same
    expressions of the former rows.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"
    indexes = [index for (index,) in database.run(query, (table,)).fetchall()]
    before, new = read_columns(database.run, table), f"{table}_new"
    database.run(f'CREATE TABLE "{new}" ({columns})')
    names = read_columns(database.run, new)
    values = ", ".join(added.get(name, f'old."{name}"') for name in names)
    database.run(f'INSERT INTO "{new}" SELECT {values} FROM "{table}" AS old')
    if database.run("SELECT 1 FROM sqlite_master WHERE name = 'history_entries'").fetchone():
        _convert_undo_log(database, table, before, values)
    database.run(f'DROP TABLE "{table}"')
    database.run(f'ALTER TABLE "{new}" RENAME TO "{table}"')
    for index in (*indexes, *new_indexes):
        database.run(index)


def _convert_undo_log(database: Database, table: str, columns: list[str], values: str) -> None:
    """Make the entries of a table's undo log fit its new columns."""
    members = (f"json_extract(old_values, '$[{n}]') AS \"{c}\"" for n, c in enumerate(columns))
    former = f"SELECT json_array({values}) FROM (SELECT {', '.join(members)}) AS old"
    database.run(
        f"UPDATE history_entries SET old_values = ({former}) "
        "WHERE table_name = ? AND old_values IS NOT NULL",
        (table,),
    )
