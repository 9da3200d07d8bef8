"""A response's head is what gunicorn would send, or is refused as gunicorn refuses it."""

from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.http import wsgi

from sessionary.http_server.parser_config import ParserConfig
from sessionary.http_server.response import Response

Headers = list[tuple[Any, Any]]
LENGTH = ("Content-Length", "5")
USUAL: Headers = [("Content-Type", "application/json"), LENGTH, ("Sessionary-Request-Id", "a1")]
HEADERS: dict[str, Headers] = {
    "usual": USUAL,
    "no length": USUAL[:1],
    "two lengths": [LENGTH, LENGTH],
    "another case": [("content-length", "5")],
    "a signed length": [("Content-Length", "+5")],
    "a length that is no number": [("Content-Length", "five")],
    "a length in other digits": [("Content-Length", "\u0665")],
    "a connection": [LENGTH, ("Connection", "close")],
    "a date": [LENGTH, ("dATE", "today")],
    "a coding": [LENGTH, ("Transfer-Encoding", "chunked")],
    "a websocket": [LENGTH, ("Connection", "upgrade"), ("Upgrade", "websocket")],
    "a line break": [LENGTH, ("X-Name", "a\r\nSet-Cookie: b")],
    "a line break in a name": [LENGTH, ("X-Name: a\r\nSet-Cookie", "b")],
    "a colon in a name": [LENGTH, ("X-Name: a", "b")],
    "an empty name": [LENGTH, ("", "b")],
    "an empty value": [LENGTH, ("X-Name", "")],
    "spaces at the ends": [LENGTH, ("X-Name", " a \t")],
    "spaces inside": [LENGTH, ("X-Name", "a  \tb")],
    "a control character": [LENGTH, ("X-Name", "a\x01")],
    "latin letters": [LENGTH, ("X-Name", "\xe9")],
    "other letters": [LENGTH, ("X-Name", "\u20ac")],
    "a name of bytes": [LENGTH, (b"X-Name", "a")],
    "a value of bytes": [LENGTH, ("X-Name", b"a")],
}
STATUSES = [
    "200 OK",
    "204 NO CONTENT",
    "304 NOT MODIFIED",
    "100 CONTINUE",
    "599",
    "20 OK",
    "OK",
    "",
]


class Socket:
    """What of a socket the response uses."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


def sent_by(
    kind: type[wsgi.Response], status: str, headers: Headers, *, method: str, closes: bool
) -> tuple[bytes, bool] | type[Exception]:
    """Return what a response sends and whether it closes the connection, or its error."""
    sock = Socket()
    request = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: closes)
    try:
        response = kind(request, sock, ParserConfig())
        response.start_response(status, list(headers))
        response.write(b"12345")
        response.write(b"too much")
        response.close()
    except (TypeError, ValueError, UnicodeError, AttributeError) as error:
        return type(error)
    except Exception as error:  # noqa: BLE001 - gunicorn's own kinds
        return type(error)
    lines = [line for line in sock.sent.split(b"\r\n") if not line.startswith(b"Date: ")]
    return b"\r\n".join(lines), response.should_close()


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_response_is_the_one_of_gunicorn(
    headers: Headers, status: str, method: str, closes: bool
) -> None:
    ours = sent_by(Response, status, headers, method=method, closes=closes)
    assert ours == sent_by(wsgi.Response, status, headers, method=method, closes=closes)


def test_a_usual_head_is_written_in_one_go() -> None:
    response: Any = Response(SimpleNamespace(method="GET", version=(1, 1)), Socket(), None)
    response.start_response("200 OK", USUAL)
    assert response._fields == "".join(f"{name}: {value}\r\n" for name, value in USUAL)


def test_a_second_start_is_refused_as_before() -> None:
    response: Any = Response(SimpleNamespace(method="GET", version=(1, 1)), Socket(), None)
    response.start_response("200 OK", USUAL)
    with pytest.raises(AssertionError, match="already set"):
        response.start_response("200 OK", USUAL)
