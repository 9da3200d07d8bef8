"""Bodies that are too large or too slow: other clients are not delayed."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.processes import Process, running_server
from tests.raw_http import CHUNKED, HEAD, START, WHOLE, RawConnection, connect

MOST = 100_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = str(tmp_path_factory.mktemp("bodies") / "test.sqlite3")
    options = ("--auth", "lenient", "--threads", "1", "--max-body-bytes", str(MOST))
    with running_server("--db", db, *options) as process:
        yield process


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = str(tmp_path_factory.mktemp("bodies") / "test.sqlite3")
    options = ("--auth", "lenient", "--threads", "1", "--client-timeout-seconds", "0.5")
    with running_server("--db", db, *options) as process:
        yield process


def is_served(server: Process) -> bool:
    with connect(server.url) as raw:
        raw.send(WHOLE)
        return json.loads(raw.expect_response().body)["timeout_minutes"] == 7


def test_clients_that_send_single_bytes_are_answered_and_delay_no_others(
    server: Process,
) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server.url)) for _ in range(20)]
        for place in range(len(WHOLE)):
            for each in slow:
                each.send(WHOLE[place : place + 1])
            if place % 50 == 0:
                assert is_served(server)
        assert {each.expect_response().status for each in slow} == {200}


@pytest.mark.parametrize(
    "body",
    [b" " * (MOST + 1), START + b" " * MOST, b"{" * (4 * MOST)],
    ids=["by one byte", "behind an object", "far"],
)
def test_a_chunked_body_over_the_limit_is_refused(server: Process, body: bytes) -> None:
    with connect(server.url) as raw:
        raw.send(CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        said = raw.expect_response()
    assert (said.status, json.loads(said.body)) == (
        413,
        {
            "detail": f"The request body is larger than {MOST} bytes, the maximum of the setting "
            "max_body_bytes."
        },
    )
    assert is_served(server)


def test_a_chunked_body_at_the_limit_is_read(server: Process) -> None:
    body = START + b" " * (MOST - len(START))
    with connect(server.url) as raw:
        raw.send(CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert json.loads(raw.expect_response().body)["timeout_minutes"] == 7


def test_endless_chunks_are_refused_at_the_limit(server: Process) -> None:
    with connect(server.url) as raw:
        raw.send(CHUNKED)
        with suppress(OSError):  # it stops reading
            for _ in range(10_000):
                raw.send(b"400\r\n%s\r\n" % (b" " * 1024))
        said = raw.read_response()
        assert said is None or said.status == 413
    assert is_served(server)


@pytest.mark.parametrize("length", [MOST + 1, 10**11, 10**30], ids=["one", "many", "all too many"])
def test_a_length_over_the_limit_is_refused_before_the_body(server: Process, length: int) -> None:
    with connect(server.url) as raw:
        raw.send(HEAD + b"Content-Length: %d\r\n\r\n" % length)
        assert raw.expect_response().status == 413
        assert raw.read_to_end() == b""


def test_an_endless_head_is_refused_at_the_limit(server: Process) -> None:
    with connect(server.url) as raw:
        raw.send(b"GET /health HTTP/1.1\r\n" + b"x: y\r\n" * 12_000)
        assert raw.expect_response().status == 431
    assert is_served(server)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health?%s HTTP/1.1\r\nHost: here\r\n\r\n" % (b"x" * 65_500), 200),
        (b"GET /health?%s HTTP/1.1\r\nHost: here\r\n\r\n" % (b"x" * 65_600), 414),
        (b"GET /health HTTP/1.1\r\nHost: here\r\n" + b"x: y\r\n" * 99 + b"\r\n", 200),
        (b"GET /health HTTP/1.1\r\nHost: here\r\n" + b"x: y\r\n" * 100 + b"\r\n", 431),
        (b"GET /health HTTP/1.1\r\nHost: here\r\nx: %s\r\n\r\n" % (b"y" * 8000), 200),
        (b"GET /health HTTP/1.1\r\nHost: here\r\nx: %s\r\n\r\n" % (b"y" * 8200), 431),
    ],
    ids=["a url", "a long url", "headers", "many headers", "a header", "a long header"],
)
def test_urls_and_headers_have_the_lengths_that_the_readme_says(
    server: Process, head: bytes, status: int
) -> None:
    with connect(server.url) as raw:
        raw.send(head)
        assert raw.expect_response().status == status


def goes_on(raw: RawConnection, part: bytes) -> None:
    """Send until the server disconnects, which it does long before the end."""
    raw.socket.settimeout(0.01)
    with suppress(ConnectionError):
        for _ in range(3000):
            raw.socket.send(part)
            with suppress(TimeoutError):
                if not raw.socket.recv(1024):
                    return
        pytest.fail("the server goes on listening")


@pytest.mark.parametrize(
    ("begin", "part"),
    [
        (b"GET /health HTTP/1.1\r\nx: ", b"y"),
        (HEAD + b"Content-Length: %d\r\n\r\n" % MOST, b" "),
        (CHUNKED, b"1\r\n \r\n"),
    ],
    ids=["a head", "a body", "a body in chunks"],
)
def test_a_client_that_never_stops_sending_is_disconnected(
    impatient: Process, begin: bytes, part: bytes
) -> None:
    with connect(impatient.url) as raw:
        raw.send(begin)
        goes_on(raw, part)


def test_a_thread_is_freed_from_a_silent_client(impatient: Process) -> None:
    """There is one thread: without a timeout the second request would never be answered."""
    with connect(impatient.url) as silent, connect(impatient.url) as busy:
        silent.send(CHUNKED + b"5\r\n{")
        assert is_served(impatient)
        busy.send(CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(START), START))
        assert json.loads(busy.expect_response().body)["timeout_minutes"] == 7


def test_a_client_that_never_reads_is_disconnected(impatient: Process) -> None:
    with connect(impatient.url) as deaf:
        with suppress(OSError):
            while True:
                deaf.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * 100)
        assert is_served(impatient)


def test_an_idle_connection_outlasts_the_client_timeout(impatient: Process) -> None:
    with connect(impatient.url) as kept, connect(impatient.url) as slow:
        kept.send(WHOLE)
        assert kept.expect_response().status == 200
        slow.send(b"GET /health HTTP/1.1\r\nx: ")
        goes_on(slow, b"y")
        kept.send(WHOLE)
        assert kept.expect_response().status == 200
