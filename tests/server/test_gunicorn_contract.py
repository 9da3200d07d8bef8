"""What the server relies on in gunicorn that gunicorn does not document.

If a gunicorn release changes one of these, a test here fails and names it.
"""

import inspect
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.http import RequestParser, errors, wsgi
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.base import Worker
from gunicorn.workers.workertmp import WorkerTmp

from tests.processes import run_python

HEAD = b"POST /a%20b?c=d HTTP/1.1\r\nHost: here\r\nX-Name: 1\r\nX-Name: 2\r\n"
PEER = ("192.0.2.1", 4711)
SERVER = ("192.0.2.2", 80)
SETTINGS = {
    "bind": "127.0.0.1:0",
    "workers": 2,
    "worker_class": Worker,
    "graceful_timeout": 9,
    "loglevel": "warning",
    "errorlog": None,
    "control_socket_disable": True,
    "when_ready": lambda _: None,
    "on_exit": lambda _: None,
}


class Socket:
    """A socket as the HTTP core gives it to the parser: four methods at most."""

    def __init__(self, *received: bytes) -> None:
        self.received = list(received)
        self.sent: list[bytes] = []

    def recv(self, _: int) -> bytes:
        if not self.received:
            raise BlockingIOError
        return self.received.pop(0)

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    send = sendall


def config(**settings: Any) -> Config:
    made = Config()
    for name, value in ({"errorlog": None, "http_parser": "python"} | settings).items():
        made.set(name, value)
    return made


def parser(data: bytes, sock: Socket | None = None, **settings: Any) -> Any:
    """A parser that is given data as the HTTP core gives it."""
    made: Any = RequestParser(config(**settings), Socket(), PEER)  # type: ignore[arg-type]
    made.unreader.sock = sock or Socket()
    made.unreader.unread(data)
    return made


def create(data: bytes, sock: Socket | None = None) -> tuple[Any, dict[str, Any]]:
    """The response and the WSGI environment of a request."""
    sock = sock or Socket()
    reading = parser(data, sock)
    response, environ = wsgi.create(next(reading), sock, PEER, SERVER, reading.cfg)  # type: ignore[call-overload]
    return response, dict(environ)


# The parser.


def test_a_parser_needs_no_more_of_a_socket_than_recv() -> None:
    assert isinstance(parser(b"").unreader, SocketUnreader)
    assert next(parser(HEAD + b"\r\n")).method == "POST"


def test_unread_data_is_read_before_the_socket() -> None:
    reading = parser(HEAD[:10], Socket(HEAD[10:] + b"\r\n"))
    assert next(reading).path == "/a%20b"


def test_a_parser_keeps_its_configuration_as_cfg() -> None:
    assert isinstance(parser(b"").cfg, Config)


def test_what_follows_a_request_is_left_in_the_unreader() -> None:
    reading = parser(HEAD + b"Content-Length: 2\r\n\r\n{}GET /next")
    request = next(reading)
    assert request.body.read() == b"{}"
    assert reading.finish_body() is True
    assert reading.unreader.take_buffered() == b"GET /next"
    assert reading.unreader.take_buffered() == b""


def test_finish_body_skips_an_unread_body() -> None:
    reading = parser(HEAD + b"Content-Length: 2\r\n\r\n{}GET /next")
    next(reading)
    assert reading.finish_body() is True
    assert reading.unreader.take_buffered() == b"GET /next"


def test_finish_body_raises_what_the_socket_raises() -> None:
    reading = parser(HEAD + b"Content-Length: 9\r\n\r\n{}")
    next(reading)
    with pytest.raises(BlockingIOError):
        reading.finish_body()


