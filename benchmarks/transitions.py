"""Transitions: reads of the coming ones among many open sessions."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from benchmarks.measure import seconds_each
from benchmarks.namespaces import fill
from benchmarks.profiles import Profile
from benchmarks.requests import Request, wsgi_call
from benchmarks.vendors import VENDORS
from sessionary import create_app
from sessionary.settings import Settings
from sessionary.store import Namespace

_PREFIX = "/_control/v1"
CALLS = {
    "timeline": Request("GET", f"{_PREFIX}/timeline?limit=100"),
    "timeline_later": Request("GET", f"{_PREFIX}/timeline?limit=100&from=2100-01-01T00:00:00Z"),
    "to_next": Request("POST", f"{_PREFIX}/clock/advance", {"to": "next"}),
    "sessions": Request("GET", f"{_PREFIX}/sessions?limit=100"),
    "sessions_of_mobilenext": Request("GET", f"{_PREFIX}/sessions?limit=100&surface=mobilenext"),
}
# Every session has a deadline of its own: half of them have passed, as after a long run.
_DEADLINES = (
    "UPDATE galtea_sessions SET status = 'PENDING', auto_close_minutes = 30, "
    "expires_at = created_at + :later",
    "UPDATE mobilenext_sessions SET released_at = NULL, expires_at = created_at + :later",
    "UPDATE mobilenext_allocations SET released_at = NULL, expires_at = created_at + :later, "
    "in_use_at = CASE WHEN seq % 1000 = 0 THEN created_at + :later - 1 END",
    "UPDATE notte_sessions SET ended_at = NULL, ended_as = NULL, close_reason = NULL, "
    "expires_at = created_at + :later",
)


def run(profile: Profile, folder: Path) -> dict[str, Any]:
    """Return milliseconds of each call, by sessions of each surface."""
    found: dict[str, Any] = {}
    for count in profile.open_sessions:
        with _app(folder / f"{count}.sqlite3", count) as (app, headers):
            for name, request in CALLS.items():
                call = wsgi_call(app, request, headers)
                call()
                took = seconds_each([call] * profile.batch, waits=request.method != "GET")
                found.setdefault(f"{name}_ms", {})[str(count)] = took * 1000
    return found


@contextmanager
def _app(path: Path, count: int) -> Iterator[tuple[Flask, dict[str, str]]]:
    settings = Settings(db=str(path), durability="normal")
    fill(settings, VENDORS, count)
    token = secrets.token_hex()
    controlled = Settings(db=str(path), durability="normal", control=True, control_token=token)
    app = create_app(controlled)
    namespace: Namespace = app.extensions["sessionary"]
    with namespace.activate():
        later = count * 500_000
        for statement in _DEADLINES:
            namespace.connection().execute(statement, {"later": later})
        namespace.connection().commit()
        namespace.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try:
        yield app, {"Authorization": f"Bearer {token}"}
    finally:
        namespace.close()
