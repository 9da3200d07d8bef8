"""Database files as these tests look at them, and damage them."""

import sqlite3
from contextlib import closing
from pathlib import Path


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def change(file: Path, name: str = "changed") -> None:
    """Give every organization this name."""
    run(file, f"UPDATE organization SET name = '{name}'")  # noqa: S608 - our own


def scratch(file: Path, page: int = 12) -> None:
    """Damage a page."""
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(b"\xa5" * 4096)


def beside(file: Path) -> set[str]:
    return {each.name for each in file.parent.iterdir()} - {file.name, f"{file.name}.hold"}


def run(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()
