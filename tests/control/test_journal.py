"""What is written down of the calls of the vendors' APIs, and how it is found."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from sessionary.control.journal import recorder
from sessionary.embedded import EmbeddedServer
from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, SCALE, Double
from tests.control.fault_helpers import START, arm, start

SECRET = "gsk_Xj4kQ9/very+secret"
JSON = {"Content-Type": "application/json"}


def calls(double: Double, query: str = "", ns: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = double.get(f"/journal{query}", ns=ns)["calls"]
    return found


def newest(double: Double) -> dict[str, Any]:
    return calls(double)[-1]


def everything(double: Double) -> str:
    """All that is stored of the calls."""
    with double.control.namespace.activate():
        rows = double.control.namespace.database.run("SELECT * FROM control_call").fetchall()
    return repr(rows)


def test_a_call_is_written_down_with_its_answer_and_its_caller(double: Double) -> None:
    body = {"session_timeout_minutes": 5}
    answer = double.client.post(f"{START}?trace=1&trace=2", json=body, headers=NOTTE)
    (call,) = calls(double)
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
def test_a_call_that_makes_a_session_concerns_it(
    double: Double, method: str, path: str, headers: dict[str, str], body: Any
) -> None:
    double.client.open(path, method=method, json=body, headers=headers)
    (session,) = double.get("/sessions")["sessions"] or [{"id": newest(double)["response"]["id"]}]
    assert newest(double)["session"] == session["id"]


def test_a_call_concerns_the_session_that_its_path_or_body_names(double: Double) -> None:
    double.client.get("/notte/sessions/one", headers=NOTTE)
    double.client.post("/notte/session/close", json={"session_id": "two"}, headers=NOTTE)
    double.client.get("/notte/sessions", headers=NOTTE)
    double.client.post("/galtea/sessions", json={"id": "three"}, headers=GALTEA)
    assert [call["session"] for call in calls(double)] == ["one", "two", None, None]


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
def test_a_path_is_the_vendors_own(
    double: Double, path: str, surface: str | None, own: str, route: str | None
) -> None:
    double.client.post(path, json={})
    call = newest(double)
    assert (call["surface"], call["path"], call["route"]) == (surface, own, route)


def test_nobody_is_the_caller_of_a_call_that_is_not_admitted(double: Double) -> None:
    double.client.get("/galtea/sessions", headers=NOTTE)
    assert (newest(double)["status"], newest(double)["caller"]) == (401, None)


def test_the_same_key_is_the_same_caller(double: Double) -> None:
    for headers in (NOTTE, {"Authorization": "Bearer other"}, NOTTE):
        double.client.get("/notte/sessions", headers=headers)
    users = [call["caller"]["user"] for call in calls(double)]
    assert users[0] == users[2] != users[1]


def test_a_call_that_nobody_asked_the_clock_for_is_of_now(double: Double) -> None:
    double.client.get("/notte/sessions", headers=NOTTE)
    double.advance("1h")
    answer = double.client.get("/nowhere")
    later = "2026-03-01T13:00:00.000000Z"
    assert (newest(double)["at"], answer.headers["Sessionary-Now"]) == (later, later)


def test_a_read_as_of_another_instant_is_written_down_when_it_was_made(double: Double) -> None:
    double.client.get("/notte/sessions", headers={**NOTTE, "Sessionary-At": "+1h"})
    assert newest(double)["at"] == NOON
    assert newest(double)["headers"] == {"sessionary-at": "+1h"}


def test_neither_the_control_plane_nor_the_documents_are_vendors_calls(double: Double) -> None:
    for path in ("/_control/v1/clock", "/notte/openapi.json", "/openapi.json"):
        assert double.client.get(path).status_code == 200
    assert calls(double) == []


def test_a_call_that_a_fault_answered_says_which(double: Double) -> None:
    arm(double, status=503, times=1)
    arm(double, kind="reset", times=1)
    start(double)
    with pytest.raises(ConnectionResetError):
        start(double)
    answered, dropped = calls(double)
    assert (answered["status"], answered["fault"]) == (503, {"id": 1, "kind": "status"})
    assert (dropped["status"], dropped["response"]) == (None, None)
    assert dropped["fault"] == {"id": 2, "kind": "reset"}
    assert {answered["route"], dropped["route"]} == {"/session/start"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, {"note": f"my key is {SECRET}!"}),
        ({"Authorization": f"Bearer {SECRET}"}, {"context": {"deep": [SECRET]}}),
        (GALTEA, {"api_key": SECRET, "apiKey": SECRET, "x-api-key": SECRET}),
        (GALTEA, {"metadata": {"access_token": SECRET, "Password": SECRET, "key": SECRET}}),
        ({"x-api-key": SECRET}, {"x": SECRET}),
    ],
)
def test_no_credential_is_kept(double: Double, headers: dict[str, str], body: Any) -> None:
    query = (
        f"?api_key={quote(SECRET)}&x={SECRET}&y={quote(SECRET)}&z={quote(SECRET, '')}"
        if SECRET in str(headers)
        else "?token=abc"
    )
    path = f"/galtea/sessions/{quote(SECRET, safe='')}" if SECRET in str(headers) else "/galtea/x"
    double.client.post(f"{path}{query}", json=body, headers=headers)
    kept = everything(double)
    assert "very" not in kept
    assert "abc" not in kept
    assert "[redacted]" in kept


def test_a_credential_in_the_place_of_a_session_is_not_kept(double: Double) -> None:
    headers = {"Authorization": "Bearer gsk_very_secret"}
    double.client.get("/galtea/sessions/gsk_very_secret", headers=headers)
    assert "very" not in everything(double)
    assert newest(double)["session"] == "[redacted]"


def test_a_key_that_looks_like_a_vendors_is_kept_nowhere(double: Double) -> None:
    secret = "sk-notte-" + "a1B2" * 10
    body = {"versionId": "ver_1", "metadata": {"said": f"use {secret}"}}
    double.client.post("/galtea/sessions", json=body, headers=GALTEA)
    assert "a1B2a1B2" not in everything(double)
    assert newest(double)["body"]["metadata"] == {"said": "use [redacted]"}


def test_a_short_key_is_taken_out_only_where_it_stands_alone(double: Double) -> None:
    body = {"title": "a cat", "state": {"a": "b"}, "account_id": "a"}
    double.client.post("/scale/v4/sessions", json=body, headers={"x-api-key": "cat"})
    assert newest(double)["body"] == {**body, "title": "a [redacted]"}


def test_what_is_no_json_is_kept_as_text(double: Double) -> None:
    double.client.post(START, data="{broken", headers={**NOTTE, **JSON})
    assert newest(double)["body"] == "{broken"
    double.client.post(START, data=b"\xff\x00", headers={**NOTTE, **JSON})
    assert newest(double)["body"] == "�\x00"


def test_a_long_body_is_cut_and_says_so(double: Double) -> None:
    long = "x" * recorder.MAX_TEXT
    body = {"title": long, "state": {}, "account_id": "a"}
    answer = double.client.post("/scale/v4/sessions", json=body, headers=SCALE)
    call = newest(double)
    assert (call["body_truncated"], call["response_truncated"]) == (True, True)
    assert len(call["body"]) == len(call["response"]) == recorder.MAX_TEXT
    assert call["response_bytes"] == len(answer.data)
    assert call["body_bytes"] > recorder.MAX_TEXT


def test_a_secret_at_the_cut_leaves_no_half(double: Double) -> None:
    body = '{"a": "' + "x" * (recorder.MAX_TEXT - 12) + SECRET + '"}'
    headers = {"Authorization": f"Bearer {SECRET}", **JSON}
    double.client.post("/galtea/sessions", data=body, headers=headers)
    assert SECRET[:4] not in everything(double)


def test_a_body_that_is_too_large_is_not_read(make_double: Callable[..., Double]) -> None:
    double = make_double(max_body_bytes=100)
    answer = double.client.post(START, data="x" * 101, headers={**NOTTE, **JSON})
    call = newest(double)
    assert (answer.status_code, call["status"]) == (413, 413)
    assert (call["body"], call["body_bytes"], call["body_truncated"]) == (None, 101, True)


def in_chunks(double: Double, *chunks: bytes) -> int:
    """The status of a call that sends these chunks, as they are on the wire."""
    head = f"POST {START} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with EmbeddedServer(double.app) as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), 30) as client:
            client.sendall(head.encode() + b"".join(chunks))
            return int(client.recv(65_536).split()[1])


def test_a_body_in_chunks_is_kept_too(double: Double) -> None:
    assert in_chunks(double, b'8\r\n{"screen\r\n', b'c\r\nshot":false}\r\n', b"0\r\n\r\n") == 200
    assert newest(double)["body"] == {"screenshot": False}


def test_chunks_that_are_too_much_are_refused(make_double: Callable[..., Double]) -> None:
    double = make_double(max_body_bytes=100)
    assert in_chunks(double, b"65\r\n" + b"x" * 101 + b"\r\n", b"0\r\n\r\n") == 413
    assert newest(double)["body_truncated"] is True


def test_chunks_that_cannot_be_read_start_nothing(double: Double) -> None:
    assert in_chunks(double, b"nonsense\r\n{}\r\n0\r\n\r\n") == 400
    assert double.get("/sessions")["sessions"] == []
