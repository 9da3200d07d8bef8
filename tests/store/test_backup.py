"""Backup of a database, also while it is served."""

import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sessionary import create_app, store
from sessionary.factory import SCHEMA
from sessionary.settings import Settings
from sessionary.store import backup
from tests.processes import COMMAND, run_command, running_server
from tests.store.database_files import Command, beside, change, dump, leave_wal, scratch


def test_a_backup_holds_what_the_database_holds(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copies" / "copy"
    copy.parent.mkdir()
    assert sessionary("backup", copy).output == f"Copied {db} to {copy}\n"
    assert dump(copy) == dump(db)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert beside(copy) == set()


def test_a_backup_is_of_one_moment_while_two_workers_write(tmp_path: Path) -> None:
    """It has every session that was created before it started, each complete."""
    db = tmp_path / "test.sqlite3"
    answered: list[str] = []
    over = threading.Event()
    with running_server("--db", str(db), "--auth", "lenient", "--workers", "2") as process:

        def write() -> None:
            while not over.is_set():
                path, body = "/v4/sessions", {"title": "t" * 9999, "state": {}, "account_id": "a"}
                status, made = process.request("POST", path, body, **{"x-api-key": "anyone"})
                assert status in (200, 201)
                answered.append(made["id"])

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        try:
            for number in range(5):
                before = set(answered)
                copy = tmp_path / f"copy-{number}"
                store.back_up(db, copy, SCHEMA)
                with closing(sqlite3.connect(copy)) as connection:
                    ids = {id for (id,) in connection.execute("SELECT id FROM scale_sessions")}
                    counted = connection.execute("SELECT sum(live) FROM scale_counts").fetchone()
                assert before <= ids
                assert counted == (len(ids) or None,)
        finally:
            over.set()
            for writer in writers:
                writer.join()
    assert answered


def test_a_backup_ends_while_others_keep_writing(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_app(Settings(db=str(db), auth="lenient")).extensions["sessionary"].close()
    before, steps = dump(db), []
    monkeypatch.setattr(backup, "_PAGES", 1)

    def write_during_the_copy(done: int, _: int) -> None:
        assert done > len(steps), "the copy started again"
        steps.append(done)
        change(db, f"as of page {done}")

    store.back_up(db, tmp_path / "copy", SCHEMA, progress=write_during_the_copy)
    assert len(steps) > 10
    assert dump(tmp_path / "copy") == before
    assert (tmp_path / "copy").read_bytes()[18:20] == b"\1\1"  # not in WAL mode


def test_an_existing_file_is_replaced_only_with_force(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.write_text("precious")
    assert "use --force" in sessionary.refusal("backup", copy)
    assert copy.read_text() == "precious"
    assert sessionary("backup", copy, "--force").exit_code == 0
    assert dump(copy) == dump(db)


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_replaced_file_is_readable_by_its_owner_only(
    sessionary: Command, tmp_path: Path, command: str
) -> None:
    copy = tmp_path / "copy"
    copy.touch(0o644)
    assert sessionary(command, copy, "--force").exit_code == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_database_that_is_served_is_not_overwritten(
    sessionary: Command, tmp_path: Path, command: str
) -> None:
    with running_server("--db", str(served := tmp_path / "served.sqlite3"), "--auth", "lenient"):
        before = dump(served)
        refused = sessionary.refusal(command, served, "--force")
        assert f"{served} is open in another process: name another file" in refused
        assert dump(served) == before


def test_a_database_that_is_not_open_is_overwritten(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    create_app(Settings(db=str(tmp_path / "old"))).extensions["sessionary"].close()
    assert sessionary("backup", tmp_path / "old", "--force").exit_code == 0
    assert dump(tmp_path / "old") == dump(db)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_backup_is_refused_next_to_the_wal_of_an_earlier_database(
    sessionary: Command, db: Path, tmp_path: Path, is_there: bool
) -> None:
    copy = tmp_path / "copy"
    shutil.copy(db, copy)
    leave_wal(copy, "earlier")
    if not is_there:
        copy.unlink()
    refused = sessionary.refusal("backup", copy, "--force")
    assert f"{copy}-wal holds the last writes of an earlier database" in refused
    assert copy.exists() is is_there


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_backup_or_export_does_not_overwrite_its_database(
    sessionary: Command, db: Path, command: str
) -> None:
    before = dump(db)
    assert "is the database itself" in sessionary.refusal(command, db, "--force")
    assert dump(db) == before


@pytest.mark.parametrize("limit", ["unlimited", "32"])
def test_a_failed_copy_names_source_and_target(db: Path, tmp_path: Path, limit: str) -> None:
    """If the database is unreadable, and if the disk is full."""
    if limit == "unlimited":
        db.write_bytes(b"not a database" * 999)
    script = f'ulimit -f {limit}; exec "$0" backup "$1" --db "$2"'
    result = run_command("sh", "-c", script, COMMAND, tmp_path / "copy", db)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Error: {db} cannot be copied to {tmp_path / 'copy'}: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_missing_folder_is_reported_with_the_given_name(
    sessionary: Command, tmp_path: Path, command: str
) -> None:
    copy = tmp_path / "nowhere" / "copy"
    refused = sessionary.refusal(command, copy)
    assert refused == f"Error: {copy} cannot be written: No such file or directory.\n"


def test_a_failed_backup_leaves_the_previous_one(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    sessionary("backup", copy)
    before, others = copy.read_bytes(), beside(copy)
    scratch(db)
    assert f"No copy of {db} was made: " in sessionary.refusal("backup", copy, "--force")
    assert copy.read_bytes() == before
    assert beside(copy) == others
