"""Database files: what creates them, their owner and mode, and servers that cannot write them."""

import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pytest
from click.testing import CliRunner

from sessionary import create_app
from sessionary.cli import main
from sessionary.settings import Settings
from tests.cli.test_commands import commands
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    WITHOUT_ROOT_ACCESS,
    clean_environment,
    run_command,
    running_process,
)
from tests.store.database_files import leave_wal

NOTTE = {"Authorization": "Bearer anyone"}
SERVICE = 65534  # user and group of the service in these tests
# Run as that user. It may read what root installed, but write only what is its own.
AS_SERVICE = (
    *("setpriv", f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--"),
)
CREATE = {"serve", "double", "exec", "seed", "import", "restore", "keys create", "devices add"}
DEVICE = ("--serial", "s", "--platform", "android", "--type", "real", "--name", "n")
for_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for two users")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the service, which it can reach."""
    with TemporaryDirectory() as path:
        if os.geteuid() == 0:
            os.chown(path, SERVICE, SERVICE)
        yield Path(path)


def command(path: tuple[str, ...]) -> click.Command:
    found: click.Command = main
    for name in path:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name) or found
    return found


def required_arguments(each: click.Command) -> list[str]:
    """Return a value for each argument and option that a command cannot do without."""
    given = []
    for parameter in (each for each in each.params if each.required):
        value = "1d" if parameter.name == "ended_before" else "2026-03-01T12:00:00Z"
        value = "2" if isinstance(parameter.type, click.IntRange | click.FloatRange) else value
        value = "2" if parameter.type is click.INT else value
        if isinstance(parameter.type, click.Choice):
            value = parameter.type.choices[0]
        given += [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]
    return given


OTHERS = [
    path
    for path in commands()
    if " ".join(path) not in CREATE and any(each.name == "db" for each in command(path).params)
]


@pytest.mark.parametrize("path", OTHERS, ids=" ".join)
def test_a_command_that_does_not_create_databases_refuses_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sessions.sqlite3").touch()
    arguments = required_arguments(command(path))
    if path[:2] == ("namespaces", "restore"):
        Path(arguments[0]).touch()
    for db, hint in (("sesions.sqlite3", ": did you mean sessions.sqlite3?"), ("x.db", ".")):
        before = {each.name for each in tmp_path.iterdir()}
        refused = CliRunner().invoke(main, [*path, *arguments, "--db", db])
        assert refused.exit_code == 1
        assert refused.output == f"Error: there is no database at {db}{hint}\n"
        assert {each.name for each in tmp_path.iterdir()} == before


def test_there_are_commands_that_do_not_create_databases() -> None:
    assert len(OTHERS) > 25


