"""Database files as these tests look at them, and damage them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sessionary.factory import SCHEMA


def dump(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The version of a database, and every row of every table that each database has."""
    names = [table._meta.table_name for table in SCHEMA.tables]
    with closing(sqlite3.connect(file)) as connection:
        rows = {name: list(connection.execute(f'SELECT * FROM "{name}"')) for name in names}  # noqa: S608
        return rows | {"version": connection.execute("PRAGMA user_version").fetchall()}


def change(file: Path, name: str = "changed") -> None:
    """Give every organization this name."""
    run(file, f"UPDATE organization SET name = '{name}'")  # noqa: S608 - our own


def leave_journal(file: Path, name: str) -> None:
    """As who is killed leaves it: that every organization has this name says the journal only."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE organization SET name = ?", (name,))
        connection.commit()
        left = {each: each.read_bytes() for each in (file, Path(f"{file}-wal"))}
    for each, contents in left.items():
        each.write_bytes(contents)


def scratch(file: Path, page: int = 12) -> None:
    """Damage a page."""
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(b"\xa5" * 4096)


def beside(file: Path) -> set[str]:
    """The names of the files in its folder, but for its own."""
    return {each.name for each in file.parent.iterdir()} - {file.name, f"{file.name}.hold"}


def run(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()
