"""WebSockets of the core, with an application that sends each message back."""

import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from sessionary.web.held import Delay, Held
from sessionary.web.messages import CLOSE as CLOSE_KEY
from sessionary.web.messages import UPGRADE
from tests.http_server.test_server import serving
from tests.raw_http import connect
from tests.websocket_client import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    WebSocketClient,
    frame,
    open_websocket,
    send_handshake,
)

CALLS: list[dict[str, Any]] = []


def echo(environ: dict[str, Any], start_response: Any) -> Any:
    """Accept every WebSocket; send each message back."""
    CALLS.append(environ)
    if environ["REQUEST_METHOD"] == "GET":
        start_response("101 x" if UPGRADE in environ else "426 x", [("Content-Length", "0")])
        return []
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    if body == b"fail":
        raise KeyError("secret")
    if body == b"drop":
        raise ConnectionResetError(104, "a fault")
    if body == b"leave":
        environ[CLOSE_KEY](1008)
    if body == b"later":
        return Held(lambda: [b"made later"], delay=Delay(0.01), thread="pool")
    return [
        environ["CONTENT_TYPE"].encode() if environ["CONTENT_TYPE"] != "application/json" else body
    ]


@pytest.fixture
def url() -> Iterator[str]:
    CALLS.clear()
    with serving(echo) as (_, url):
        yield url


@pytest.fixture
def client(url: str) -> Iterator[WebSocketClient]:
    with open_websocket(url) as client:
        yield client


def test_a_handshake_that_the_application_accepts_is_answered_by_the_key(url: str) -> None:
    with connect(url) as raw:
        response = send_handshake(raw, Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")
    assert (response.status, response.headers["upgrade"]) == (101, "websocket")
    assert response.headers["connection"] == "upgrade"
    assert response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "sec-websocket-extensions" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Upgrade": ""},
        {"Upgrade": "h2c"},
        {"Connection": "keep-alive"},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Key": "c2hvcnQ="},
    ],
)
def test_a_request_that_is_no_handshake_is_an_ordinary_one(
    url: str, headers: dict[str, str]
) -> None:
    with connect(url) as raw:
        assert [send_handshake(raw, **headers).status for _ in range(2)] == [426, 426]


def test_a_message_is_a_call_with_the_headers_of_the_handshake(url: str) -> None:
    with open_websocket(url, "/a%20b?x=1", X_Kind="this") as client:
        client.send(frame(TEXT, "é".encode()))
        assert client.read_text() == "é"
    call = CALLS[-1]
    assert (call["REQUEST_METHOD"], call["PATH_INFO"], call["QUERY_STRING"]) == ("WS", "/a b", "")
    assert (call["HTTP_X_KIND"], call["REMOTE_ADDR"]) == ("this", "127.0.0.1")
    assert "HTTP_UPGRADE" not in call


@pytest.mark.parametrize(
    ("headers", "expected"), [({}, "Bearer a b+c"), ({"Authorization": "Bearer own"}, "Bearer own")]
)
def test_a_token_in_the_query_is_seen_as_a_header_only(
    url: str, headers: dict[str, str], expected: str
) -> None:
    with open_websocket(url, "/ws?token=a%20b%2Bc", **headers) as client:
        client.send(frame(TEXT, b"x"))
        client.read_text()
    assert [each["HTTP_AUTHORIZATION"] for each in CALLS] == [expected] * 2
    assert [each["QUERY_STRING"] for each in CALLS] == ["", ""]


def test_messages_that_come_together_are_answered_in_order(client: WebSocketClient) -> None:
    parts = [b"1", b"later", b"2", b"x" * 900]
    client.send(b"".join(frame(TEXT, each) for each in parts))
    assert [client.read_text() for _ in parts] == ["1", "made later", "2", "x" * 900]


def test_fragments_are_joined_and_a_ping_between_them_is_answered(client: WebSocketClient) -> None:
    client.send(frame(TEXT, b"one \xc3", is_final=False) + frame(PING, b"hey"))
    assert client.read_frame() == (PONG, b"hey")
    client.send(frame(PONG, b"unasked") + frame(CONTINUATION, b"\xa9"))
    assert client.read_text() == "one é"


def test_frames_may_come_byte_by_byte(client: WebSocketClient) -> None:
    for each in frame(TEXT, b"x" * 200) + frame(TEXT, b"y"):
        client.send(bytes([each]))
    assert [client.read_text(), client.read_text()] == ["x" * 200, "y"]


