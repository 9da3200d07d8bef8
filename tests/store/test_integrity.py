"""The `check` and `migrate` commands."""

import json
import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sessionary import create_app, store
from sessionary.factory import SCHEMA, create_double
from sessionary.seeds.loader import BadSeed
from sessionary.settings import Settings
from sessionary.store import integrity
from sessionary.store.connections import Database
from sessionary.surfaces import SURFACES
from tests import schema_versions
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    WITHOUT_ROOT_ACCESS,
    run_command,
    running_server,
)
from tests.store.database_files import Command, dump, run, scratch


def test_a_healthy_database_passes_every_check(sessionary: Command) -> None:
    result = sessionary("check", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == [
        {"check": name, "ok": True, "problem": None}
        for name in ("integrity", "references", "schema")
    ]


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (scratch, "integrity"),
        (lambda db: run(db, 'DELETE FROM "user"'), "references"),
        (lambda db: run(db, "DROP INDEX galtea_sessions_id_organization"), "schema"),
    ],
)
def test_a_problem_is_reported_and_sets_the_exit_code(
    sessionary: Command, db: Path, damage: Callable[[Path], None], check: str
) -> None:
    damage(db)
    result = sessionary("check", "--json")
    assert result.exit_code == 1
    assert check in [each["check"] for each in json.loads(result.output) if not each["ok"]]
    assert sessionary("check").exit_code == 1


