"""A database file of an earlier program opens, reads, is written and checked as before.

`double-version-2.sql` is the file of a double with a journal, faults, rate limits and an undo log,
made by a program with other Python names; the JSON file is what that program answered.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time

from sessionary import create_app
from sessionary.cli import main
from sessionary.factory import create_double
from sessionary.settings import Settings
from sessionary.store import DatabaseUnusable
from tests import schema_versions
from tests.conftest import double_settings

DUMP = schema_versions.FOLDER / "double-version-2.sql"
ANSWERS: dict[str, Any] = json.loads(DUMP.with_suffix(".json").read_text())
HEADERS = {"Authorization": "Bearer mob_ana", "x-api-key": "mob_ana", "X-Request-Id": "1"}
ADDRESS = {"REMOTE_ADDR": "203.0.113.7"}
# The keys of the control plane that have other names today.
KEYS = {
    "wall": "wall_time",
    "is_spent": "spent",
    "is_open": "open",
    "is_cut": "truncated",
    "body_is_cut": "body_truncated",
    "answer": "response",
    "answer_bytes": "response_bytes",
    "answer_is_cut": "response_truncated",
    "kept": "max_calls",
    "dropped": "dropped_count",
    "before": "from_status",
    "by": "cause",
}
# Keys that have other names today only in an object that has the first key as well.
KEYS_BESIDE = {"is_open": {"next": "next_transition"}, "before": {"after": "to_status"}}
STATUSES = {"held": "active", "void": "expired"}
SESSION = "8ee51600-0978-4bdd-9de3-b89ac0132087"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Path]:
    schema_versions.load(DUMP, tmp_path / "old.sqlite3")
    with freeze_time(schema_versions.NOON):
        yield tmp_path / "old.sqlite3"


def close(app: Flask) -> None:
    app.extensions["sessionary.control"].namespaces.close()


@pytest.fixture
def double(db: Path) -> Iterator[FlaskClient]:
    app = create_double(
        double_settings(db=str(db), auth="strict", rate_limit=1000, max_failed_keys_per_minute=20)
    )
    yield app.test_client()
    close(app)


def with_new_names(value: Any) -> Any:
    """The answer of the control plane with the keys and statuses of today."""
    if isinstance(value, list):
        return [with_new_names(each) for each in value]
    if isinstance(value, dict):
        names = KEYS.copy()
        for key, renamed in KEYS_BESIDE.items():
            names |= renamed if key in value else {}
        found = {names.get(key, key): with_new_names(each) for key, each in value.items()}
        is_fault = found.keys() >= {"id", "kind"}
        return found | {"phase": "before"} if is_fault else found
    return STATUSES.get(value, value) if isinstance(value, str) else value


def corrected(body: Any) -> Any:
    """What that program answered, but for two mistakes of its list of sessions.

    It showed a `since` later than now, and mobilenext as of the past out of the order of creation.
    """
    if isinstance(body, dict) and body.keys() >= {"now", "sessions"}:
        found = [each | {"since": min(each["since"], body["now"])} for each in body["sessions"]]
        in_order = iter(sorted(each["id"] for each in found if each["surface"] == "mobilenext"))
        by_id = {each["id"]: each for each in found}
        found = [
            by_id[next(in_order)] if each["surface"] == "mobilenext" else each for each in found
        ]
        return body | {"sessions": found}
    return body


def get(client: FlaskClient, path: str, **headers: str) -> list[Any]:
    response = client.get(path, headers=HEADERS | headers, environ_base=ADDRESS)
    return [response.status_code, response.json]


def test_every_read_answers_the_same_json(double: FlaskClient) -> None:
    for name, (status, body) in ANSWERS.items():
        at, _, path = name.rpartition(" ")
        is_control = path.startswith("/_control/")
        expected = [status, corrected(with_new_names(body)) if is_control else body]
        found = get(double, path, **({"Sessionary-At": at} if at else {}))
        if is_control and "sessions" in found[1]:
            for each in found[1]["sessions"]:
                assert isinstance(each.pop("title"), str)  # it showed none
        assert found == expected, name


def test_a_write_is_recorded_and_can_be_undone(double: FlaskClient) -> None:
    before = get(double, f"/notte/sessions/{SESSION}")
    body = {"session_id": SESSION}
    started = double.post("/session/start", json={}, headers=HEADERS, environ_base=ADDRESS)
    assert started.status_code == 200
    double.post("/_control/v1/clock/advance", json={"by": "1m"})
    closed = double.post("/session/close", json=body, headers=HEADERS, environ_base=ADDRESS)
    assert closed.status_code in (200, 404)
    calls = double.get("/_control/v1/journal?limit=100").json["calls"]
    assert [call["id"] for call in calls] == list(range(1, len(calls) + 1))
    assert calls[-2]["response"] == started.json
    # It was two sessions before, and is so again as of the minute before.
    assert get(double, f"/notte/sessions/{SESSION}", **{"Sessionary-At": "-1m"})[1] == before[1]
    listed = get(double, "/notte/sessions", **{"Sessionary-At": "2026-03-01T12:01:00Z"})
    assert started.json["session_id"] not in json.dumps(listed)
    assert listed == ANSWERS["2026-03-01T12:01:00Z /notte/sessions"]


def test_a_server_reads_and_writes_it_without_the_undo_log(db: Path) -> None:
    app = create_app(Settings(db=str(db), control=True, journal=True, control_token="t" * 20))
    client = app.test_client()
    for path in ("/notte/sessions", "/mobilenext/api/v1/sessions"):
        assert get(client, path) == ANSWERS[path]
    assert client.post("/session/start", json={}, headers=HEADERS).status_code in (200, 503)
    app.extensions["sessionary"].close()
    with closing(sqlite3.connect(db)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert triggers.fetchall() == []
        (count,) = connection.execute("SELECT count(*) FROM control_call").fetchone()
        assert count > 11


def test_the_check_of_the_file_is_clean_before_and_after(db: Path) -> None:
    older = "it has version 2, this program has 4: run `sessionary migrate`"
    for problem in (older, None):
        result = CliRunner().invoke(main, ["check", "--db", str(db), "--json"])
        assert result.exit_code == int(problem is not None)
        assert [each["problem"] for each in json.loads(result.output)] == [None, None, problem]
        close(create_double(double_settings(db=str(db))))


def test_the_file_has_rows_in_every_table(db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in tables]
        empty = [
            name
            for name in names
            if not connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        ]
    assert empty == []
    assert {"control_call", "control_fault", "history_entries", "pace", "familiar"} <= set(names)


FIRST_UNDO_LOG = """
CREATE TABLE "history_changes" ("seq" INTEGER NOT NULL PRIMARY KEY, "way" INTEGER NOT NULL,
    "session" TEXT, "row" TEXT NOT NULL);
CREATE TRIGGER "history_1_insert" AFTER INSERT ON "clock" BEGIN
    INSERT INTO history_changes VALUES (NULL, 1, NULL, '[]'); END;
"""


def test_an_undo_log_of_the_first_format_is_refused_with_the_version_that_removes_it(
    db: Path,
) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.executescript(FIRST_UNDO_LOG)
    advice = (
        "a double has left an undo log of the first format in it: run `sessionary serve` of a "
        "program with schema version 2 on it once, which removes the log"
    )
    refused = pytest.raises(DatabaseUnusable, match=re.escape(f"cannot be opened: {advice}."))
    with refused:
        create_double(double_settings(db=str(db)))
    with refused:
        create_app(Settings(db=str(db)))
    result = CliRunner().invoke(main, ["check", "--db", str(db), "--json"])
    assert [each["problem"] for each in json.loads(result.output)] == [advice]