def test_finish_body_raises_a_parse_exception_or_returns_false_for_a_broken_chunk() -> None:
    reading = parser(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    request = next(reading)
    with pytest.raises(errors.ParseException):
        request.body.read()
    with suppress(errors.ParseException):
        assert not reading.finish_body()


def test_one_parser_reads_one_request_after_the_other() -> None:
    reading = parser(HEAD + b"\r\n" + HEAD + b"\r\n")
    assert [next(reading).uri for _ in range(2)] == ["/a%20b?c=d"] * 2


def test_a_parser_stops_after_a_request_that_closes() -> None:
    reading = parser(HEAD + b"Connection: close\r\n\r\n" + HEAD + b"\r\n")
    assert next(reading).should_close()
    with pytest.raises(StopIteration):
        next(reading)


def test_the_end_of_a_connection_inside_a_head_is_no_more_data() -> None:
    assert issubclass(errors.NoMoreData, OSError)
    with pytest.raises(errors.NoMoreData):
        next(parser(HEAD, Socket(b"")))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"nonsense\r\n\r\n", "InvalidRequestLine"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", "LimitRequestLine"),
        (HEAD + b"X: y\r\n" * 200 + b"\r\n", "LimitRequestHeaders"),
        (HEAD + b"X: " + b"y" * 9000 + b"\r\n\r\n", "LimitRequestHeaders"),
        (HEAD + b"Content-Length: x\r\n\r\n", "InvalidHeader"),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "InvalidHeader"),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "InvalidHeader"),
        (HEAD + b"Transfer-Encoding: other\r\n\r\n", "UnsupportedTransferCoding"),
        (HEAD + b"Expect: a miracle\r\n\r\n", "ExpectationFailed"),
    ],
)
def test_a_malformed_request_is_a_parse_exception(data: bytes, name: str) -> None:
    with pytest.raises(errors.ParseException) as raised:
        next(parser(data))
    assert type(raised.value).__name__ == name
    assert str(raised.value)