def run_without_root(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a process that file modes apply to."""
    return run_command(*WITHOUT_ROOT_ACCESS, COMMAND, *map(str, command))


@pytest.fixture
def kept(db: Path) -> Iterator[Path]:
    """A database in WAL mode, in its own folder."""
    folder = db.parent / "kept"
    folder.mkdir()
    create_app(Settings(db=str(db), auth="lenient")).extensions["sessionary"].close()
    yield db.rename(folder / db.name)
    folder.chmod(0o755)


def make_read_only(file: Path) -> None:
    """Make a database and its folder read-only."""
    for each in (*file.parent.iterdir(), file.parent):
        each.chmod(each.stat().st_mode & 0o555)


@pytest.mark.parametrize(("damaged", "code"), [(False, 0), (True, 1)])
def test_a_read_only_database_without_a_wal_can_be_checked(
    kept: Path, damaged: bool, code: int
) -> None:
    if damaged:
        scratch(kept)
    make_read_only(kept)
    result = run_without_root("check", "--json", "--db", kept)
    assert (result.returncode, result.stderr) == (code, "")
    assert json.loads(result.stdout)[0]["ok"] is not damaged


def test_a_database_that_cannot_be_read_is_not_reported_as_damaged(kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute("UPDATE organization SET name = 'in the WAL'")
        connection.commit()
        os.link(f"{kept}-wal", f"{kept}.kept")
    Path(f"{kept}.kept").rename(f"{kept}-wal")
    make_read_only(kept)
    result = run_without_root("check", "--db", kept)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {kept}: ")
    assert result.stderr.endswith("only in a folder that can be written: copy both files to one.\n")


def test_a_locked_database_is_not_reported_as_damaged(
    sessionary: Command, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "BUSY_TIMEOUT_SECONDS", 0.05)
    with closing(sqlite3.connect(db)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        result = sessionary("check")
    assert result.exit_code == 1
    assert result.output == f"Error: {db}: database is locked: find the program that has it open\n"


def test_a_check_creates_no_database(sessionary: Command, tmp_path: Path) -> None:
    for command in (["check"], ["migrate"], ["export"], ["backup", tmp_path / "copy"]):
        refused = sessionary(*command, "--db", tmp_path / "none")
        assert refused.output == f"Error: there is no database at {tmp_path / 'none'}.\n"
    assert not (tmp_path / "none").exists()


def test_there_is_nothing_to_migrate_at_this_version(sessionary: Command, db: Path) -> None:
    before = dump(db)
    version = SCHEMA.version
    assert f"already has schema version {version}" in sessionary("migrate").output
    assert dump(db) == before


@pytest.fixture
def _next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(database: Database) -> None:
        database.run("UPDATE organization SET name = 'upgraded'")

    migrations = SURFACES[-1].migrations
    monkeypatch.setitem(migrations, SCHEMA.version + 1, rename)  # type: ignore[arg-type]
    monkeypatch.setitem(vars(SCHEMA), "migrations", (*SCHEMA.migrations, rename))


@pytest.mark.usefixtures("_next_version")
def test_a_database_is_copied_before_it_is_upgraded(sessionary: Command, db: Path) -> None:
    before, version = dump(db), SCHEMA.version
    problems = [each["problem"] for each in json.loads(sessionary("check", "--json").output)]
    said = f"it has version {version - 1}, this program has {version}: run `sessionary migrate`"
    assert problems[-1] == said
    result = json.loads(sessionary("migrate", "--json").output)
    assert (result["before"], result["after"]) == (version - 1, version)
    assert dump(Path(result["kept"])) == before
    assert "'upgraded'" in str(dump(db)["organization"])
    assert json.loads(sessionary("migrate", "--json").output)["kept"] is None


@pytest.mark.usefixtures("_next_version")
def test_a_database_that_is_being_served_is_not_upgraded(sessionary: Command, db: Path) -> None:
    before = dump(db)
    served = store.open_namespace(str(db), durability="normal")
    with closing(served), served.activate():
        served.connection()
        refused = sessionary("migrate")
    assert refused.output.startswith(f"Error: {db} is open in another process: stop the server")
    assert dump(db) == before


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of the first version."""
    schema_versions.load(schema_versions.fixture(1), tmp_path / "old.sqlite3")
    return tmp_path / "old.sqlite3"


@pytest.mark.parametrize("program", ["serve", "double"])
def test_a_server_upgrades_no_database_that_another_process_has_open(
    old: Path, program: str
) -> None:
    """It may be a server of an earlier version, which does not know the new tables."""
    served = store.open_namespace(str(old), durability="normal")
    with closing(served), served.activate():
        served.connection()
        options = ("--port", "0", "--busy-timeout-seconds", "0.5")
        refused = run_command(COMMAND, program, "--db", str(old), *options)
    assert refused.returncode == 1
    said = f"Error: {old} is open in another process: stop the server first, nothing was changed."
    assert refused.stderr == f"{said}\n"
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert [*old.parent.glob("*.version-*")] == []


def test_servers_that_start_at_once_upgrade_a_database_once_and_all_serve(old: Path) -> None:
    started = threading.Barrier(3)

    def serve() -> int:
        with running_server("--db", str(old), "--busy-timeout-seconds", "20") as server:
            status, _ = server.request("GET", "/readyz")
            started.wait(TIMEOUT_SECONDS)
            return status

    with ThreadPoolExecutor(3) as pool:
        servers = [pool.submit(serve) for _ in range(3)]
        assert [each.result() for each in servers] == [200] * 3
    assert len([*old.parent.glob("*.version-1.*[0-9Z]")]) == 1


@pytest.mark.usefixtures("_next_version")
@pytest.mark.parametrize("create", [create_app, create_double])
def test_an_unreadable_seed_is_refused_before_the_database_is_created_or_upgraded(
    db: Path, tmp_path: Path, create: Callable[[Settings], object]
) -> None:
    before, new = dump(db), tmp_path / "new.sqlite3"
    for file in (db, new):
        with pytest.raises(BadSeed):
            create(Settings(db=str(file), auth="lenient", seed=str(tmp_path / "none.toml")))
    assert dump(db) == before
    assert not new.exists()


@pytest.mark.usefixtures("_next_version")
def test_an_older_backup_is_restored_and_upgraded_at_the_next_start(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    old, new = dump(db), tmp_path / "new.sqlite3"
    assert sessionary("restore", db, "--db", new).exit_code == 0
    assert dump(new) == old
    create_app(Settings(db=str(new), auth="lenient")).extensions["sessionary"].close()
    assert store.file_version(new, SCHEMA) == SCHEMA.version
