"""Errors of commands whose database is unusable or whose output is closed."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sessionary.cli import main
from tests.processes import COMMAND, TIMEOUT_SECONDS, clean_environment, running_double

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


def test_help_that_cannot_be_written_is_an_error_in_a_sentence() -> None:
    result = subprocess.run(
        ["sh", "-c", '"$0" --help >/dev/full', COMMAND],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert result.stderr == "Error: the output cannot be written: No space left on device\n"
    assert result.returncode == 1


FILES = (
    "backup {}",
    "restore {}",
    "import {} --db new.sqlite3",
    "export {}",
    "seed {}",
    "replay {}",
    "shrink {} -- false",
    "verify {} --surface notte",
    "record {} -- true",
    "serve --port 0 --db {}",
    "serve --port 0 --seed {}",
    "double --port 0 --ready-file {}",
    "exec --seed {} -- true",
    "init {}",
    "snapshot {}",
    "namespaces restore {}",
    "namespaces create --seed {}",
)


@pytest.mark.parametrize("line", FILES)
def test_a_file_that_cannot_be_used_is_named_in_a_sentence(
    line: str, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, double: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    environ = {"SESSIONARY_URL": double} if line.startswith(("snapshot", "name")) else {}
    for wrong in ("file/none", *(() if line.startswith("init") else ("folder",))):
        command = line.format(wrong).split()
        if not line.startswith("record"):  # a run begins without a database
            environ["SESSIONARY_DB"] = str(db)
        result = CliRunner().invoke(main, command, env=environ)
        assert result.exit_code in (1, 2), result.output
        assert result.output.startswith("Error: "), (wrong, result.output)
        assert result.output.count("\n") == 1
        assert wrong in result.output
        assert "Errno" not in result.output


@pytest.fixture(scope="module")
def double() -> Iterator[str]:
    with running_double() as process:
        yield process.url


@pytest.mark.parametrize(
    "line", ["journal --follow", "ready http://127.0.0.1:9 --wait 60s", "lanes", "check"]
)
def test_ctrl_c_is_exit_code_130_without_a_message(
    line: str, double: str, sessionary: Command, db: Path
) -> None:
    """The signal comes while the command runs: at its first wait, read or statement."""
    script = (
        "import signal, sqlite3, socket, time\n"
        "def interrupt(*_, **__): signal.raise_signal(signal.SIGINT)\n"
        "time.sleep = socket.socket.connect = sqlite3.connect = interrupt\n"
        "from sessionary.cli import main\n"
        "main()\n"
    )
    assert sessionary("check").exit_code == 0
    result = subprocess.run(
        [sys.executable, "-c", script, *line.split()],
        env=clean_environment(SESSIONARY_URL=double, SESSIONARY_DB=str(db)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert (result.returncode, result.stderr) == (130, "\n")
