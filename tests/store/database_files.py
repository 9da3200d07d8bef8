"""Read, change and damage database files; run a command on a sample database."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sessionary.cli import main
from sessionary.factory import SCHEMA
from tests import schema_versions


def load_sample(folder: Path) -> Path:
    """Create a database with rows in every table."""
    schema_versions.load(schema_versions.fixtures()[-1], folder / "test.sqlite3")
    return folder / "test.sqlite3"


class Command:
    """The command `sessionary` on a database."""

    def __init__(self, db: Path) -> None:
        self._environ = {"SESSIONARY_DB": str(db)}

    def __call__(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, list(map(str, arguments)), env=self._environ)

    def refusal(self, *arguments: object) -> str:
        """Run a command that must fail; return its error, which is one line."""
        result = self(*arguments)
        assert result.exit_code == 1, result.output
        assert re.fullmatch("Error: .+\n", result.output), result.output
        return result.output


def dump(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the schema version, and every row of the tables that each database has."""
    names = [table._meta.table_name for table in SCHEMA.tables]
    with closing(sqlite3.connect(file)) as connection:
        rows = {name: list(connection.execute(f'SELECT * FROM "{name}"')) for name in names}  # noqa: S608
        return rows | {"version": connection.execute("PRAGMA user_version").fetchall()}


def change(file: Path, name: str = "changed") -> None:
    """Set the name of every organization."""
    run(file, f"UPDATE organization SET name = '{name}'")  # noqa: S608 - our own


def leave_wal(file: Path, name: str) -> None:
    """Leave a WAL, as a killed server does; only it has this name of every organization."""
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
    """Return the names of the other files in its folder, except its lease."""
    return {each.name for each in file.parent.iterdir()} - {file.name, f"{file.name}.hold"}


def run(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()
