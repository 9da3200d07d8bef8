"""Whether a database is sound, and of which version."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from sessionary import create_app, store
from sessionary.factory import SCHEMA, create_double
from sessionary.seeds.loader import BadSeed
from sessionary.settings import Settings
from sessionary.store import integrity
from sessionary.store.connections import Database
from sessionary.surfaces import SURFACES
from tests.processes import COMMAND, TIMEOUT_SECONDS, WITHOUT_ROOT_ACCESS, clean_environment
from tests.store.database_files import dump, run, scratch

Command = Callable[..., Result]


def test_a_sound_database_is_told_to_be_so(sessionary: Command) -> None:
    told = sessionary("check", "--json")
    assert told.exit_code == 0
    assert json.loads(told.output) == [
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
def test_what_is_wrong_is_told_and_the_exit_code_says_so(
    sessionary: Command, db: Path, damage: Callable[[Path], None], check: str
) -> None:
    damage(db)
    told = sessionary("check", "--json")
    assert told.exit_code == 1
    assert check in [each["check"] for each in json.loads(told.output) if not each["ok"]]
    assert sessionary("check").exit_code == 1


def as_a_stranger(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody whom the modes of files bind."""
    return subprocess.run(
        [*WITHOUT_ROOT_ACCESS, COMMAND, *map(str, command)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.fixture
def kept(db: Path) -> Iterator[Path]:
    """A database as a server keeps it, in a folder of its own."""
    folder = db.parent / "kept"
    folder.mkdir()
    create_app(Settings(db=str(db), auth="lenient")).extensions["sessionary"].close()
    yield db.rename(folder / db.name)
    folder.chmod(0o755)


def closed(file: Path) -> None:
    """Let nobody write a file or into its folder."""
    for each in (*file.parent.iterdir(), file.parent):
        each.chmod(each.stat().st_mode & 0o555)


@pytest.mark.parametrize(("damaged", "code"), [(False, 0), (True, 1)])
def test_a_database_that_nobody_changes_is_checked_where_it_cannot_be_written(
    kept: Path, damaged: bool, code: int
) -> None:
    if damaged:
        scratch(kept)
    closed(kept)
    told = as_a_stranger("check", "--json", "--db", kept)
    assert (told.returncode, told.stderr) == (code, "")
    assert json.loads(told.stdout)[0]["ok"] is not damaged


def test_a_database_that_cannot_be_read_is_not_told_to_be_damaged(kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute("UPDATE organization SET name = 'in the journal'")
        connection.commit()
        os.link(f"{kept}-wal", f"{kept}.kept")
    Path(f"{kept}.kept").rename(f"{kept}-wal")
    closed(kept)
    told = as_a_stranger("check", "--db", kept)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"Error: {kept}: ")
    assert told.stderr.endswith(
        "check that it is a file, and the permissions of it and its folder\n"
    )


def test_a_database_that_another_program_keeps_is_not_told_to_be_damaged(
    sessionary: Command, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "BUSY_TIMEOUT_SECONDS", 0.05)
    with closing(sqlite3.connect(db)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        told = sessionary("check")
    assert told.exit_code == 1
    assert told.output == f"Error: {db}: database is locked: find the program that has it open\n"


def test_checking_makes_no_database_where_there_is_none(
    sessionary: Command, tmp_path: Path
) -> None:
    for command in (["check"], ["migrate"], ["export"], ["backup", tmp_path / "copy"]):
        refused = sessionary(*command, "--db", tmp_path / "none")
        assert refused.output == f"Error: There is no database at {tmp_path / 'none'}.\n"
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
    told = json.loads(sessionary("migrate", "--json").output)
    assert (told["before"], told["after"]) == (version - 1, version)
    assert dump(Path(told["kept"])) == before
    assert "'upgraded'" in str(dump(db)["organization"])
    assert json.loads(sessionary("migrate", "--json").output)["kept"] is None


@pytest.mark.usefixtures("_next_version")
def test_only_the_older_database_is_kept_where_another_process_upgrades_it_meanwhile(
    sessionary: Command, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up, before = store.back_up, dump(db)

    def late(file: Path, copy: Path) -> None:
        monkeypatch.setattr(store, "back_up", back_up)
        create_app(Settings(db=str(db), auth="lenient")).extensions["sessionary"].close()
        back_up(file, copy)

    monkeypatch.setattr(store, "back_up", late)
    assert json.loads(sessionary("migrate", "--json").output)["kept"] is None
    assert [dump(kept) for kept in db.parent.glob("*.version-*")] == [before]


@pytest.mark.usefixtures("_next_version")
@pytest.mark.parametrize("create", [create_app, create_double])
def test_a_seed_that_cannot_be_read_is_refused_before_the_database_is_made_or_upgraded(
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
    assert store.file_version(new) == SCHEMA.version
