"""The worker on real sockets: odd clients are served, and harm nobody."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.processes import TIMEOUT_SECONDS, Process, running_server

START = b'{"session_timeout_minutes": 7}'
HEAD = (
    b"POST /session/start HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer anyone\r\n"
    b"Content-Type: application/json\r\n"
)
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(START) + START
HEALTH = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = tmp_path_factory.mktemp("worker") / "test.sqlite3"
    options = ("--auth", "lenient", "--threads", "1", "--max-body-bytes", "100000")
    with running_server("--db", str(db), *options) as process:
        yield process


class Client:
    """A connection whose every byte a test decides."""

    def __init__(self, server: Process) -> None:
        address = urlsplit(server.url)
        self.socket = socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)
        self.read = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers in lower case, body."""
        status = int(self.read.readline().split()[1])
        headers = {}
        while (line := self.read.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.read.read(int(headers.get("content-length", 0)))

    def close(self) -> None:
        self.read.close()
        self.socket.close()


@pytest.fixture
def client(server: Process) -> Iterator[Client]:
    made = Client(server)
    yield made
    made.close()


def timeout_minutes(client: Client) -> int:
    status, _, body = client.answer()
    assert status == 200, body
    return int(json.loads(body)["timeout_minutes"])


def is_served(server: Process) -> bool:
    """Whether somebody who behaves is answered."""
    return server.request("GET", "/health")[0] == 200


def test_a_connection_is_kept_for_the_next_request(client: Client) -> None:
    for _ in range(3):
        client.send(WHOLE)
        assert timeout_minutes(client) == 7


def test_a_request_that_comes_byte_by_byte_is_answered(client: Client) -> None:
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in WHOLE:
        client.send(bytes([byte]))
    assert timeout_minutes(client) == 7


@pytest.mark.parametrize("cut", [1, 20, len(WHOLE) - len(START) - 2, len(WHOLE) - 1])
def test_a_request_that_comes_in_two_parts_is_answered(
    client: Client, server: Process, cut: int
) -> None:
    client.send(WHOLE[:cut])
    assert is_served(server)
    client.send(WHOLE[cut:])
    assert timeout_minutes(client) == 7


def test_requests_sent_ahead_are_answered_in_their_order(client: Client) -> None:
    client.send(HEALTH + WHOLE + HEALTH + WHOLE[:-3])
    assert b"healthy" in client.answer()[2]
    assert timeout_minutes(client) == 7
    assert b"healthy" in client.answer()[2]
    client.send(WHOLE[-3:])
    assert timeout_minutes(client) == 7


def test_a_body_in_chunks_is_answered_and_the_connection_kept(client: Client) -> None:
    chunks = b"%x\r\n%s\r\n" % (10, START[:10]) + b"%x\r\n%s\r\n0\r\n\r\n" % (20, START[10:])
    for _ in range(2):
        client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        assert timeout_minutes(client) == 7
    client.send(WHOLE)
    assert timeout_minutes(client) == 7


def test_what_follows_a_body_in_chunks_is_answered_too(client: Client) -> None:
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(START), START)
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + HEALTH)
    assert timeout_minutes(client) == 7
    assert b"healthy" in client.answer()[2]


def test_a_client_that_asks_to_continue_is_told_to(client: Client) -> None:
    client.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(START))
    assert client.read.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert client.read.readline() == b"\r\n"
    client.send(START)
    assert timeout_minutes(client) == 7


def test_head_is_answered_without_a_body(client: Client) -> None:
    client.send(HEALTH.replace(b"GET", b"HEAD") + HEALTH)
    status = client.read.readline()
    assert b" 200 " in status
    while client.read.readline() != b"\r\n":
        pass
    assert b"healthy" in client.answer()[2]


@pytest.mark.parametrize(
    "request_",
    [
        HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        HEALTH.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_a_client_that_wants_no_more_is_let_go(client: Client, request_: bytes) -> None:
    client.send(request_)
    status, headers, body = client.answer()
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
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_closed(
    client: Client, server: Process, request_: bytes, status: int
) -> None:
    client.send(request_)
    assert client.answer()[0] == status
    assert is_served(server)


def test_a_body_over_the_limit_is_refused_before_it_has_come(client: Client) -> None:
    client.send(HEAD + b"Content-Length: 100001\r\n\r\n")
    status, _, body = client.answer()
    assert status == 413
    assert client.read.read() == b""
    assert json.loads(body) == {"detail": "The request body is too large."}


def test_a_body_that_is_not_read_does_not_become_the_next_request(client: Client) -> None:
    smuggled = b"GET /nowhere HTTP/1.1\r\n\r\n"
    client.send(b"POST /nope HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled)
    client.send(HEALTH)
    assert client.answer()[0] == 404
    assert b"healthy" in client.answer()[2]


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
def test_clients_that_never_finish_keep_nobody_waiting(server: Process, part: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            slow = Client(server)
            stack.callback(slow.close)
            slow.send(part)
        assert all(is_served(server) for _ in range(5))


def test_clients_that_never_read_keep_nobody_waiting(server: Process) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            deaf = Client(server)
            stack.callback(deaf.close)
            ask_without_reading(deaf)
        assert all(is_served(server) for _ in range(5))


def ask_without_reading(client: Client) -> None:
    """Ask until no more can be sent, for nothing more is read at the other end either."""
    client.socket.settimeout(0.3)
    with suppress(TimeoutError):
        while True:
            client.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * 100)


def test_a_client_that_reads_late_gets_the_whole_answer(client: Client, server: Process) -> None:
    count = 1000
    client.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * count)
    assert is_served(server)
    bodies = {client.answer()[2] for _ in range(count)}
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["openapi"] == "3.1.0"


def test_a_stopping_server_does_not_wait_for_a_client_that_stays(tmp_path: Path) -> None:
    """Without the limit it would stay for gunicorn's 30 seconds, and be killed."""
    with running_server("--db", str(tmp_path / "w.sqlite3"), "--auth", "lenient") as server:
        client = Client(server)
        client.send(WHOLE[:-1])
        assert is_served(server)
        server.popen.send_signal(signal.SIGTERM)
        client.send(WHOLE[-1:])
        assert timeout_minutes(client) == 7
        assert server.popen.wait(20) == 0
        client.close()


def test_a_stopping_server_answers_what_has_come_and_exits(tmp_path: Path) -> None:
    with running_server("--db", str(tmp_path / "w.sqlite3"), "--auth", "lenient") as server:
        idle, busy = Client(server), Client(server)
        busy.send(WHOLE)
        assert timeout_minutes(busy) == 7
        assert server.stop() == 0
        for each in (idle, busy):
            each.close()
