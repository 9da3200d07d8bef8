"""The faults resource: arm, list and disarm."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from sessionary import create_app
from sessionary.control.faults import matching
from sessionary.settings import Settings
from tests.control.conftest import NOTTE, Double, MakeDouble
from tests.control.fault_helpers import CALLS, START, arm, refusal, start, statuses

HALF_PAST = "2026-03-01T12:30:00Z"
CONNECTIONS = pytest.mark.parametrize("kind", ["reset", "empty", "truncated"])


def test_a_fault_shows_its_matched_and_hit_counts(double: Double) -> None:
    armed = arm(double, method="POST", route="/session/start", status=503, times=1, after=1)
    assert (armed["matched_count"], armed["hit_count"], armed["spent"]) == (0, 0, False)
    statuses(double, 3)
    shown = double.get(f"/faults/{armed['id']}")
    assert shown == {**armed, "matched_count": 2, "hit_count": 1, "spent": True}
    assert double.get("/faults") == {"faults": [shown]}


def test_faults_without_a_hit_can_be_listed(double: Double) -> None:
    arm(double, status=503)
    unmatched = arm(double, status=500, after=5)
    other = arm(double, "galtea", status=500)
    start(double)
    assert double.get("/faults?unmatched=true") == {"faults": [unmatched, other]}
    assert double.get("/faults?unmatched=true&surface=galtea") == {"faults": [other]}


def test_a_fault_shows_every_member_of_its_request(double: Double) -> None:
    fault = {
        "method": "POST",
        "route": "/session/start",
        "kind": "latency",
        "delay": "250ms",
        "times": 3,
        "after": 1,
        "probability": 0.5,
        "seed": 9,
        "from": "2026-03-01T12:00:00.000000Z",
        "to": "2026-03-01T13:00:00.000000Z",
    }
    assert arm(double, **fault).items() >= fault.items()


def test_faults_are_disarmed_one_by_one_or_all_at_once(double: Double) -> None:
    first, second = arm(double, status=503), arm(double, status=500)
    assert double.call("DELETE", f"/faults/{first['id']}").status_code == 204
    assert double.get("/faults") == {"faults": [second]}
    assert double.call("DELETE", "/faults").status_code == 204
    assert double.get("/faults") == {"faults": []}
    for method in ("GET", "DELETE"):
        gone = double.call(method, f"/faults/{first['id']}")
        assert (gone.status_code, gone.json and gone.json["status"]) == (404, 404)


def test_namespaces_have_their_own_faults_and_a_fork_copies_them(double: Double) -> None:
    armed = arm(double, status=503, ns="a")
    assert double.get("/faults") == {"faults": []}
    double.post("/namespaces/a/fork", {"name": "b"}, status=201)
    assert double.get("/faults", ns="b") == {"faults": [armed]}
    double.post("/namespaces/a/reset")
    assert double.get("/faults", ns="a") == {"faults": []}


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ({"surface": "acme"}, "must be one of scale, mobilenext, notte, galtea"),
        ({"status": 200}, "/status must be at least 400"),
        ({"colour": 1}, "/colour is not a known field"),
        ({"method": "FETCH"}, "/method must be one of"),
        ({"route": "/session/strat"}, "is /session/start"),
        ({"route": "session/start"}, "is /session/start"),
        ({"method": "GET", "route": "/session/start"}, "no GET route"),
        ({"method": "WS"}, "method: notte has no WS calls"),
        (
            {"surface": "mobilenext", "method": "GET", "route": "device.io.tap"},
            "method: must be WS for 'device.io.tap', or left out",
        ),
        (
            {"surface": "mobilenext", "method": "WS", "route": "device.io.tab"},
            "mobilenext has no WS route 'device.io.tab': the nearest is device.io.tap",
        ),
        ({"preset": "overloaded"}, "leave these out"),
        ({"kind": "reset"}, "status: goes with"),
        ({"times": 0}, "/times must be at least 1"),
        ({"after": -1}, "/after must be at least 0"),
        ({"probability": 1.5}, "/probability must be"),
        ({"from": HALF_PAST, "to": NOTTE}, "/to must be a date-time"),
        ({"from": HALF_PAST, "to": HALF_PAST}, "to: must be after `from`"),
        ({"surface": None}, "/surface is required"),
        ({"status": None}, "status: is required"),
        ({"status": None, "preset": "tired"}, "overloaded"),
        ({"status": None, "kind": "latency"}, "delay: must be above 0s"),
        ({"status": None, "kind": "latency", "delay": "0s"}, "delay: must be above 0s"),
        (
            {"status": None, "kind": "latency", "delay": "11m"},
            "/delay must be a duration from 0s to 10m",
        ),
        ({"retry_after": "8d"}, "/retry_after must be a duration from 0s to 1w"),
        ({"status": None, "kind": "latency", "delay": "-1s"}, "/delay must be"),
        ({"status": None, "kind": "reset", "preset": "overloaded"}, "preset: goes with"),
        ({"status": None, "kind": "smoke"}, "/kind must be one of"),
    ],
)
def test_an_invalid_fault_is_refused_with_what_to_send_instead(
    double: Double, fault: dict[str, Any], detail: str
) -> None:
    """None leaves a member out."""
    whole = {"surface": "notte", "status": 503, **fault}
    given = {name: value for name, value in whole.items() if value is not None}
    assert detail in refusal(double, given)
    assert double.get("/faults") == {"faults": []}


@CONNECTIONS
def test_a_server_refuses_faults_of_connections(kind: str) -> None:
    client = create_app(
        Settings(db=":memory:", auth="lenient", control=True, control_token="t")
    ).test_client()
    given = {"json": {"surface": "notte", "kind": kind}, "headers": {"Authorization": "Bearer t"}}
    answer = client.post("/_control/v1/faults", **given)
    assert answer.status_code == 409
    assert "start a double instead" in answer.json["detail"]


@CONNECTIONS
def test_in_process_a_dropped_connection_is_raised(double: Double, kind: str) -> None:
    arm(double, kind=kind)
    path, headers = CALLS["notte"]
    with pytest.raises(ConnectionResetError):
        assert double.client.get(path, headers=headers).data
    transport = httpx.WSGITransport(double.app)
    with (
        httpx.Client(transport=transport, base_url="http://localhost") as client,
        pytest.raises(ConnectionResetError),
    ):
        client.get(path, headers=headers)


@pytest.mark.parametrize(("kind", "sessions"), [("reset", 0), ("empty", 0), ("truncated", 1)])
def test_only_a_truncated_response_had_its_effect(double: Double, kind: str, sessions: int) -> None:
    arm(double, kind=kind)
    with pytest.raises(ConnectionResetError):
        assert double.client.post(START, json={}, headers=NOTTE).data
    assert len(double.get("/sessions")["sessions"]) == sessions


def test_without_faults_a_call_runs_one_indexed_query_for_them(double: Double) -> None:
    assert double.control.namespaces is not None
    queries: list[str] = []
    with double.control.namespace.activate():
        connection = double.control.namespace.connection()
        connection.set_trace_callback(queries.append)
        start(double)
        connection.set_trace_callback(None)
        (select,) = [text for text in queries if "control_fault" in text]
        (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {select}").fetchall()
    assert "USING INDEX" in plan[3]


def test_matching_and_counting_happen_under_one_write_lock(
    make_double: MakeDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "test.sqlite3"
    double = make_double(db=str(file))
    arm(double, status=503, times=1)
    errors: list[str] = []
    draw = matching._draw

    def draw_with_lock_check(fault: matching.FaultRow) -> bool:
        with closing(sqlite3.connect(file, timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                errors.append(str(error))
        return draw(fault)

    monkeypatch.setattr(matching, "_draw", draw_with_lock_check)
    assert statuses(double, 2) == [503, 200]
    assert errors == ["database is locked"]
