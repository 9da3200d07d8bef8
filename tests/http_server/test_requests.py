"""Requests on real sockets: unusual clients are served, and do not affect others."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.processes import Process, running_server
from tests.raw_http import HEAD, HEALTH, START, WHOLE, RawConnection, connect


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = tmp_path_factory.mktemp("worker") / "test.sqlite3"
    options = ("--auth", "lenient", "--threads", "1", "--max-body-bytes", "100000")
    with running_server("--db", str(db), *options) as process:
        yield process


@pytest.fixture
def client(server: Process) -> Iterator[RawConnection]:
    with connect(server.url) as connection:
        yield connection


def timeout_minutes(client: RawConnection) -> int:
    status, _, body = client.expect_response()
    assert status == 200, body
    return int(json.loads(body)["timeout_minutes"])


def is_served(server: Process) -> bool:
    """Return whether another client is answered."""
    return server.request("GET", "/health")[0] == 200


def test_a_connection_is_kept_for_the_next_request(client: RawConnection) -> None:
    for _ in range(3):
        client.send(WHOLE)
        assert timeout_minutes(client) == 7


def test_a_request_that_comes_byte_by_byte_is_answered(client: RawConnection) -> None:
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in WHOLE:
        client.send(bytes([byte]))
    assert timeout_minutes(client) == 7


@pytest.mark.parametrize("cut", [1, 20, len(WHOLE) - len(START) - 2, len(WHOLE) - 1])
def test_a_request_that_comes_in_two_parts_is_answered(
    client: RawConnection, server: Process, cut: int
) -> None:
    client.send(WHOLE[:cut])
    assert is_served(server)
    client.send(WHOLE[cut:])
    assert timeout_minutes(client) == 7


def test_pipelined_requests_are_answered_in_order(client: RawConnection) -> None:
    client.send(HEALTH + WHOLE + HEALTH + WHOLE[:-3])
    assert b"healthy" in client.expect_response()[2]
    assert timeout_minutes(client) == 7
    assert b"healthy" in client.expect_response()[2]
    client.send(WHOLE[-3:])
    assert timeout_minutes(client) == 7


def test_a_chunked_body_is_read_and_the_connection_kept(client: RawConnection) -> None:
    chunks = b"%x\r\n%s\r\n" % (10, START[:10]) + b"%x\r\n%s\r\n0\r\n\r\n" % (20, START[10:])
    for _ in range(2):
        client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        assert timeout_minutes(client) == 7
    client.send(WHOLE)
    assert timeout_minutes(client) == 7


def test_a_request_after_a_chunked_body_is_answered_too(client: RawConnection) -> None:
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(START), START)
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + HEALTH)
    assert timeout_minutes(client) == 7
    assert b"healthy" in client.expect_response()[2]


def test_expect_100_continue_is_answered_with_continue(client: RawConnection) -> None:
    client.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(START))
    assert client.read.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert client.read.readline() == b"\r\n"
    client.send(START)
    assert timeout_minutes(client) == 7


def test_a_head_request_is_answered_without_a_body(client: RawConnection) -> None:
    client.send(HEALTH.replace(b"GET", b"HEAD") + HEALTH)
    status = client.read.readline()
    assert b" 200 " in status
    while client.read.readline() != b"\r\n":
        pass
    assert b"healthy" in client.expect_response()[2]


@pytest.mark.parametrize(
    "request_",
    [
        HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        HEALTH.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_the_connection_is_closed_if_the_client_says_so(
    client: RawConnection, request_: bytes
) -> None:
    client.send(request_)
    status, headers, body = client.expect_response()
    assert (status, headers["connection"]) == (200, "close")
    assert b"healthy" in body
    assert client.read.read() == b""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 30\r\n\r\n" + START, 400),
        (HEAD + b"Content-Length: x\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /" + b"x" * 66_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", 431),
    ],
)
def test_malformed_http_is_refused_and_the_connection_closed(
    client: RawConnection, server: Process, request_: bytes, status: int
) -> None:
    client.send(request_)
    assert client.expect_response()[0] == status
    assert is_served(server)


def test_a_body_over_the_limit_is_refused_before_it_arrives(client: RawConnection) -> None:
    client.send(HEAD + b"Content-Length: 100001\r\n\r\n")
    status, _, body = client.expect_response()
    assert status == 413
    assert client.read.read() == b""
    message = "The request body is larger than 100000 bytes, the maximum of the setting "
    assert json.loads(body) == {"detail": f"{message}max_body_bytes."}


def test_an_unread_body_is_not_read_as_the_next_request(client: RawConnection) -> None:
    smuggled = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    client.send(
        b"POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled
    )
    client.send(HEALTH)
    assert client.expect_response()[0] == 404
    assert b"healthy" in client.expect_response()[2]


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"POST /sess",
        HEAD + b"Content-Length: 30\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 30\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk", "no continuation"],
)
def test_clients_that_never_finish_a_request_delay_no_other(server: Process, part: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            slow = stack.enter_context(connect(server.url))
            slow.send(part)
        assert all(is_served(server) for _ in range(5))


def test_clients_that_never_read_delay_no_other(server: Process) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            send_without_reading(stack.enter_context(connect(server.url)))
        assert all(is_served(server) for _ in range(5))


def send_without_reading(client: RawConnection) -> None:
    """Send requests until the server reads no more of them."""
    client.socket.settimeout(0.3)
    with suppress(TimeoutError):
        while True:
            client.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * 100)


def test_a_client_that_reads_late_gets_every_response(
    client: RawConnection, server: Process
) -> None:
    count = 1000
    client.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * count)
    assert is_served(server)
    bodies = {client.expect_response()[2] for _ in range(count)}
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["openapi"] == "3.1.0"


def test_a_stopping_server_closes_idle_connections(tmp_path: Path) -> None:
    """Without the limit it would wait for gunicorn's 30 seconds, and be killed."""
    with running_server("--db", str(tmp_path / "w.sqlite3"), "--auth", "lenient") as server:
        client = RawConnection(server.url)
        client.send(WHOLE[:-1])
        assert is_served(server)
        server.popen.send_signal(signal.SIGTERM)
        client.send(WHOLE[-1:])
        assert timeout_minutes(client) == 7
        assert server.popen.wait(20) == 0
        client.close()


def test_a_stopping_server_answers_received_requests_and_exits(tmp_path: Path) -> None:
    with running_server("--db", str(tmp_path / "w.sqlite3"), "--auth", "lenient") as server:
        idle, busy = RawConnection(server.url), RawConnection(server.url)
        busy.send(WHOLE)
        assert timeout_minutes(busy) == 7
        assert server.stop() == 0
        for each in (idle, busy):
            each.close()