def test_a_malformed_chunk_is_a_parse_exception() -> None:
    request = next(parser(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"))
    with pytest.raises(errors.ParseException):
        request.body.read()


@pytest.mark.parametrize("name", ["InvalidResponseHeader", "InvalidResponseHeaderName"])
def test_errors_of_a_response_are_parse_exceptions_too(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.ParseException)
    assert issubclass(errors.ConfigurationProblem, errors.ParseException)


def test_a_length_over_twelve_digits_is_not_a_second_request() -> None:
    """The core reads at most twelve digits; the parser must not read fewer as a whole body."""
    request = next(parser(HEAD + b"Content-Length: 1234567890123\r\n\r\n"))
    assert ("CONTENT-LENGTH", "1234567890123") in request.headers


# The response.


def test_the_environment_has_the_names_of_wsgi() -> None:
    _, environ = create(HEAD + b"Content-Length: 2\r\n\r\n{}")
    assert environ["wsgi.input"].read() == b"{}"
    assert environ["wsgi.input_terminated"] is True
    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=d",
        "RAW_URI": "/a%20b?c=d",
        "SCRIPT_NAME": "",
        "REMOTE_ADDR": PEER[0],
        "SERVER_NAME": SERVER[0],
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": "2",
        "HTTP_HOST": "here",
        "HTTP_X_NAME": "1,2",
        "wsgi.url_scheme": "http",
    }
    assert {name: environ[name] for name in expected} == expected


def test_a_header_with_an_underscore_is_dropped() -> None:
    _, environ = create(HEAD + b"X_Name: 3\r\n\r\n")
    assert environ["HTTP_X_NAME"] == "1,2"


def test_the_scheme_follows_the_certificate() -> None:
    assert next(parser(HEAD + b"\r\n", certfile="a")).scheme == "https"


def test_an_untrusted_peer_cannot_set_the_scheme() -> None:
    data = HEAD + b"X-Forwarded-Proto: https\r\n\r\n"
    assert next(parser(data, forwarded_allow_ips="")).scheme == "http"


def test_the_interim_response_is_sent_when_the_environment_is_made() -> None:
    sock = Socket()
    create(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", sock)
    assert sock.sent == [b"HTTP/1.1 100 Continue\r\n\r\n"]


def respond(data: bytes, *body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    sock = Socket()
    response, _ = create(data, sock)
    response.start_response("200 OK", list(headers))
    assert not response.headers_sent
    for part in body:
        response.write(part)
    response.close()
    assert response.headers_sent
    return b"".join(sock.sent)


def test_a_response_goes_to_the_socket_by_sendall() -> None:
    sent = respond(HEAD + b"\r\n", b"{}", headers=(("Content-Length", "2"),))
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: keep-alive\r\n" in sent
    assert sent.endswith(b"\r\n\r\n{}")


def test_a_response_without_a_length_is_chunked() -> None:
    assert respond(HEAD + b"\r\n", b"{}").endswith(b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n")


def test_a_response_to_head_has_no_body() -> None:
    head = HEAD.replace(b"POST", b"HEAD") + b"\r\n"
    assert respond(head, b"", headers=(("Content-Length", "2"),)).endswith(b"\r\n\r\n")


def test_force_close_announces_and_demands_the_end() -> None:
    response, _ = create(HEAD + b"\r\n")
    response.start_response("200 OK", [("Content-Length", "0")])
    assert not response.should_close()
    response.force_close()
    assert response.should_close()
    response.close()
    assert b"\r\nConnection: close\r\n" in response.sock.sent[0]


# The application, the arbiter and the worker.


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_exists_and_takes_our_value(name: str) -> None:
    Config().set(name, SETTINGS[name])


@pytest.mark.parametrize("name", ["INT", "TERM", "QUIT", "HUP"])
def test_the_arbiter_handles_these_signals(name: str) -> None:
    assert getattr(signal, f"SIG{name}") in Arbiter.SIGNALS


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (BaseApplication.load_config, ["self"]),
        (BaseApplication.load, ["self"]),
        (BaseApplication.run, ["self"]),
        (Arbiter.__init__, ["self", "app"]),
        (Arbiter.run, ["self"]),
        (Arbiter.signal, ["self", "sig", "frame"]),
        (Arbiter.spawn_worker, ["self"]),
        (Arbiter.kill_workers, ["self", "sig"]),
        (Arbiter.reap_workers, ["self"]),
        (Worker.__init__, ["self", "age", "ppid", "sockets", "app", "timeout", "cfg", "log"]),
        (Worker.init_process, ["self"]),
        (Worker.init_signals, ["self"]),
        (Worker.run, ["self"]),
        (Worker.notify, ["self"]),
        (Worker.handle_exit, ["self", "sig", "frame"]),
        (Worker.handle_quit, ["self", "sig", "frame"]),
    ],
)
def test_a_method_that_we_override_or_call_is_there(
    method: Callable[..., Any], parameters: list[str]
) -> None:
    assert list(inspect.signature(method).parameters) == parameters


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


class Application(BaseApplication):
    def load_config(self) -> None:
        self.cfg.set("errorlog", None)

    def load(self) -> Any:
        return "the application"


class Log:
    def close_on_exec(self) -> None:
        pass


def test_a_worker_forks_loads_and_runs_in_this_order(listener: socket.socket) -> None:
    """`init_process` sets the signals, then loads, then runs; `wsgi` is what `load` gave."""
    steps = []

    class Recorded(Worker):
        def init_signals(self) -> None:
            steps.append("init_signals")

        def load_wsgi(self) -> None:
            steps.append("load_wsgi")
            super().load_wsgi()

        def run(self) -> None:
            steps.append(f"run {self.wsgi}")

    app = Application()
    arguments = (1, os.getppid(), [listener], app, 15, app.cfg, Log())
    worker = Recorded(*arguments)  # type: ignore[arg-type]
    assert (worker.app, worker.sockets, worker.ppid) == (app, [listener], os.getppid())
    assert worker.alive
    worker.init_process()
    assert steps == ["init_signals", "load_wsgi", "run the application"]
    for each in worker.PIPE:
        os.close(each)
    worker.tmp.close()


def test_notify_writes_the_monotonic_time_that_the_arbiter_compares() -> None:
    file = WorkerTmp(Config())
    file.notify()
    assert time.monotonic() - file.last_update() < 10
    file.close()


FORBIDDEN = ("gunicorn.app", "gunicorn.arbiter", "gunicorn.config", "gunicorn.workers.")


def test_the_core_imports_nothing_of_gunicorn_but_its_parser() -> None:
    script = (
        "import sys, sessionary.http_server.server\n"
        "print([name for name in sys.modules if name.startswith('gunicorn')])"
    )
    imported = set(eval(run_python(script)))  # noqa: S307 - the line above prints a list of names
    assert "gunicorn.http.parser" in imported
    assert not {name for name in imported if name.startswith(FORBIDDEN)}
