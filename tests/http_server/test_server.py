"""The core in a thread of the test, without a gunicorn process around it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from freezegun import freeze_time

from sessionary.http_server import HttpServer, Limits, limits, shutdown
from sessionary.web import spool
from sessionary.web.held import IS_ABORTED, Delay, Held, Thread
from tests.raw_http import RawConnection, Response, connect, send_and_read

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = ("200 OK", [("Content-Length", "2")])
Application = Callable[[dict[str, Any], Any], Any]


@contextmanager
def serving(application: Application, **limits: float) -> Iterator[tuple[HttpServer, str]]:
    """Serve in a thread; gives the server and its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = "http://127.0.0.1:{1}".format(*listener.getsockname())
    defaults = {"threads": 1, "max_connections": 20, "max_body_bytes": 1000}
    given: Any = defaults | {"client_timeout_seconds": 60} | limits
    server = HttpServer([listener], Limits(**given))
    thread = threading.Thread(target=server.run, args=(application,))
    thread.start()
    try:
        yield server, url
    finally:
        server.stop()
        thread.join()


def hello(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response(*OK)
    return [b"hi"]


def status_and_body(response: Response) -> tuple[int, bytes]:
    return response.status, response.body


def test_an_application_is_served_in_a_thread() -> None:
    with serving(hello) as (_, url):
        assert list(map(status_and_body, send_and_read(url, GET + GET))) == [(200, b"hi")] * 2


@pytest.mark.parametrize("request_", [GET, CHUNKED + b"0\r\n\r\n"], ids=["loop", "thread"])
def test_an_error_before_the_headers_is_answered_with_500(
    request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("secret")

    with serving(fail) as (_, url):
        (response,) = send_and_read(url, request_)
    assert status_and_body(response) == (500, b"")
    assert response.headers["connection"] == "close"
    assert [each.getMessage() for each in caplog.records] == ["Error handling request"]


@pytest.mark.parametrize("request_", [GET, CHUNKED + b"0\r\n\r\n"], ids=["loop", "thread"])
def test_an_error_after_the_headers_ends_the_connection_without_a_second_response(
    request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    closed = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"h"
            raise KeyError("secret")

        def close(self) -> None:
            closed.append(True)

    def fail(_: Any, start_response: Any) -> Body:
        start_response(*OK)
        return Body()

    with serving(fail) as (_, url), connect(url) as client:
        client.send(request_ + GET)
        assert b"500" not in client.read_to_end()
    assert closed == [True]
    assert [each.getMessage() for each in caplog.records] == ["Error handling request"]


@pytest.mark.parametrize("header", [("X: Y", "z"), ("X", "y\r\nZ: a")])
def test_an_invalid_response_header_is_an_error_of_the_application(header: tuple[str, str]) -> None:
    def forge(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [header])
        return []

    with serving(forge) as (_, url):
        assert [each.status for each in send_and_read(url, GET)] == [500]


def test_a_refusal_does_not_quote_the_request_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with serving(hello) as (_, url):
        (response,) = send_and_read(url, b"GET /secret nonsense\r\n\r\n")
    assert response.status == 400
    assert [each.getMessage() for each in caplog.records] == [
        "Invalid request from ip=127.0.0.1: Invalid HTTP Version"
    ]


def test_a_body_is_closed_after_it_was_sent() -> None:
    closed = threading.Event()

    class Body(list[bytes]):
        def close(self) -> None:
            closed.set()

    def application(_: Any, start_response: Any) -> Body:
        start_response(*OK)
        return Body([b"hi"])

    with serving(application) as (_, url):
        assert len(send_and_read(url, GET)) == 1
        assert closed.is_set()


def test_a_response_without_a_length_is_chunked() -> None:
    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"h", b"i"]

    with serving(application) as (_, url), connect(url) as client:
        client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert client.read_to_end().endswith(b"\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n")


def is_closed(client: RawConnection) -> bool:
    return client.read_to_end() == b""


@pytest.mark.parametrize("sent", [b"", b"GET /", CHUNKED + b"5\r\n{"])
def test_quit_closes_every_connection_at_once(sent: bytes) -> None:
    def read_body(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        return hello(environ, start_response)

    with serving(read_body) as (server, url), connect(url) as client, connect(url) as other:
        client.send(sent)
        other.send(GET)
        assert other.expect_response().status == 200
        server.quit()
        assert is_closed(client)
        assert is_closed(other)


def test_stop_finishes_a_request_that_has_begun() -> None:
    with serving(hello) as (server, url), connect(url) as client:
        client.send(GET)
        assert client.expect_response().headers["connection"] == "keep-alive"
        client.send(GET[:-1])
        server.stop()
        client.send(GET[-1:])
        response = client.expect_response()
        assert (response.status, response.headers["connection"]) == (200, "close")


def test_a_request_has_a_deadline() -> None:
    with serving(hello, client_timeout_seconds=0.01) as (_, url), connect(url) as client:
        client.send(GET[:-1])
        assert is_closed(client)


@pytest.fixture(params=["freezegun", "time-machine"])
def jump(request: pytest.FixtureRequest) -> Iterator[Callable[[], object]]:
    """Freeze the time of this process; gives a function that moves it by an hour."""
    if request.param == "freezegun":
        with freeze_time("2026-03-01") as frozen:
            yield lambda: frozen.tick(3600)
    else:
        with time_machine.travel("2026-03-01", tick=False) as traveller:
            yield lambda: traveller.shift(3600)


@pytest.mark.parametrize(
    ("limit", "sent"), [("client_timeout_seconds", GET[:-1]), ("keepalive_seconds", b"")]
)
@pytest.mark.usefixtures("jump")
def test_limits_hold_in_a_frozen_process(limit: str, sent: bytes) -> None:
    with serving(hello, **{limit: 0.01}) as (_, url), connect(url) as client:
        client.send(sent)
        assert is_closed(client)


def test_a_jump_of_the_frozen_time_ends_no_connection_and_no_request(
    jump: Callable[[], object],
) -> None:
    with serving(hello) as (server, url), connect(url) as client, connect(url) as other:
        for each in (client, other):
            each.send(GET)
            assert each.expect_response().status == 200
        client.send(GET[:-1])
        jump()
        other.send(GET)
        assert other.expect_response().status == 200
        server.stop()
        jump()
        client.send(GET[-1:])
        assert status_and_body(client.expect_response()) == (200, b"hi")


def test_a_delay_ends_in_a_frozen_process_and_does_not_follow_its_jumps(
    jump: Callable[[], object],
) -> None:
    is_called = threading.Event()
    long = later(is_called, seconds=3600)
    short = later(threading.Event(), seconds=0.01)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        return (long if environ["PATH_INFO"] == "/long" else short)(environ, start_response)

    with serving(application) as (server, url), connect(url) as client:
        client.send(GET.replace(b"/ ", b"/long ", 1))
        assert [each.status for each in send_and_read(url, GET)] == [200]
        jump()
        assert [each.status for each in send_and_read(url, GET)] == [200]
        assert not is_called.is_set()
        server.stop()
        assert client.expect_response().status == 200


@pytest.mark.parametrize("sent", [b"", GET], ids=["new", "kept"])
def test_stop_closes_connections_with_nothing_in_flight_at_once(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(limits, "LINGER_SECONDS", 3600)
    monkeypatch.setattr(shutdown, "SHUTDOWN_SECONDS", 3600)
    with serving(hello) as (server, url), connect(url) as client, connect(url) as other:
        client.send(sent)
        other.send(GET)
        assert (not sent) or client.expect_response().status == 200
        assert other.expect_response().status == 200
        server.stop()
        assert is_closed(client)
        assert is_closed(other)


def later(is_called: threading.Event, seconds: float, thread: Thread | None = None) -> Application:
    """An application with held responses; the event is set when one is made."""

    def application(environ: dict[str, Any], start_response: Any) -> Held:
        def make() -> list[bytes]:
            is_called.set()
            return hello(environ, start_response)

        return Held(make, delay=Delay(seconds), thread=thread)

    return application


HELD = pytest.mark.parametrize("request_", [GET, CHUNKED + b"0\r\n\r\n"], ids=["loop", "thread"])


@HELD
@pytest.mark.parametrize("thread", [None, "pool", "writer"])
def test_a_held_response_is_sent_after_its_delay(request_: bytes, thread: Thread | None) -> None:
    application = later(threading.Event(), 0.01, thread)
    with serving(application) as (_, url):
        responses = send_and_read(url, request_ + request_)
    assert list(map(status_and_body, responses)) == [(200, b"hi")] * 2


@HELD
def test_a_held_response_occupies_no_thread_and_a_stop_ends_it(request_: bytes) -> None:
    is_called = threading.Event()
    held = later(is_called, 3600)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        is_held = environ["REQUEST_METHOD"] == request_[:4].decode().strip()
        return (held if is_held else hello)(environ, start_response)

    other = b"PUT" + CHUNKED[4:] + b"0\r\n\r\n"
    with serving(application) as (server, url), connect(url) as client:
        client.send(request_)
        assert list(map(status_and_body, send_and_read(url, other))) == [(200, b"hi")]
        assert not is_called.is_set()
        server.stop()
        assert status_and_body(client.expect_response()) == (200, b"hi")


def test_a_held_response_that_fails_is_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Any:
        raise KeyError("secret")

    with serving(lambda *_: Held(fail, delay=Delay(0.01))) as (_, url):
        assert [each.status for each in send_and_read(url, GET)] == [500]
    assert [each.getMessage() for each in caplog.records] == ["Error handling request"]


def test_a_response_that_may_block_does_not_occupy_the_loop() -> None:
    is_free = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/other":
            return hello(environ, start_response)

        def make() -> list[bytes]:
            assert is_free.wait(30)
            return hello(environ, start_response)

        return Held(make, thread="pool")

    with serving(application) as (_, url), connect(url) as client:
        client.send(GET)
        other = send_and_read(url, GET.replace(b"/ ", b"/other ", 1))
        assert list(map(status_and_body, other)) == [(200, b"hi")]
        is_free.set()
        assert status_and_body(client.expect_response()) == (200, b"hi")


def test_quit_ends_a_response_that_is_being_made() -> None:
    is_called = threading.Event()

    def application(environ: dict[str, Any], _: Any) -> Held:
        def make() -> Any:
            is_called.set()
            endless = iter(lambda: b"", None)
            spool.collect(endless, is_medium=False, is_aborted=environ[IS_ABORTED])

        return Held(make, thread="large")

    with serving(application) as (server, url), connect(url) as client:
        client.send(GET)
        assert is_called.wait(30)
        server.quit()
        assert client.read_to_end() == b""
