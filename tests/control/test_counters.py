"""`GET changes`: counters, and a number that has grown after each change."""

import json
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from sessionary.durations import monotonic
from sessionary.store.waits import poll
from tests.control.conftest import GALTEA, NOTTE, Double, MakeDouble
from tests.processes import TIMEOUT_SECONDS, running_server

TOKEN = {"Authorization": "Bearer open-sesame"}


def number(double: Double) -> int:
    found: int = double.get("/changes")["number"]
    return found


def test_changes_count_what_a_namespace_holds(double: Double) -> None:
    double.start(session_timeout_minutes=3)
    double.start()
    double.client.post("/galtea/sessions", json={"versionId": "v"}, headers=GALTEA)
    double.advance("4m")
    double.post("/faults", {"surface": "notte", "preset": "overloaded"}, status=201)
    found = double.get("/changes")
    assert found.pop("number") > 0
    assert found == {
        "clock": {"mode": "frozen", "now": "2026-03-01T12:04:00.000000Z", "rate": 0.0},
        "sessions": 3,
        "open": 2,
        "calls": 3,
        "faults": 1,
        "namespaces": 1,
        "role": "double",
        "readonly": False,
    }
    double.call("DELETE", "/journal")
    assert double.get("/changes")["calls"] == 0


CHANGES: dict[str, Callable[[Double], Any]] = {
    "a write": lambda double: double.start(),
    "a recorded read": lambda double: double.client.get("/notte/sessions", headers=NOTTE),
    "a refused call": lambda double: double.client.get("/notte/sessions"),
    "a clock": lambda double: double.advance("1us"),
    "a mode": lambda double: double.put("/clock", {"mode": "real"}),
    "a fault": lambda double: double.post(
        "/faults", {"surface": "notte", "kind": "empty"}, status=201
    ),
    "no fault": lambda double: double.call("DELETE", "/faults/1"),
    "a reset": lambda double: double.post("/namespaces/default/reset"),
    "an emptied journal": lambda double: double.call("DELETE", "/journal"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_number_grows_with_each_change(double: Double, change: Callable[[Double], Any]) -> None:
    double.post("/faults", {"surface": "galtea", "kind": "empty"}, status=201)
    double.start()
    before = number(double)
    change(double)
    assert number(double) > before


def test_the_number_grows_when_a_namespace_begins_again(
    make_double: MakeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessionary.store.namespaces.MAX_OPEN", 0)
    double = make_double()
    seen = []
    for _ in range(3):
        double.start(ns="a")  # it hibernates once it has been created
        seen.append(double.get("/changes", ns="a")["number"])
        double.call("DELETE", "/namespaces/a")
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("db", [":memory:", "file.sqlite3"])
def test_reading_writes_nothing_and_gives_the_same_etag(
    make_double: MakeDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: str
) -> None:
    monkeypatch.setattr("sessionary.store.change_numbers._UNSETTLED_US", 0)
    double = make_double(db=db if db == ":memory:" else str(tmp_path / db))
    double.start()
    double.client.get("/notte/sessions/x", headers=NOTTE)
    answer = double.call("GET", "/changes")
    assert (answer.status_code, answer.headers["ETag"][:3]) == (200, 'W/"')
    given = {"If-None-Match": answer.headers["ETag"]}
    for path in ("/sessions", "/lanes", "/journal", "/journal/2/explain", "/surfaces", "/changes"):
        assert double.call("GET", path).status_code == 200
    double.post("/requests/explain", {"method": "GET", "path": "/notte/sessions"})
    again = double.call("GET", "/changes", headers=given)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]
    double.post("/namespaces", {"name": "other"}, status=201)
    assert double.call("GET", "/changes", headers=given).status_code == 200
    double.start()
    assert double.get("/changes")["number"] > answer.json["number"]


def test_every_worker_of_a_server_gives_the_same_number(tmp_path: Path) -> None:
    arguments = ("--db", str(tmp_path / "a.sqlite3"), "--auth", "lenient", "--control")
    token = {"SESSIONARY_CONTROL_TOKEN": "open-sesame"}
    with running_server(*arguments, "--workers", "3", **token) as server, ExitStack() as stack:
        connections = [stack.enter_context(closing(server.connect())) for _ in range(8)]

        def are_all(status: int, etag: str) -> bool:
            return {get(each, etag)[0] for each in connections} == {status}

        def is_settled() -> bool:
            return are_all(304, get(connections[0])[1])

        assert poll(is_settled, monotonic() + TIMEOUT_SECONDS)
        _, etag, before = get(connections[0])
        for _ in range(3):
            assert are_all(304, etag)
        assert server.request("POST", "/notte/session/start", {}, **NOTTE)[0] == 200
        assert are_all(200, etag)
        assert poll(is_settled, monotonic() + TIMEOUT_SECONDS)
        _, _, after = get(connections[-1])
        assert after["number"] > before["number"]
        assert (after["sessions"], after["open"], after["role"]) == (1, 1, "server")


def get(connection: HTTPConnection, etag: str = "") -> tuple[int, str, Any]:
    """Get the changes; return the status, the ETag and the body."""
    connection.request("GET", "/_control/v1/changes", headers={**TOKEN, "If-None-Match": etag})
    response = connection.getresponse()
    text = response.read()
    return response.status, response.headers["ETag"], json.loads(text) if text else None
