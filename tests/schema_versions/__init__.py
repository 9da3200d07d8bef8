"""A small database of every schema version as SQL, and the responses to reads of it as JSON."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask

FOLDER = Path(__file__).parent
NOON = "2026-03-01T12:00:00+00:00"
_ANA = {"Authorization": "Bearer mob_ana", "x-api-key": "mob_ana"}
_LISTS = (
    "/scale/v4/sessions?include_archived=true",
    "/scale/user-info",
    "/mobilenext/api/v1/sessions",
    "/mobilenext/api/v1/organizations",
    "/notte/sessions",
    "/galtea/sessions",
    "/galtea/versions?ids=version_v1",
    "/galtea/testCases?ids=testCase_t1",
)
_SESSIONS = {
    "/scale/v4/sessions/": "scale_sessions",
    "/mobilenext/api/v1/sessions/": "mobilenext_sessions",
    "/notte/sessions/": "notte_sessions",
    "/galtea/sessions/": "galtea_sessions",
}


def fixture(version: int) -> Path:
    """Return the SQL file of a version; the JSON file has the same name."""
    return FOLDER / f"version-{version}.sql"


def fixtures() -> list[Path]:
    """Return the SQL files of all versions."""
    return sorted(FOLDER.glob("version-*.sql"))


def load(dump: Path, file: Path) -> None:
    """Create a database file from an SQL file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(dump.read_text())


def read(app: Flask) -> dict[str, Any]:
    """Return status and body of every list and every session, by path."""
    client = app.test_client()
    with app.extensions["sessionary"].activate():
        run = app.extensions["sessionary"].database.run
        paths = [
            f"{path}{id}"
            for path, table in _SESSIONS.items()
            for (id,) in run(f"SELECT id FROM {table} ORDER BY id")  # noqa: S608
        ]
    answers = {path: client.get(path, headers=_ANA) for path in (*_LISTS, *paths)}
    return {path: [answer.status_code, answer.json] for path, answer in answers.items()}
