"""What the journal records of a vendor call."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from sessionary.control.journal import recorder
from sessionary.embedded import EmbeddedServer
from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, SCALE, Double, MakeDouble
from tests.control.fault_helpers import START, arm, start

JSON = {"Content-Type": "application/json"}


def test_a_call_is_recorded_with_its_response_and_caller(double: Double) -> None:
    body = {"session_timeout_minutes": 5}
    answer = double.client.post(f"{START}?trace=1&trace=2", json=body, headers=NOTTE)
    (call,) = double.calls()
    text = answer.get_data(as_text=True)
    assert call.pop("wall_time") > "2026"
    assert call.pop("caller")["organization"] == "000000000000000000000001"
    assert call == {
        "id": 1,
        "at": NOON,
        "surface": "notte",
        "method": "POST",
        "path": "/session/start",
        "route": "/session/start",
        "query": {"trace": ["1", "2"]},
        "headers": {"content-type": "application/json"},
        "body": body,
        "body_bytes": 30,
        "body_truncated": False,
        "status": 200,
        "response": answer.json,
        "response_bytes": len(text),
        "response_truncated": False,
        "session": answer.json["session_id"],
        "fault": None,
    }
    assert double.get("/journal/1")["response"] == answer.json


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("POST", "/notte/session/start", NOTTE, {}),
        ("POST", "/notte/sessions/start", NOTTE, {}),
        ("POST", "/notte/env/observe", NOTTE, {"url": "https://example.com"}),
        ("POST", "/galtea/sessions", GALTEA, {"versionId": "ver_1"}),
        ("POST", "/scale/v4/sessions", SCALE, {"title": "t", "state": {}, "account_id": "a"}),
        ("POST", "/mobilenext/api/v1/sessions", MOBILENEXT, {}),
    ],
)
def test_a_call_that_creates_a_session_is_recorded_with_it(
    double: Double, method: str, path: str, headers: dict[str, str], body: Any
) -> None:
    double.client.open(path, method=method, json=body, headers=headers)
    (session,) = double.get("/sessions")["sessions"] or [
        {"id": double.newest_call()["response"]["id"]}
    ]
    assert double.newest_call()["session"] == session["id"]


def test_a_call_is_recorded_with_the_session_in_its_path_or_body(double: Double) -> None:
    double.client.get("/notte/sessions/one", headers=NOTTE)
    double.client.post("/notte/session/close", json={"session_id": "two"}, headers=NOTTE)
    double.client.get("/notte/sessions", headers=NOTTE)
    double.client.post("/galtea/sessions", json={"id": "three"}, headers=GALTEA)
    assert [call["session"] for call in double.calls()] == ["one", "two", None, None]


@pytest.mark.parametrize(
    ("path", "surface", "own", "route"),
    [
        ("/session/close", "notte", "/session/close", "/session/close"),
        ("/notte/sessions/a/stop", "notte", "/sessions/a/stop", None),
        ("/notte/nowhere", "notte", "/nowhere", None),
        ("/nowhere", None, "/nowhere", None),
        ("/sessions/batch", "galtea", "/sessions/batch", None),
    ],
)
def test_a_recorded_path_has_no_surface_prefix(
    double: Double, path: str, surface: str | None, own: str, route: str | None
) -> None:
    double.client.post(path, json={})
    call = double.newest_call()
    assert (call["surface"], call["path"], call["route"]) == (surface, own, route)


def test_a_call_with_a_refused_key_has_no_caller(double: Double) -> None:
    double.client.get("/galtea/sessions", headers=NOTTE)
    assert (double.newest_call()["status"], double.newest_call()["caller"]) == (401, None)


def test_the_same_key_is_the_same_caller(double: Double) -> None:
    for headers in (NOTTE, {"Authorization": "Bearer other"}, NOTTE):
        double.client.get("/notte/sessions", headers=headers)
    users = [call["caller"]["user"] for call in double.calls()]
    assert users[0] == users[2] != users[1]


def test_a_call_that_did_not_read_the_clock_is_recorded_now(double: Double) -> None:
    double.client.get("/notte/sessions", headers=NOTTE)
    double.advance("1h")
    answer = double.client.get("/nowhere")
    later = "2026-03-01T13:00:00.000000Z"
    assert (double.newest_call()["at"], answer.headers["Sessionary-Now"]) == (later, later)


def test_a_read_as_of_another_instant_is_recorded_at_its_own_time(double: Double) -> None:
    double.client.get("/notte/sessions", headers={**NOTTE, "Sessionary-At": "+1h"})
    assert double.newest_call()["at"] == NOON
    assert double.newest_call()["headers"] == {"sessionary-at": "+1h"}


def test_calls_of_the_control_plane_and_of_documents_are_not_recorded(double: Double) -> None:
    for path in ("/_control/v1/clock", "/notte/openapi.json", "/openapi.json"):
        assert double.client.get(path).status_code == 200
    assert double.calls() == []


def test_a_recorded_call_names_its_fault(double: Double) -> None:
    arm(double, status=503, times=1)
    arm(double, kind="reset", times=1)
    start(double)
    with pytest.raises(ConnectionResetError):
        start(double)
    answered, dropped = double.calls()
    assert (answered["status"], answered["fault"]) == (
        503,
        {"id": 1, "kind": "status", "phase": "before"},
    )
    assert (dropped["status"], dropped["response"]) == (None, None)
    assert dropped["fault"] == {"id": 2, "kind": "reset", "phase": "before"}
    assert {answered["route"], dropped["route"]} == {"/session/start"}


def test_a_body_that_is_not_json_is_recorded_as_text(double: Double) -> None:
    double.client.post(START, data="{broken", headers={**NOTTE, **JSON})
    assert double.newest_call()["body"] == "{broken"
    double.client.post(START, data=b"\xff\x00", headers={**NOTTE, **JSON})
    assert double.newest_call()["body"] == "�\x00"


def test_a_long_body_is_recorded_as_truncated(double: Double) -> None:
    long = "x" * recorder.MAX_TEXT
    body = {"title": long, "state": {}, "account_id": "a"}
    answer = double.client.post("/scale/v4/sessions", json=body, headers=SCALE)
    call = double.newest_call()
    assert (call["body_truncated"], call["response_truncated"]) == (True, True)
    assert len(call["body"]) == len(call["response"]) == recorder.MAX_TEXT
    assert call["response_bytes"] == len(answer.data)
    assert call["body_bytes"] > recorder.MAX_TEXT


def test_a_body_that_is_too_large_is_not_read(make_double: MakeDouble) -> None:
    double = make_double(max_body_bytes=100)
    answer = double.client.post(START, data="x" * 101, headers={**NOTTE, **JSON})
    call = double.newest_call()
    assert (answer.status_code, call["status"]) == (413, 413)
    assert (call["body"], call["body_bytes"], call["body_truncated"]) == (None, 101, True)


def in_chunks(double: Double, *chunks: bytes) -> int:
    """Send raw chunks; return the status."""
    head = f"POST {START} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with EmbeddedServer(double.app) as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), 30) as client:
            client.sendall(head.encode() + b"".join(chunks))
            return int(client.recv(65_536).split()[1])


def test_a_chunked_body_is_recorded(double: Double) -> None:
    assert in_chunks(double, b'8\r\n{"screen\r\n', b'c\r\nshot":false}\r\n', b"0\r\n\r\n") == 200
    assert double.newest_call()["body"] == {"screenshot": False}


def test_a_chunked_body_that_is_too_large_is_refused(make_double: MakeDouble) -> None:
    double = make_double(max_body_bytes=100)
    assert in_chunks(double, b"65\r\n" + b"x" * 101 + b"\r\n", b"0\r\n\r\n") == 413
    assert double.newest_call()["body_truncated"] is True


def test_a_malformed_chunked_body_changes_nothing(double: Double) -> None:
    assert in_chunks(double, b"nonsense\r\n{}\r\n0\r\n\r\n") == 400
    assert double.get("/sessions")["sessions"] == []
