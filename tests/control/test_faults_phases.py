"""Faults act before a call's work is done or after it: what is stored, and what a retry causes."""

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import EnvironBuilder

from sessionary.embedded import EmbeddedServer
from sessionary.web.held import Held
from tests.control.conftest import NOTTE, Double
from tests.control.fault_helpers import START, arm, refusal, start
from tests.control.test_faults_connections import failing, started

KINDS: dict[str, dict[str, Any]] = {
    "status": {"status": 503},
    "latency": {"delay": "10m"},
    "reset": {},
    "empty": {},
    "truncated": {},
}
USUAL = dict.fromkeys(KINDS, "before") | {"truncated": "after"}
each_effect = pytest.mark.parametrize(
    ("kind", "phase"), [(kind, phase) for kind in KINDS for phase in ("before", "after")]
)


def arm_effect(double: Double, kind: str, phase: str | None = None, **fault: Any) -> Any:
    given = {} if phase is None else {"phase": phase}
    return arm(double, **({"kind": kind, "times": 1} | KINDS[kind] | given | fault))


def row_count(double: Double) -> int:
    return len(double.get("/sessions")["sessions"])


@pytest.fixture
def server(double: Double) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(double.app) as running:
        yield running


@pytest.fixture
def connection(server: EmbeddedServer) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(urlsplit(server.url).netloc, timeout=30)) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_usual_phase(double: Double, kind: str) -> None:
    assert arm_effect(double, kind)["phase"] == USUAL[kind]
    assert [each["phase"] for each in double.get("/faults")["faults"]] == [USUAL[kind]]


def test_another_phase_is_refused(double: Double) -> None:
    found = refusal(double, {"surface": "notte", "kind": "reset", "phase": "during"})
    assert "phase must be one of before, after" in found


@pytest.mark.parametrize("kind", ["reset", "empty", "truncated"])
@pytest.mark.parametrize(("phase", "rows"), [("before", 0), ("after", 1), (None, None)])
def test_a_connection_is_lost_before_or_after_the_commit(
    double: Double, connection: HTTPConnection, kind: str, phase: str | None, rows: int | None
) -> None:
    arm_effect(double, kind, phase)
    failing(connection)
    assert row_count(double) == (USUAL[kind] == "after" if rows is None else rows)
    call = double.newest_call()
    assert call["fault"]["kind"] == kind
    if phase == "after":
        assert [each["id"] for each in double.get("/sessions")["sessions"]] == [call["session"]]


@pytest.mark.parametrize(("phase", "rows"), [("before", 0), ("after", 1), (None, 0)])
def test_an_error_is_sent_before_or_after_the_commit(
    double: Double, phase: str | None, rows: int
) -> None:
    arm_effect(double, "status", phase)
    assert start(double) == 503
    assert row_count(double) == rows
    call = double.newest_call()
    assert call["status"] == 503
    assert "A fault was armed" in call["response"]["detail"]


def test_a_truncated_response_without_its_work_is_that_of_a_call_which_is_undone(
    double: Double, connection: HTTPConnection
) -> None:
    arm_effect(double, "truncated", "before")
    partial = failing(connection).partial  # type: ignore[attr-defined]
    assert partial.startswith(b'{"session_id":')
    assert row_count(double) == 0
    connection.close()
    assert started(connection)[0] == 200
    assert row_count(double) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "latency"}, 200),
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "empty"}, None),
        ({"kind": "truncated"}, None),
    ],
)
@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("is_disarmed", [True, False])
def test_a_delay_is_before_or_after_the_work(
    double: Double, fault: dict[str, Any], status: int | None, phase: str, is_disarmed: bool
) -> None:
    """A fault that is disarmed during the delay has only delayed the call."""
    arm(double, **fault, phase=phase, delay="10m" if is_disarmed else "300ms", times=1)
    is_held = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        body = double.app(environ, start_response)
        if isinstance(body, Held):
            is_held.set()
        return body

    with (
        EmbeddedServer(application) as running,
        closing(HTTPConnection(urlsplit(running.url).netloc, timeout=30)) as connection,
    ):
        connection.request("POST", START, "{}", {**NOTTE, "Content-Type": "application/json"})
        assert is_held.wait(30)
        if is_disarmed:
            assert row_count(double) == (phase == "after")
            double.call("DELETE", "/faults")
        if status is None and not is_disarmed:
            with pytest.raises((OSError, HTTPException)):
                connection.getresponse().read()
        else:
            answer = connection.getresponse()
            assert answer.status == (200 if is_disarmed else status)
            assert answer.read()
    call = double.newest_call()
    assert call["status"] == (200 if is_disarmed or fault["kind"] == "truncated" else status)
    is_done = phase == "after" or is_disarmed or fault["kind"] == "latency"
    assert row_count(double) == is_done


@each_effect
def test_a_client_that_retries_stores_one_session_before_and_two_after(
    double: Double, server: EmbeddedServer, kind: str, phase: str
) -> None:
    from scale_gp import SGPClient

    delay = {"delay": "1m"} if kind == "latency" else {}
    arm_effect(double, kind, phase, surface="scale", method="POST", **delay)
    timeout = 0.5 if kind == "latency" else 30
    body = {"account_id": "a", "title": "t", "state": {}}
    with SGPClient(base_url=f"{server.url}/scale", api_key="key", timeout=timeout) as client:
        made: Any = client.post("/v4/sessions", body=body, cast_to=object)
    ids = [each["id"] for each in double.get("/sessions")["sessions"]]
    assert made["id"] == ids[-1]
    assert len(ids) == (1 if phase == "before" else 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_whose_namespace_is_reset_during_the_delay_after_its_work_is_cut(
    double: Double, kind: str
) -> None:
    arm_effect(double, kind, "after", delay="10m")
    body = double.app(
        EnvironBuilder(START, method="POST", json={}, headers=NOTTE).get_environ(), print
    )
    assert isinstance(body, Held)
    assert row_count(double) == 1
    double.post("/namespaces/default/reset")
    with pytest.raises(ConnectionResetError):
        list(body)
    assert (row_count(double), double.calls()) == (0, [])


NOTES = {
    ("status", "before"): "fault 1 (status) answered it before its work was done",
    ("status", "after"): "fault 1 (status) replaced the response after its work was done",
    ("latency", "before"): "fault 1 (latency) delayed it before its work was done",
    ("latency", "after"): "fault 1 (latency) delayed the response after its work was done",
    ("reset", "before"): "fault 1 (reset) dropped the connection before its work was done",
    ("reset", "after"): "fault 1 (reset) dropped the connection after its work was done",
    ("empty", "before"): "fault 1 (empty) dropped the connection before its work was done",
    ("empty", "after"): "fault 1 (empty) dropped the connection after its work was done",
    ("truncated", "before"): "fault 1 (truncated) cut the response before its work was done",
    ("truncated", "after"): "fault 1 (truncated) cut the response after its work was done",
}


@each_effect
def test_the_explanation_of_a_call_names_the_fault_that_it_met(
    double: Double, kind: str, phase: str
) -> None:
    fault = arm_effect(double, kind, phase, **({"delay": "1ms"} if kind == "latency" else {}))
    with suppress(ConnectionResetError):
        start(double)
    call = double.newest_call()
    assert call["fault"] == {"id": fault["id"], "kind": kind, "phase": phase}
    explanation = double.get(f"/journal/{call['id']}/explain")
    assert explanation["note"].startswith(NOTES[kind, phase])
    assert ("nothing was stored" in explanation["note"]) == (
        phase == "before" and kind != "latency"
    )
    assert explanation["fault"] == call["fault"]
