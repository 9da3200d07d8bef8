"""Request smuggling: ambiguous requests are refused, and nothing after them is answered."""

import json
from collections.abc import Iterator

import pytest

from tests.processes import Process, running_double, running_server
from tests.raw_http import connect, send_and_read

LINE = b"POST /session/start HTTP/1.1\r\n"
REST = b"Host: here\r\nAuthorization: Bearer anyone\r\nContent-Type: application/json\r\n"
HEAD = LINE + REST
BODY = b'{"session_timeout_minutes": 7}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"
HIDDEN = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"
PROXY = "127.0.0.1"


@pytest.fixture(scope="module", params=["serve", "double"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    if request.param == "double":
        with running_double() as process:
            yield with_known_heads(process)
    else:
        db = str(tmp_path_factory.mktemp("smuggling") / "test.sqlite3")
        with running_server("--db", db, "--auth", "lenient", "--workers", "1") as process:
            yield with_known_heads(process)


def with_known_heads(process: Process) -> Process:
    """Have the server see the usual heads often enough to know them."""
    for _ in range(3):
        send_and_read(process.url, HEAD + LENGTH + b"\r\n" + BODY + HIDDEN)
    return process


FRAMES = {
    "length and chunks": HEAD + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + END,
    "chunks and length": HEAD + CHUNKED + b"Content-Length: 5\r\n\r\n" + END,
    "two lengths": HEAD + b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + BODY,
    "the same length twice": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "chunks twice": HEAD + CHUNKED + CHUNKED + b"\r\n" + END,
    "a space before the colon": HEAD + CHUNKED.replace(b":", b" :") + b"\r\n" + END,
    "the same of a length": HEAD + LENGTH.replace(b":", b" :") + b"\r\n" + BODY,
    "a folded header": HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "a folded coding": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END,
    "a line without its end": HEAD + b"X: a\n" + LENGTH + b"\r\n" + BODY,
    "half an end in a value": HEAD + b"X: a\rb\r\n" + LENGTH + b"\r\n" + BODY,
    "a zero in a value": HEAD + b"X: a\0b\r\n" + LENGTH + b"\r\n" + BODY,
    "a space in a name": HEAD + b"X Y: a\r\n" + LENGTH + b"\r\n" + BODY,
    "no colon": HEAD + b"X\r\n" + LENGTH + b"\r\n" + BODY,
    "no name": HEAD + b": a\r\n" + LENGTH + b"\r\n" + BODY,
    "two hosts": HEAD + b"Host: there\r\n" + LENGTH + b"\r\n" + BODY,
}
LENGTHS = (b"30, 30", b"+30", b"0x1e", b"3 0", b"3_0", b"-1", b"\xb2", b"")
CODINGS = (b"chunked, chunked", b"xchunked", b"identity", b"chunked, identity", b"\x0bchunked")
SIZES = (b"+1e", b"0x1e", b"1_e", b" 1e", b"-1e", b"-0", b"", b"1e;", b"1e;\n", b"1e\n")
FRAMES |= {
    f"the length {text!r}": HEAD + b"Content-Length: " + text + b"\r\n\r\n" + BODY
    for text in LENGTHS
}
FRAMES |= {
    f"the coding {text!r}": HEAD + b"Transfer-Encoding: " + text + b"\r\n\r\n" + END
    for text in CODINGS
}
FRAMES |= {
    f"the size {text!r}": HEAD + CHUNKED + b"\r\n" + text + b"\r\n" + BODY + b"\r\n" + END
    for text in SIZES
}
FRAMES["a chunk that goes on"] = HEAD + CHUNKED + b"\r\n1e\r\n" + BODY + b"XX" + END


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_an_ambiguous_request_is_refused_and_the_connection_closed(
    server: Process, frame: bytes
) -> None:
    (response,) = send_and_read(server.url, frame + HIDDEN)
    assert response.status in (400, 501)


@pytest.mark.parametrize("size", [b"1e", b"1E", b"001e", b"1e;a=b", b'1e ; a="b"'])
def test_a_chunk_may_have_extensions(server: Process, size: bytes) -> None:
    chunks = size + b"\r\n" + BODY + b"\r\n" + END
    first, second = send_and_read(server.url, HEAD + CHUNKED + b"\r\n" + chunks + HIDDEN)
    assert json.loads(first.body)["timeout_minutes"] == 7
    assert second.status == 200


def test_trailers_are_neither_headers_nor_a_request(server: Process) -> None:
    chunks = b"1e\r\n" + BODY + b"\r\n0\r\nX: y\r\nX-Notte-Sdk-Version: 1\r\n\r\n"
    first, second = send_and_read(server.url, HEAD + CHUNKED + b"\r\n" + chunks + HIDDEN)
    assert (first.status, second.status) == (200, 200)
    assert "active_sessions" in json.loads(second.body)


@pytest.mark.parametrize("path", [b"/nowhere", b"/session/start"], ids=["no path", "no key"])
@pytest.mark.parametrize("coding", [b"Content-Length: 36\r\n\r\n", CHUNKED + b"\r\n24\r\n"])
def test_an_unread_body_is_not_the_next_request(
    server: Process, path: bytes, coding: bytes
) -> None:
    assert len(HIDDEN) == 36
    request = b"POST " + path + b" HTTP/1.1\r\nHost: here\r\n" + coding + HIDDEN
    answers = send_and_read(server.url, request + (b"\r\n" + END if b"chunked" in coding else b""))
    assert [each.status for each in answers] == [404 if path == b"/nowhere" else 401]


@pytest.mark.parametrize(
    "header",
    [
        b"Content_Length: 5",
        b"Transfer_Encoding: chunked",
        b"Content_Type: text/plain",
        b"Sessionary_Namespace: elsewhere",
        b"Sessionary_At: nonsense",
        b"X_Notte_Sdk_Version: 1",
        b"Authorization_: Bearer other",
        b"SCRIPT_NAME: /notte",
        b"PATH_INFO: /galtea/sessions",
        b"REMOTE_ADDR: 203.0.113.7",
    ],
)
def test_a_header_with_an_underscore_does_not_replace_another(
    server: Process, header: bytes
) -> None:
    request = HEAD + header + b"\r\n" + LENGTH + b"\r\n" + BODY
    first, second = send_and_read(server.url, request + HIDDEN)
    assert json.loads(first.body)["timeout_minutes"] == 7
    assert first.headers.get("sessionary-namespace", "default") == "default"
    assert second.status == 200


def test_a_key_in_a_header_with_an_underscore_is_ignored(server: Process) -> None:
    head = LINE + REST.replace(b"Authorization", b"Authorization_") + LENGTH
    assert [each.status for each in send_and_read(server.url, head + b"\r\n" + BODY)] == [401]
    scale = b"GET /user-info HTTP/1.1\r\nHost: here\r\nX_Api_Key: anyone\r\n\r\n"
    assert [each.status for each in send_and_read(server.url, scale)] == [401]


def test_failed_keys_count_against_the_client_named_by_the_proxy(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """In both workers; what the client itself sends, in any spelling, does not count."""
    db = str(tmp_path_factory.mktemp("proxy") / "test.sqlite3")
    options = ("--trusted-proxy", PROXY, "--max-failed-keys-per-minute", "5", "--workers", "2")
    with running_server("--db", db, *options) as server:
        statuses = [guess(server, number) for number in range(12)]
        assert statuses == [401] * 5 + [429] * 7
        assert guess(server, 12, b"203.0.113.8") == 401


def guess(server: Process, number: int, client: bytes = b"203.0.113.7") -> int:
    """Send an unknown key through the proxy, on a connection of its own."""
    forged = b"198.51.100.%d" % number
    with connect(server.url) as raw:
        raw.send(
            b"GET /user-info HTTP/1.1\r\nHost: here\r\nx-api-key: guess-%d\r\n" % number
            + b"X_Forwarded_For: %s\r\nForwarded: for=%s\r\nX-Real-Ip: %s\r\n"
            % (forged, forged, forged)
            + b"X-Forwarded-For: %s, %s\r\n\r\n" % (forged, client)
        )
        return raw.expect_response().status
