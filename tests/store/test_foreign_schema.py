"""A database file from outside that another program has prepared is refused everywhere."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sessionary import create_app
from sessionary.factory import create_double
from sessionary.settings import Settings
from sessionary.store import DatabaseUnusable, namespaces
from tests import schema_versions
from tests.conftest import double_settings
from tests.control.conftest import Double
from tests.processes import Process, running_double
from tests.store.database_files import Command

NOTTE = {"Authorization": "Bearer anyone"}
REWRITE = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET"
ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x), 1, 1 FROM n"
)
ALTERED = {  # what another program did, and what is named
    "CREATE TRIGGER evil AFTER INSERT ON notte_sessions BEGIN DELETE FROM notte_sessions; END": (
        "trigger evil is foreign"
    ),
    "CREATE TRIGGER evil BEFORE INSERT ON notte_sessions BEGIN SELECT RAISE(ABORT, 'no'); END": (
        "trigger evil is foreign"
    ),
    f"CREATE TRIGGER evil AFTER UPDATE ON clock BEGIN INSERT INTO mint {ENDLESS}; END": (
        "trigger evil is foreign"
    ),
    "ALTER TABLE notte_sessions RENAME TO kept;"
    "CREATE VIEW notte_sessions AS SELECT * FROM kept": "view notte_sessions is foreign",
    "CREATE TABLE theirs (x)": "table theirs is foreign",
    "CREATE INDEX theirs ON clock (mode)": "index theirs is foreign",
    f"{REWRITE} sql = replace(sql, ' NOT NULL', '') WHERE name = 'notte_sessions'": (
        "notte_sessions is not as it was made"
    ),
    "DROP INDEX galtea_sessions_id_organization": "galtea_sessions_id_organization is not as it",
    "DELETE FROM clock": "clock does not have the one row",
    "UPDATE clock SET rate = 1e300": "clock does not have the one row",
    "UPDATE clock SET world_at = 'now'": "clock does not have the one row",
    "INSERT INTO mint VALUES (2, NULL, 0)": "mint does not have the one row",
}
DAMAGED = {  # what takes reading all of it to be found
    f"{REWRITE} rootpage = 2 WHERE name = 'notte_sessions'": "integrity: ",
    "UPDATE notte_sessions SET created_at = 'soon'": " rows of notte_sessions hold a value of",
}
OF_THE_UNDO_LOG = {
    "UPDATE history_entries SET table_name = 'clock', old_values = '[]'": (
        "entries of the undo log do not fit"
    ),
    "CREATE TRIGGER history_notte_sessions_x AFTER INSERT ON notte_sessions BEGIN SELECT 1; END": (
        "trigger history_notte_sessions_x is foreign"
    ),
    f"{REWRITE} sql = replace(sql, 'AFTER', 'BEFORE') WHERE name LIKE 'history_notte%delete'": (
        "trigger history_notte_sessions_delete is foreign"
    ),
    "UPDATE history_entries SET table_name = 'notte_sessions', old_values = '[1'": (
        "entries of the undo log do not fit"
    ),
}


def alter(file: Path, script: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double("--threads", "2") as process:
        yield process


def call(
    double: Process, method: str, name: str, body: bytes | None = None
) -> tuple[int, str | None, bytes]:
    """Return status, content type and body of a call on the default namespace."""
    with closing(double.connect()) as connection:
        connection.request(method, f"/_control/v1/namespaces/default/{name}", body)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read()


@pytest.mark.parametrize(("script", "named"), {**ALTERED, **DAMAGED, **OF_THE_UNDO_LOG}.items())
def test_a_double_refuses_to_restore_an_altered_snapshot_and_goes_on(
    double: Process, tmp_path: Path, script: str, named: str
) -> None:
    """More calls than the double has threads."""
    kept = double.request("POST", "/session/start", {}, **NOTTE)[1]["session_id"]
    file = tmp_path / "snapshot.sqlite3"
    file.write_bytes(call(double, "GET", "snapshot")[2])
    alter(file, script)
    for _ in range(3):
        status, content_type, body = call(double, "POST", "restore", file.read_bytes())
        assert (status, content_type) == (400, "application/problem+json"), body
        assert named in json.loads(body)["detail"]
    assert double.request("GET", f"/notte/sessions/{kept}", **NOTTE)[0] == 200
    assert double.request("POST", "/session/start", {}, **NOTTE)[0] == 200


def test_a_double_that_was_given_altered_files_stops(double: Process) -> None:
    assert double.stop() == 0


@pytest.mark.parametrize(("script", "named"), ALTERED.items())
def test_no_command_opens_or_copies_an_altered_database(
    sessionary: Command, db: Path, tmp_path: Path, script: str, named: str
) -> None:
    alter(db, script)
    before, new = db.read_bytes(), tmp_path / "new.sqlite3"
    commands = (
        ["keys", "list"],
        ["keys", "create"],
        ["clock", "freeze"],
        ["export"],
        ["migrate"],
        ["prune", "--ended-before", "1d"],
        ["restore", db, "--db", new],
        ["check"],
        *([["backup", new]] if " does not have " not in named else []),
    )
    for command in commands:
        refused = sessionary(*command)
        assert refused.exit_code == 1, command
        assert named in refused.output
        assert refused.output.count("\n") == 1 or command == ["check"]
    for create, settings in ((create_app, Settings), (create_double, double_settings)):
        with pytest.raises(DatabaseUnusable, match=named):
            create(settings(db=str(db), auth="lenient"))
    assert db.read_bytes() == before
    assert not new.exists()


@pytest.mark.parametrize(("script", "named"), DAMAGED.items())
def test_a_damaged_database_is_not_restored(
    sessionary: Command, db: Path, tmp_path: Path, script: str, named: str
) -> None:
    alter(db, script)
    assert named in sessionary.refusal("restore", db, "--db", tmp_path / "new.sqlite3")
    assert sessionary("check").exit_code == 1


@pytest.mark.parametrize(
    "script",
    ["CREATE VIEW theirs AS SELECT 1", "CREATE TABLE theirs (x); PRAGMA user_version = 2", ""],
)
def test_a_backup_is_made_of_our_own_databases_only(
    sessionary: Command, tmp_path: Path, script: str
) -> None:
    other = tmp_path / "other.sqlite3"
    alter(other, script)
    refused = sessionary.refusal("backup", tmp_path / "copy", "--db", other)
    assert "it is the database of another program, or empty" in refused
    assert not (tmp_path / "copy").exists()


def test_a_view_is_enough_to_be_the_database_of_another_program(tmp_path: Path) -> None:
    alter(tmp_path / "other.sqlite3", "CREATE VIEW clock AS SELECT 1")
    with pytest.raises(DatabaseUnusable, match="is the database of another program"):
        create_app(Settings(db=str(tmp_path / "other.sqlite3"), auth="lenient"))


@pytest.fixture
def older(tmp_path: Path) -> Path:
    schema_versions.load(schema_versions.fixture(1), tmp_path / "older.sqlite3")
    return tmp_path / "older.sqlite3"


def test_an_earlier_version_has_the_schema_of_that_version(
    sessionary: Command, older: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.sqlite3"
    assert sessionary("restore", older, "--db", new).exit_code == 0
    alter(older, "ALTER TABLE galtea_sessions ADD written_at INTEGER")
    refused = sessionary("restore", older, "--db", new)
    assert "galtea_sessions is not as it was made" in refused.output
    with pytest.raises(DatabaseUnusable, match="galtea_sessions is not as it was made"):
        create_app(Settings(db=str(older), auth="lenient"))


def test_a_snapshot_of_an_earlier_version_is_restored(older: Path) -> None:
    double = Double(create_double(double_settings()))
    answer = double.call("POST", "/namespaces/t1/restore", data=older.read_bytes())
    assert answer.status_code == 200
    assert len(double.get("/sessions", ns="t1")["sessions"]) > 5
    assert double.control.namespaces is not None
    double.control.namespaces.close()


def test_the_check_of_a_snapshot_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(create_double(double_settings()))
    contents = double.call("GET", "/namespaces/default/snapshot").data
    monkeypatch.setattr(namespaces, "CHECK_SECONDS", -1.0)
    answer = double.call("POST", "/namespaces/t1/restore", data=contents)
    assert answer.status_code == 400
    assert "to check it takes more than" in answer.json["detail"]
    assert double.control.namespaces is not None
    double.control.namespaces.close()