def test_a_binary_message_has_a_content_type_of_its_own(client: WebSocketClient) -> None:
    client.send(frame(BINARY, b"\xff"))
    assert client.read_text() == "application/octet-stream"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(CLOSE, struct.pack("!H", 1000)), 1000),
        (frame(CLOSE, struct.pack("!H", 4001) + b"bye"), 4001),
        (b"\x81\x01x", 1002),  # not masked
        (b"\xc1" + frame(TEXT, b"x")[1:], 1002),  # a reserved bit
        (frame(3), 1002),
        (frame(CONTINUATION, b"x"), 1002),
        (frame(PING, is_final=False), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"x" * 1001), 1009),
        (frame(TEXT, b"x" * 600, is_final=False) + frame(CONTINUATION, b"x" * 600), 1009),
        (b"\x81\xff" + struct.pack("!Q", 2**40) + b"abcd" + b"x" * 200_000, 1009),
        (frame(TEXT, b"drop"), 1011),
    ],
)
def test_what_ends_a_connection_is_answered_by_a_close(
    client: WebSocketClient, sent: bytes, code: int
) -> None:
    client.send(sent + frame(TEXT, b"not answered"))
    assert client.read_close() == code


def test_a_close_without_a_code_is_answered_by_one_without(client: WebSocketClient) -> None:
    client.send(frame(CLOSE))
    assert client.read_frame() == (CLOSE, b"")
    assert client.raw.read_to_end() == b""


def test_an_error_of_the_application_closes_and_is_logged(
    client: WebSocketClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.send(frame(TEXT, b"fail"))
    assert client.read_close() == 1011
    assert [each.getMessage() for each in caplog.records] == ["Error handling request"]


def test_the_application_can_close_after_its_answer(client: WebSocketClient) -> None:
    client.send(frame(TEXT, b"leave"))
    assert client.read_text() == "leave"
    assert client.read_close() == 1008


def test_a_stop_answers_what_was_sent_and_closes_with_1001() -> None:
    with serving(echo) as (server, url), open_websocket(url) as idle, open_websocket(url) as busy:
        busy.send(frame(TEXT, b"later"))
        assert busy.read_text() == "made later"
        busy.send(frame(TEXT, b"later"))
        server.stop()
        assert idle.read_close() == 1001
        assert busy.read_text() == "made later"
        assert busy.read_close() == 1001


def test_an_idle_websocket_goes_when_there_is_no_room_and_before_an_idle_request() -> None:
    with ExitStack() as stack:
        _, url = stack.enter_context(serving(echo, max_connections=6))
        kept = stack.enter_context(connect(url))
        assert send_handshake(kept, Upgrade="").status == 426
        first = stack.enter_context(open_websocket(url))
        others = [stack.enter_context(open_websocket(url)) for _ in range(4)]
        assert first.read_close() == 1001
        others[-1].send(frame(TEXT, b"x"))
        assert others[-1].read_text() == "x"
        assert send_handshake(kept, Upgrade="").status == 426


def test_an_idle_websocket_outlives_the_keep_alive_of_requests() -> None:
    with ExitStack() as stack:
        _, url = stack.enter_context(serving(echo, keepalive_seconds=0.1))
        client = stack.enter_context(open_websocket(url))
        request = stack.enter_context(connect(url))
        assert send_handshake(request, Upgrade="").status == 426
        assert request.read_to_end() == b""
        client.send(frame(TEXT, b"x"))
        assert client.read_text() == "x"


def test_a_message_that_does_not_end_is_given_up() -> None:
    with serving(echo, client_timeout_seconds=0.1) as (_, url), open_websocket(url) as client:
        client.send(frame(TEXT, b"x", is_final=False))
        assert client.read_close() == 1001


def test_a_client_that_reads_nothing_is_not_answered_without_end(client: WebSocketClient) -> None:
    """Once the buffers of both sockets are full, the server receives no more."""
    client.raw.socket.setblocking(False)
    message, sent = frame(TEXT, b"x" * 900) * 64, 0
    with suppress(BlockingIOError):
        while sent < 10_000 * len(message):
            sent += client.raw.socket.send(message)
    assert sent < 10_000 * len(message)


def test_idle_websockets_take_at_most_4_kib_and_no_thread(url: str) -> None:
    with ExitStack() as stack:
        stack.enter_context(open_websocket(url))  # imports, pools
    with serving(echo, max_connections=300) as (_, url), ExitStack() as stack:
        raws = [stack.enter_context(connect(url)) for _ in range(200)]
        CALLS.clear()
        threads, make_room = threading.active_count(), CALLS.clear
        tracemalloc.start()
        assert _open_all(raws, make_room) == [101] * 200
        with open_websocket(url):
            used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert threading.active_count() == threads
        assert used / 200 < 4096


def _open_all(raws: list[Any], make_room: Callable[[], None]) -> list[int]:
    statuses = []
    for raw in raws:
        statuses.append(send_handshake(raw).status)
        make_room()
    return statuses