def permissions(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return owner, group and mode of each file."""
    found = {each.name: each.stat() for each in folder.iterdir()}
    return {
        name: (each.st_uid, each.st_gid, oct(stat.S_IMODE(each.st_mode)))
        for name, each in found.items()
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create"),
        ("devices", "add", *DEVICE, "--version", "1"),
        ("seed", "app/sessionary/seeds/example.toml"),
        ("serve", "--auth", "lenient", "--port", "0"),
        ("serve", "--port", "0", "--workers", "2"),
        ("double", "--port", "0"),
    ],
)
def test_what_is_created_is_for_its_owner_alone_who_is_that_of_the_folder(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    """Also the WAL and the lock files, and those of a server and a double while they run."""
    owner = (SERVICE, SERVICE) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    call = ["sh", "-c", 'umask 0; exec "$@"', "sh", COMMAND, *arguments, "--db", f"{folder}/x.db"]
    if arguments[0] not in ("serve", "double"):
        subprocess.run(call, env=clean_environment(), check=True, timeout=TIMEOUT_SECONDS)
        assert "x.db" in permissions(folder)
        assert set(permissions(folder).values()) == {(*owner, "0o600")}
        return
    with running_process(call, clean_environment()) as process:
        process.request("POST", "/session/start", {}, **NOTTE)
        assert {"x.db", "x.db-wal", "x.db-shm", "x.db.lock"} <= permissions(folder).keys()
        assert set(permissions(folder).values()) == {(*owner, "0o600")}
        assert process.stop() == 0


def test_an_empty_file_that_exists_is_made_private_before_it_is_filled(folder: Path) -> None:
    db = folder / "x.db"
    for arguments in (("keys", "create"), ("seed", "app/sessionary/seeds/example.toml")):
        db.unlink(missing_ok=True)
        db.touch(0o644)
        assert CliRunner().invoke(main, [*arguments, "--db", str(db)]).exit_code == 0
        assert permissions(folder)["x.db"][2] == "0o600"
        exported = folder / "exported"
        assert CliRunner().invoke(main, ["export", str(exported), "--db", str(db)]).exit_code == 0
        db.unlink()
        db.touch(0o644)
        call = ["import", "--force", str(exported), "--db", str(db)]
        assert CliRunner().invoke(main, call).exit_code == 0
        assert permissions(folder)["x.db"][2] == "0o600"
        exported.unlink()


@pytest.mark.parametrize("what", ["folder", "database"])
def test_a_seed_for_a_database_that_cannot_be_written_is_refused_unread(
    tmp_path: Path, what: str
) -> None:
    db, folder = tmp_path / "folder" / "x.db", tmp_path / "folder"
    folder.mkdir()
    run_command(COMMAND, "keys", "create", "--db", str(db))
    (folder if what == "folder" else db).chmod(0o500)
    call = (*WITHOUT_ROOT_ACCESS, COMMAND, "seed", "none.toml", "--db", str(db))
    refused = run_command(*call)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"Error: {db} cannot be written: Permission denied.\n"


@for_root
def test_a_service_writes_a_database_that_root_has_created(folder: Path) -> None:
    db = f"{folder}/x.db"
    for arguments in (("keys", "create"), ("backup", f"{folder}/copy"), ("keys", "list")):
        assert CliRunner().invoke(main, [*arguments, "--db", db]).exit_code == 0
    serve = [*AS_SERVICE, COMMAND, "serve", "--port", "0", "--auth", "lenient"]
    for file in (db, f"{folder}/copy"):
        with running_process([*serve, "--db", file], clean_environment()) as process:
            assert process.request("POST", "/session/start", {}, **NOTTE)[0] == 200
            assert process.stop() == 0


@for_root
@pytest.mark.parametrize("suffix", [".lock", ".hold"])
@pytest.mark.parametrize("is_hard", [False, True], ids=["link", "hard link"])
def test_root_gives_away_no_file_that_it_has_not_created(
    folder: Path, tmp_path: Path, suffix: str, is_hard: bool
) -> None:
    secret, db = tmp_path / "secret", folder / "d.sqlite3"
    secret.touch(0o600)
    planted = Path(f"{db}{suffix}")
    if is_hard:
        planted.hardlink_to(secret)
    else:
        planted.symlink_to(secret)
    run_command(COMMAND, "keys", "create", "--db", str(db))
    assert (secret.stat().st_uid, stat.S_IMODE(secret.stat().st_mode)) == (0, 0o600)


@for_root
def test_root_without_the_right_to_give_files_away_keeps_them(folder: Path) -> None:
    serve = ["setpriv", "--bounding-set=-chown", "--", COMMAND, "serve", "--port", "0"]
    db = ("--auth", "lenient", "--db", f"{folder}/x.db")
    with running_process([*serve, *db], clean_environment()) as process:
        assert process.request("POST", "/session/start", {}, **NOTTE)[0] == 200
        assert process.stop() == 0


@for_root
@pytest.mark.parametrize(
    "arguments", [("serve", "--auth", "lenient"), ("serve",), ("double",)], ids=" ".join
)
@pytest.mark.parametrize("is_in_use", [False, True])
def test_a_server_that_cannot_write_its_database_does_not_start(
    folder: Path, arguments: tuple[str, ...], is_in_use: bool
) -> None:
    """With a WAL, and without one."""
    db = folder / "x.db"
    app = create_app(Settings(db=str(db)))
    if not is_in_use:
        app.extensions["sessionary"].close()
    for each in folder.iterdir():
        os.chown(each, 0, 0)
        each.chmod(0o644)
    refused = run_command(*AS_SERVICE, COMMAND, *arguments, "--port", "0", "--db", db)
    app.extensions["sessionary"].close()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"Error: {db}")
    assert refused.stderr.count("\n") == 1


READING = (
    *("sessions", "timeline", "clock", "journal", "faults", "faults presets", "namespaces"),
    *("keys list", "members list", "devices list", "export", "check", "prune --ended-before 1d"),
)


def reading_calls(db: Path) -> list[list[str]]:
    """Return the arguments of each command that only reads."""
    calls = [[*each.split(), "--db", str(db)] for each in READING]
    return [[*call, "--dry-run"] if call[0] == "prune" else call for call in calls]


def test_commands_that_read_wait_for_no_writer_and_leave_no_lock_file(db: Path) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        for call in reading_calls(db):
            read = CliRunner().invoke(main, call, env={"SESSIONARY_BUSY_TIMEOUT_SECONDS": "0.01"})
            assert (read.exit_code, call) == (0, call), read.output
        assert not [each for each in db.parent.iterdir() if each.suffix in (".hold", ".lock")]


@pytest.mark.parametrize("left", ["nothing", "WAL", "WAL and index"])
def test_commands_that_read_work_in_a_folder_that_cannot_be_written(db: Path, left: str) -> None:
    """SQLite cannot read a WAL whose index is missing and cannot be created."""
    if left != "nothing":
        leave_wal(db, "in the log")
    if left == "WAL and index":
        Path(f"{db}-shm").touch()
    for each in (*db.parent.iterdir(), db.parent):
        each.chmod(0o500 if each == db.parent else 0o400)
    for call in reading_calls(db):
        read = run_command(*WITHOUT_ROOT_ACCESS, COMMAND, *call)
        if left == "WAL":
            assert (read.returncode, read.stdout) == (1, "")
            assert read.stderr.startswith(f"Error: {db}: its last writes are in {db.name}-wal")
            assert read.stderr.count("\n") == 1
        else:
            assert (read.returncode, read.stderr) == (0, ""), call
            assert ("in the log" in read.stdout) == (left != "nothing" and call[0] == "export")


@pytest.mark.parametrize("name", ["none/none/x.db", "x.db/x.db", "seed.toml", "/proc/x"])
@pytest.mark.parametrize(
    "arguments", ["serve --port 0", "double --port 0", "keys create", "keys list"]
)
def test_a_path_that_cannot_be_a_database_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.db").touch()
    Path("seed.toml").write_text("[[organizations]]\n" * 100)
    refused = run_command(COMMAND, *arguments.split(), "--db", name)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert "Errno" not in refused.stderr
    assert name.rpartition("/")[0] in refused.stderr
    if name == "seed.toml":
        assert "a seed file is given with --seed" in refused.stderr
    assert not Path("none").exists()
