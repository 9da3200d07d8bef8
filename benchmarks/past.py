"""Reads of the past in a double, beside many writes since: by an index of the undo log."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient

from benchmarks.measure import seconds_each
from benchmarks.profiles import Profile
from benchmarks.requests import Request, wsgi_call
from sessionary import clock, make_settings, store
from sessionary.factory import create_double
from sessionary.settings import DOUBLE
from sessionary.web.instants import to_text

FIRST = "2026-03-01T12:00:00Z"
_BEFORE = 100  # sessions of each surface, created before the writes
_STEP_US = 1_000  # between two writes
_CONTROL = "/_control/v1"
HEADERS = {
    "notte": {"Authorization": "Bearer any"},
    "galtea": {"Authorization": "Bearer gsk_any"},
    "mobilenext": {"Authorization": "Bearer mob_any"},
    "scale": {"x-api-key": "any"},
    "control": {},
}
_CREATIONS = {
    "notte": ("/notte/session/start", {"session_timeout_minutes": 29}),
    "galtea": ("/galtea/sessions", {"productId": "p"}),
    "scale": ("/scale/v4/sessions", {"account_id": "a", "title": "t", "state": {}}),
    "mobilenext": ("/mobilenext/api/v1/sessions", {}),
}
_PAGES = {
    "notte": "/notte/sessions?page_size=100",
    "galtea": "/galtea/sessions?limit=100",
    "mobilenext": "/mobilenext/api/v1/sessions?limit=100",
    "scale": "/scale/v4/sessions?limit=100",
    "control": f"{_CONTROL}/sessions?limit=100",
}
_RARE = {  # lists with a filter that few sessions meet, or none
    "active": ("notte", "/notte/sessions?page_size=100&only_active=true"),
    "failed": ("galtea", "/galtea/sessions?limit=100&statuses=FAILED"),
    "of_user": ("galtea", "/galtea/sessions?limit=100&userIds=nobody"),
    "timeline": ("control", f"{_CONTROL}/timeline"),
}
_WHEN = {"": FIRST, "late_": "-1ms"}
PAGES = [f"{when}page_{name}" for when in _WHEN for name in (*_PAGES, *_RARE)]
_ANDROID = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "ANDROID"}]}
# The columns of a copied session that are its own; the others are those of the first one.
_OWN = {
    "seq": "NULL",
    "id": ":id",
    "session": ":id",
    "created_at": ":at",
    "expires_at": "expires_at - created_at + :at",
}
_CHANGES = {
    "notte_sessions": "last_accessed_at = :at, expires_at = :at + 300000000",
    "galtea_sessions": "written_at = :at",
    "scale_sessions": "updated_at = :at",
    "mobilenext_sessions": "released_at = :at",
}


def run(profile: Profile) -> dict[str, Any]:
    """Return milliseconds of each read, by the number of writes since the first instant."""
    found: dict[str, Any] = {}
    for count in profile.writes:
        with filled(count) as (app, reads):
            for name, (surface, path, at) in reads.items():
                headers = HEADERS[surface] | ({"Sessionary-At": at} if at else {})
                call = wsgi_call(app, Request("GET", path), headers)
                call()
                took = seconds_each([call] * profile.batch, waits=False)
                found.setdefault(f"{name}_ms", {})[str(count)] = took * 1000
    return found


@contextmanager
def filled(count: int) -> Iterator[tuple[Flask, dict[str, tuple[str, str, str]]]]:
    """Create a double with these writes after an instant; yield reads: surface, path, instant."""
    app = create_double(make_settings(**DOUBLE | {"journal": False}))
    client = app.test_client()
    client.put(f"{_CONTROL}/clock", json={"mode": "frozen", "now": FIRST})
    ids = {surface: [_create(client, surface) for _ in range(_BEFORE)] for surface in _CREATIONS}
    with app.extensions["sessionary.control"].namespace.activate():
        at = clock.now()
        for number in range(count):
            at += _STEP_US
            clock.set_time(at)
            _write(number, at)
    pages = {name: (name, path) for name, path in _PAGES.items()} | _RARE
    one, diff = ids["notte"][50], f"{_CONTROL}/diff?from={{}}&limit={{}}".format
    reads = {
        "get": ("notte", f"/notte/sessions/{one}", FIRST),
        "get_late": ("notte", f"/notte/sessions/{one}", "-1ms"),
        "get_now": ("notte", f"/notte/sessions/{one}", ""),
        "explain": ("control", f"{_CONTROL}/sessions/notte/{one}/explain", FIRST),
        **{
            f"{when}page_{name}": (surface, path, at)
            for when, at in _WHEN.items()
            for name, (surface, path) in pages.items()
        },
        "diff": ("control", f"{_CONTROL}/diff?from={FIRST}", ""),
        "diff_10": ("control", diff(FIRST, 10), ""),
        "diff_100": ("control", diff(FIRST, 100), ""),
        "late_diff": ("control", diff(quote(to_text(at - 10 * _STEP_US)), 10), ""),
    }
    try:
        yield app, reads
    finally:
        app.extensions["sessionary.control"].namespaces.close()


def _create(client: FlaskClient, surface: str) -> str:
    """Create a session; Mobile Next's holds a device for a moment."""
    path, body = _CREATIONS[surface]
    answer = client.post(path, json=body, headers=HEADERS[surface])
    assert answer.status_code in (200, 201), answer.text
    made: Any = answer.json
    id = str(made.get("id") or made["session_id"])
    if surface == "mobilenext":
        devices, headers = f"{path}/{id}/devices", HEADERS[surface]
        client.post(devices, json=_ANDROID, headers=headers)
        found: Any = client.get(devices, headers=headers).json
        (held,) = found["data"]
        client.post(f"{devices}/{held['id']}/release", headers=headers)
    return id


def _write(number: int, at: int) -> None:
    """Create a session of a surface, or else change the first one, or one of the first hundred."""
    connection = store.current_namespace().connection()
    table = list(_CHANGES)[number // 4 % len(_CHANGES)]
    values = {"at": at, "id": str(uuid.UUID(int=number)), "seq": number % _BEFORE + 1}
    with clock.transaction():
        if number % 4 == 0:
            change = f"UPDATE {table} SET {_CHANGES[table]} WHERE seq = 1"
            connection.execute(change, values)
        elif number % 4 == 1:
            change = f"UPDATE {table} SET {_CHANGES[table]} WHERE seq = :seq"
            connection.execute(change, values)
        else:
            for each in _copied(table):
                connection.execute(_copy_sql(each), values)


def _copied(table: str) -> list[str]:
    return [table, "mobilenext_allocations"] if table == "mobilenext_sessions" else [table]


@cache
def _copy_sql(table: str) -> str:
    rows = store.current_namespace().connection().execute(f"PRAGMA table_info({table})")
    columns = ", ".join(_OWN.get(name, f'"{name}"') for _, name, *_ in rows)
    return f"INSERT INTO {table} SELECT {columns} FROM {table} WHERE seq = 1"
