"""Faults of connections on real sockets, and how the vendors' clients react."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from requests import HTTPError
from requests.exceptions import ChunkedEncodingError
from requests.exceptions import ConnectionError as RequestsConnectionError

from sessionary.embedded import EmbeddedServer
from sessionary.web.held import Held
from tests.control.conftest import NOTTE, Double
from tests.control.fault_helpers import START, arm
from tests.sdk_environments import sdk_script

if TYPE_CHECKING:  # the SDKs take a second or two to import
    from galtea import Galtea

NOTTE_SCRIPT = Path(__file__).with_name("sdk_script_notte_faults.py")


@pytest.fixture
def server(double: Double) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(double.app) as running:
        yield running


@pytest.fixture
def connection(server: EmbeddedServer) -> Iterator[HTTPConnection]:
    made = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    yield made
    made.close()


def started(connection: HTTPConnection, **body: Any) -> tuple[int, Any]:
    """Start a Notte session; return the status and the parsed response."""
    headers = {**NOTTE, "Content-Type": "application/json"}
    connection.request("POST", START, json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def failing(connection: HTTPConnection) -> Exception:
    with pytest.raises((OSError, IncompleteRead)) as caught:
        started(connection)
    return caught.value


def test_a_reset_reaches_the_client_as_a_reset(double: Double, connection: HTTPConnection) -> None:
    arm(double, kind="reset", times=1)
    found = failing(connection)
    assert isinstance(found, ConnectionResetError)
    assert not isinstance(found, RemoteDisconnected)


def test_an_empty_response_is_a_close_without_a_byte(
    double: Double, connection: HTTPConnection
) -> None:
    arm(double, kind="empty", times=1)
    assert isinstance(failing(connection), RemoteDisconnected)


def test_a_truncated_response_has_its_head_and_half_of_its_body(
    double: Double, connection: HTTPConnection
) -> None:
    arm(double, kind="truncated", times=1)
    found = failing(connection)
    assert isinstance(found, IncompleteRead)
    assert abs(len(found.partial) - (found.expected or 0)) <= 1
    (session,) = double.get("/sessions")["sessions"]
    assert session["id"].encode() in found.partial


@pytest.mark.parametrize("kind", ["reset", "empty", "truncated"])
def test_a_dropped_connection_is_not_logged_and_the_next_one_works(
    double: Double,
    connection: HTTPConnection,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    arm(double, kind=kind, after=1, times=8)
    assert started(connection)[0] == 200  # the dropped connection is a reused one
    for _ in range(8):
        failing(connection)
        connection.close()
    assert started(connection)[0] == 200
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_server_that_stops_does_not_wait_for_latency(double: Double) -> None:
    arm(double, kind="latency", delay="10m")
    answers: list[tuple[int, Any]] = []
    is_held = threading.Event()
    serving = EmbeddedServer(notify_when_held(double.app, is_held)).start()
    connection = HTTPConnection(urlsplit(serving.url).netloc, timeout=30)
    client = threading.Thread(target=lambda: answers.append(started(connection)))
    client.start()
    assert is_held.wait(30)
    serving.stop()
    client.join(30)
    connection.close()
    assert [status for status, _ in answers] == [200]


@pytest.mark.parametrize("change", ["drop", "reset", "restore"])
def test_a_held_call_is_cut_if_its_namespace_was_replaced(double: Double, change: str) -> None:
    namespaces = double.control.namespaces
    assert namespaces is not None
    contents = namespaces.create("t1").contents()
    arm(double, kind="latency", delay="10m", ns="t1")
    is_held = threading.Event()
    with EmbeddedServer(notify_when_held(double.app, is_held)) as serving:
        netloc = urlsplit(serving.url).netloc
        with closing(HTTPConnection(netloc, timeout=30)) as connection:
            connection.request("POST", f"/~t1{START}", "{}", NOTTE)
            assert is_held.wait(30)
            if change == "restore":
                namespaces.restore("t1", contents)
            else:
                getattr(namespaces, change)("t1")
            with pytest.raises(RemoteDisconnected):
                connection.getresponse()
    assert ("t1" in namespaces.names()) is (change != "drop")
    if change != "drop":
        assert double.get("/sessions", ns="t1")["sessions"] == []
        assert double.get("/journal", ns="t1")["calls"] == []


@contextmanager
def held_call(double: Double) -> Iterator[HTTPConnection]:
    """Hold a call that starts a session; gives its connection."""
    is_held = threading.Event()
    with (
        EmbeddedServer(notify_when_held(double.app, is_held)) as serving,
        closing(HTTPConnection(urlsplit(serving.url).netloc, timeout=30)) as connection,
    ):
        connection.request("POST", START, "{}", {**NOTTE, "Content-Type": "application/json"})
        assert is_held.wait(30)
        yield connection


@pytest.mark.parametrize("path", ["/faults", "/faults/1"])
@pytest.mark.parametrize("fault", [{"kind": "latency"}, {"kind": "status", "status": 503}])
def test_a_held_call_succeeds_at_once_if_its_fault_is_disarmed(
    double: Double, path: str, fault: dict[str, Any]
) -> None:
    arm(double, **fault, delay="10m")
    with held_call(double) as connection:
        assert double.call("DELETE", path).status_code == 204
        assert connection.getresponse().status == 200
    assert double.newest_call()["fault"] == {"id": 1, "kind": "latency", "phase": "before"}


def test_a_held_call_stays_held_if_another_fault_is_disarmed(double: Double) -> None:
    arm(double, kind="latency", delay="10m")
    arm(double, kind="latency", delay="10m")
    with held_call(double) as connection:
        assert double.call("DELETE", "/faults/2").status_code == 204
        other = HTTPConnection(connection.host, connection.port, timeout=30)
        for _ in range(20):  # by then the loop has looked at the fault again
            other.request("GET", "/livez")
            assert other.getresponse().read()
        other.close()
        assert double.get("/sessions")["sessions"] == []


def test_an_interrupted_client_does_not_end_a_held_call(double: Double) -> None:
    """As with a slow server, what the client gave up on may have happened."""
    arm(double, kind="latency", delay="10m")
    is_held = threading.Event()
    with EmbeddedServer(notify_when_held(double.app, is_held)) as serving:
        connection = HTTPConnection(urlsplit(serving.url).netloc, timeout=30)
        connection.request("POST", START, "{}", {**NOTTE, "Content-Type": "application/json"})
        assert is_held.wait(30)
        connection.close()
    assert len(double.get("/sessions")["sessions"]) == 1


def test_a_call_is_held_for_its_delay_while_time_is_frozen(
    double: Double, server: EmbeddedServer
) -> None:
    from freezegun import freeze_time

    arm(double, kind="latency", delay="20ms")
    with (
        freeze_time("2026-03-01"),
        closing(HTTPConnection(urlsplit(server.url).netloc, timeout=30)) as connection,
    ):
        assert started(connection)[0] == 200


def notify_when_held(app: Any, is_held: threading.Event) -> Callable[..., Any]:
    """Wrap an application; set the event when the response of a call is held."""

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        body = app(environ, start_response)
        if isinstance(body, Held):
            is_held.set()
        return body

    return call


def test_the_scale_client_retries_after_a_rate_limit(
    double: Double, server: EmbeddedServer
) -> None:
    from scale_gp import SGPClient

    arm(double, "scale", preset="rate_limited", retry_after="1ms", times=2)
    with SGPClient(base_url=f"{server.url}/scale", api_key="key") as client:
        client.get("/user-info", cast_to=object)
    assert double.get("/journal/count?path=/user-info")["count"] == 3
    assert double.get("/journal/count?status=429")["count"] == 2


def test_the_scale_client_gives_up_after_three_calls(
    double: Double, server: EmbeddedServer
) -> None:
    from scale_gp import RateLimitError, SGPClient

    arm(double, "scale", preset="rate_limited", retry_after="1ms")
    with (
        SGPClient(base_url=f"{server.url}/scale", api_key="key") as client,
        pytest.raises(RateLimitError) as caught,
    ):
        client.get("/user-info", cast_to=object)
    assert caught.value.body == {"detail": "Rate limit exceeded"}
    assert double.get("/faults")["faults"][0]["hit_count"] == 3


@pytest.mark.parametrize("kind", ["reset", "empty", "truncated"])
def test_the_scale_client_reports_a_lost_connection(
    double: Double, server: EmbeddedServer, kind: str
) -> None:
    from scale_gp import APIConnectionError, SGPClient

    arm(double, "scale", kind=kind)
    with (
        SGPClient(base_url=f"{server.url}/scale", api_key="key", max_retries=0) as client,
        pytest.raises(APIConnectionError),
    ):
        client.get("/user-info", cast_to=object)


@pytest.fixture
def galtea(server: EmbeddedServer) -> "Iterator[Galtea]":
    from galtea import Galtea

    client = Galtea(api_key="gsk_anyone", base_url=f"{server.url}/galtea")
    yield client
    client.shutdown()


@pytest.mark.parametrize(
    ("preset", "status"), [("insufficient_credits", 402), ("unavailable", 503)]
)
def test_the_galtea_client_reports_a_failure_at_once(
    double: Double, galtea: "Galtea", preset: str, status: int
) -> None:
    armed = arm(double, "galtea", route="/sessions", preset=preset)
    with pytest.raises(HTTPError) as caught:
        galtea.sessions.create(version_id="ver_1")
    assert (caught.value.response.status_code, caught.value.response.json()) == (
        status,
        armed["body"],
    )
    assert double.get("/faults")["faults"][0]["hit_count"] == 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", RequestsConnectionError),
        ("empty", RequestsConnectionError),
        ("truncated", ChunkedEncodingError),
    ],
)
def test_the_galtea_client_does_not_retry_what_may_have_arrived(
    double: Double, galtea: "Galtea", kind: str, error: type[Exception]
) -> None:
    arm(double, "galtea", route="/sessions", kind=kind)
    with pytest.raises(error):
        galtea.sessions.create(version_id="ver_1")
    assert double.get("/faults")["faults"][0]["hit_count"] == 1


def test_the_notte_client_retries_what_had_no_effect(
    double: Double, server: EmbeddedServer
) -> None:
    arm(double, route="/sessions/start", preset="overloaded", retry_after="0s", times=2)
    arm(double, method="GET", route="/sessions/{id}", kind="reset", times=1)
    arm(double, method="GET", route="/sessions", kind="empty", times=1)
    arm(double, route="/sessions/{id}/page/observe", preset="bad_gateway", retry_after="0s")
    env = {
        "NOTTE_API_URL": f"{server.url}/notte",
        "NOTTE_API_KEY": "k",
        "DISABLE_TELEMETRY": "true",
    }
    heard = sdk_script.run_here(NOTTE_SCRIPT, env=env)
    assert heard == {"read": "active", "listed": 1, "refused": ["NotteAPIError", 502]}
    hits = [fault["hit_count"] for fault in double.get("/faults")["faults"]]
    assert hits == [2, 1, 1, 1]
