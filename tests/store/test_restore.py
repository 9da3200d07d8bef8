"""Restore a database from a copy."""

import json
import os
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sessionary import create_app, store
from sessionary.factory import SCHEMA
from sessionary.settings import Settings
from sessionary.store import files
from sessionary.store.files import exclusive_lease
from tests.processes import running_server
from tests.store.database_files import Command, beside, change, dump, leave_wal, run, scratch

NOTTE = {"Authorization": "Bearer anyone"}


def test_a_restored_database_equals_the_copy_and_the_old_one_is_kept_with_its_wal(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    sessionary("backup", copy)
    changed = tmp_path / "changed"
    app = create_app(Settings(db=str(db), auth="lenient"))
    app.test_client().post("/session/start", json={}, headers=NOTTE)
    store.back_up(db, changed, SCHEMA)
    # As after a kill: the last writes are in the WAL only.
    os.link(db, left := tmp_path / "left")
    os.link(f"{db}-wal", f"{left}-wal")
    app.extensions["sessionary"].close()
    left.replace(db)
    Path(f"{left}-wal").replace(f"{db}-wal")
    result = json.loads(sessionary("restore", copy, "--json").output)
    assert dump(db) == dump(copy)
    assert dump(Path(result["kept"])) == dump(changed)
    assert not Path(f"{db}-shm").exists()


def test_a_restore_is_refused_while_a_server_has_the_file(
    sessionary: Command, tmp_path: Path
) -> None:
    """Even before any worker has handled a request."""
    db, copy = tmp_path / "served.sqlite3", tmp_path / "copy"
    with running_server("--db", str(db), "--auth", "lenient", "--workers", "2") as process:
        assert sessionary("backup", copy, "--db", db).exit_code == 0
        refused = sessionary.refusal("restore", copy, "--db", db)
        assert f"{db} is open in another process: stop the server first" in refused
        assert process.request("POST", "/session/start", {}, **NOTTE)[0] == 200
        assert process.stop() == 0
    assert sessionary("restore", copy, "--db", db).exit_code == 0


def test_a_link_to_a_database_counts_as_the_database(sessionary: Command, tmp_path: Path) -> None:
    db, link, copy = (tmp_path / name for name in ("served.sqlite3", "link", "copy"))
    link.symlink_to(db)
    for served, named in [(db, link), (link, db)]:
        with running_server("--db", str(served), "--auth", "lenient") as process:
            assert sessionary("backup", copy, "--db", named, "--force").exit_code == 0
            for refused in (
                sessionary("restore", copy, "--db", named),
                sessionary("backup", named, "--force"),
            ):
                assert "is open in another process" in refused.output
            assert process.stop() == 0
    assert sessionary("restore", copy, "--db", link).exit_code == 0
    assert link.is_symlink()
    assert dump(db) == dump(copy)


@pytest.mark.parametrize("command", ["restore", "import", "backup", "export", "serve"])
def test_circular_links_are_refused(
    sessionary: Command, db: Path, tmp_path: Path, command: str
) -> None:
    link, back = tmp_path / "link", tmp_path / "back"
    link.symlink_to(back)
    back.symlink_to(link)
    args = {"serve": ["--db", link], "restore": [db, "--db", link], "import": [db, "--db", link]}
    refused = sessionary.refusal(command, *args.get(command, [link, "--force"]))
    assert refused == f"Error: {link} is a circular link: name a file.\n"
    assert link.readlink() == back


@pytest.mark.parametrize("command", ["restore", "import", "backup", "export", "serve"])
@pytest.mark.parametrize("name", ["", ".", "/", "folder", "pipe", "link"])
def test_a_folder_or_device_is_neither_opened_nor_replaced(
    sessionary: Command, db: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    monkeypatch.chdir(db.parent)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    args = {"serve": ["--db", name], "restore": [db, "--db", name], "import": [db, "--db", name]}
    refused = sessionary(command, *args.get(command, [name]))
    assert refused.exit_code != 0
    assert isinstance(refused.exception, SystemExit)
    said = ("not a regular file", "is a directory", "must not be empty")
    assert any(each in refused.output for each in said)
    assert "--force" not in refused.output
    assert Path("pipe").is_fifo()


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_database_is_not_created_where_a_server_has_one_open(
    sessionary: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_empty: bool
) -> None:
    monkeypatch.setattr(files, "MISSING_FILE_TIMEOUT_SECONDS", 0.05)
    db, elsewhere = tmp_path / "served.sqlite3", tmp_path / "elsewhere"
    with running_server("--db", str(db), "--auth", "lenient") as process:
        made = process.request("POST", "/session/start", {}, **NOTTE)[1]["session_id"]
        db.rename(elsewhere)
        if is_empty:
            db.touch()
        for command in (["keys", "create"], ["sessions"], ["serve", "--port", "0"]):
            refused = sessionary.refusal(*command, "--db", db)
            assert refused.startswith(f"Error: {db} is gone while another process has it")
            assert db.exists() is is_empty
        elsewhere.replace(db)
        assert process.request("GET", f"/notte/sessions/{made}", **NOTTE)[0] == 200
    with running_server("--db", str(db), "--auth", "lenient") as process:
        assert process.request("GET", f"/notte/sessions/{made}", **NOTTE)[0] == 200


def test_a_database_that_is_being_replaced_does_not_count_as_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MISSING_FILE_TIMEOUT_SECONDS", 0.0)
    with exclusive_lease(tmp_path / "new.sqlite3"):
        store.ensure_not_in_use(tmp_path / "new.sqlite3")


def test_opening_a_database_during_its_replacement_waits_for_the_new_one(
    db: Path, tmp_path: Path
) -> None:
    copy, found = tmp_path / "copy", []
    is_opening = threading.Event()

    def open_it() -> None:
        with (
            closing(store.open_namespace(str(db), durability="off")) as namespace,
            namespace.activate(),
        ):
            is_opening.set()
            found.extend(namespace.database.run("SELECT name FROM organization"))

    with exclusive_lease(db):
        thread = threading.Thread(target=open_it)
        thread.start()
        is_opening.wait()
        store.back_up(db, copy, SCHEMA)
        change(copy)
        copy.replace(db)
    thread.join()
    assert found == [("changed",)] * 2


def test_an_interrupted_restore_keeps_the_old_database(
    sessionary: Command, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    copy = tmp_path / "copy"
    sessionary("backup", copy)
    leave_wal(db, "the last")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        assert sessionary("restore", copy).exit_code == 130
    assert {row[2] for row in dump(db)["organization"]} == {"the last"}


@pytest.mark.parametrize("contents", [b"", b"not a database" * 999])
def test_a_broken_database_is_replaced_and_kept_as_it_is(
    sessionary: Command, db: Path, tmp_path: Path, contents: bytes
) -> None:
    copy = tmp_path / "copy"
    sessionary("backup", copy)
    leave_wal(db, "the last")
    wal = Path(f"{db}-wal").read_bytes()
    db.write_bytes(contents)
    kept = json.loads(sessionary("restore", copy, "--json").output)["kept"]
    assert dump(db) == dump(copy)
    assert (Path(kept).read_bytes(), Path(f"{kept}-wal").read_bytes()) == (contents, wal)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (scratch, "cannot be restored, integrity"),
        (lambda copy: copy.write_bytes(b""), "database of another program, or empty"),
        (lambda copy: copy.write_bytes(b"not a database" * 999), "cannot be copied"),
        (lambda copy: run(copy, "PRAGMA user_version = 9"), "schema: it has version 9"),
        (lambda copy: run(copy, "DROP TABLE notte_sessions"), "notte_sessions is not as it was"),
        (
            lambda copy: run(copy, 'DELETE FROM "user"'),
            "references: row 1 of key refers to nothing",
        ),
        (Path.unlink, "there is no database at"),
    ],
)
def test_a_damaged_copy_is_not_restored_and_nothing_is_changed(
    sessionary: Command, db: Path, tmp_path: Path, damage: Callable[[Path], None], why: str
) -> None:
    copy = tmp_path / "copy"
    sessionary("backup", copy)
    damage(copy)
    before, others = db.read_bytes(), beside(db) | {f"{db.name}.hold"}
    assert why in sessionary.refusal("restore", copy)
    assert db.read_bytes() == before
    assert beside(db) | {f"{db.name}.hold"} == others | {f"{db.name}.hold"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a file")
@pytest.mark.parametrize("command", ["restore", "import"])
def test_a_new_database_belongs_to_the_owner_of_its_folder(
    sessionary: Command, db: Path, tmp_path: Path, command: str
) -> None:
    sessionary("export", tmp_path / "everything.jsonl")
    origin = {"restore": db, "import": tmp_path / "everything.jsonl"}[command]
    new = tmp_path / "service" / "test.sqlite3"
    new.parent.mkdir()
    os.chown(new.parent, 12345, 12346)
    assert sessionary(command, origin, "--db", new).exit_code == 0
    found = new.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 12346, 0o600)


def test_a_restored_database_keeps_the_mode_of_the_old_one(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    sessionary("backup", tmp_path / "copy")
    db.chmod(0o640)
    sessionary("restore", tmp_path / "copy")
    assert stat.S_IMODE(db.stat().st_mode) == 0o640


def test_a_backup_can_be_restored_to_a_new_path(
    sessionary: Command, db: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new" / "test.sqlite3"
    result = json.loads(sessionary("restore", db, "--db", new, "--json").output)
    assert result["kept"] is None
    assert dump(new) == dump(db)
