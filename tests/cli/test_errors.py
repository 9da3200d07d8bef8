"""Errors of commands whose database is unusable or whose output is closed."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sessionary.cli import main
from tests.processes import COMMAND, TIMEOUT_SECONDS, clean_environment

Command = Callable[..., Result]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite3"


@pytest.fixture
def sessionary(db: Path) -> Command:
    """Run the command on an existing database of this test."""
    run: Command = lambda *args: CliRunner().invoke(  # noqa: E731
        main, args, env={"SESSIONARY_DB": str(db), "SESSIONARY_BUSY_TIMEOUT_SECONDS": "0.05"}
    )
    assert run("keys", "create").exit_code == 0
    return run


def not_a_database(db: Path) -> None:
    db.write_bytes(b"not a database" * 100)


def damaged(db: Path) -> None:
    """Erase the schema and keep the header of the first page."""
    content = bytearray(db.read_bytes())
    content[100:4096] = bytes(3996)
    db.write_bytes(content)


def folder(db: Path) -> None:
    db.unlink()
    db.mkdir()


def newer(db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("command", [("keys", "list"), ("sessions",), ("serve", "--port", "0")])
@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (not_a_database, ": file is not a database: name another file, or `sessionary restore`"),
        (damaged, ": database disk image is malformed: run `sessionary check`"),
        (folder, " is a folder or a device, not a regular file: name another."),
        (newer, " has schema version 99"),
    ],
)
def test_an_unusable_database_is_named_with_what_to_do(
    sessionary: Command,
    db: Path,
    command: tuple[str, ...],
    break_it: Callable[[Path], None],
    why: str,
) -> None:
    break_it(db)
    result = sessionary(*command)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {db}{why}")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("command", [("keys", "list"), ("sessions",)])
def test_a_locked_database_is_named_with_what_to_do(
    sessionary: Command, db: Path, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(db)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        result = sessionary(*command)
    assert result.output == f"Error: {db}: database is locked: find the program that has it open\n"


@pytest.mark.parametrize("command", ["keys list", "sessions", "export"])
@pytest.mark.usefixtures("sessionary")
def test_a_closed_pipe_is_not_an_error(db: Path, command: str) -> None:
    result = subprocess.run(
        ["sh", "-c", f'"$0" {command} --db "$1" | true', COMMAND, str(db)],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    assert result.stderr == ""
