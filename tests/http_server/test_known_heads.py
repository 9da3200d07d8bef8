"""A head that is known means what the parser would have made of it."""

import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from gunicorn.http.errors import ParseException

from sessionary.http_server.application import _parse
from sessionary.http_server.connection import Connection
from sessionary.http_server.known_heads import KnownHeads
from sessionary.http_server.parser_config import ParserConfig
from sessionary.http_server.sockets import BufferedSocket

PEER = ("192.0.2.7", 4711)
MAX_BODY_BYTES = 1000
# Objects that belong to one request.
OBJECTS = ("wsgi.input", "wsgi.errors", "gunicorn.socket", "wsgi.early_hints")
METHODS = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"get", b"BAD METHOD"]
PATHS = [
    *(
        b"/",
        b"/sessions",
        b"/v4/sessions/1",
        b"//sessions",
        b"/a//b",
        b"/a/../b",
        b"/a;b",
        b"/a%2Fb",
    ),
    *(b"/\xc3\xa9", b"*", b"", b"a", b"http://here/sessions", b"/~ns/sessions", b"/a b", b"/a#b"),
]
QUERIES = [b"", b"?", b"?a=1", b"?a=%20&b=+", b"?a=1?b", b"?a=#", b"?\xff", b"?a=1&b=2,3:4"]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"http/1.1", b""]
ENDS = [b"\r\n", b"\n", b"\r", b" \r\n"]
NAMES = [
    *(b"Host", b"host", b"Authorization", b"Content-Type", b"Content-Length", b"content-length"),
    *(b"Connection", b"Transfer-Encoding", b"Expect", b"Upgrade", b"TE", b"Trailer", b"X-Name"),
    *(b"X_Name", b"Script-Name", b"SCRIPT_NAME", b"X-Forwarded-Proto", b"Bad Name", b"", b"X-\xff"),
]
VALUES = [
    *(b"here", b"5", b"0", b"+5", b"05", b"5, 5", b"close", b"keep-alive", b"chunked", b"gzip"),
    *(
        b"100-continue",
        b"h2c",
        b"/sessions",
        b" padded ",
        b"",
        b"a\tb",
        b"\xff",
        b"a\x00b",
        b"\x01",
    ),
]
COLONS = [b": ", b":", b" : ", b":\r\n ", b""]
BODIES = [b"", b"12345", b"12345GET / HTTP/1.1\r\nHost: here\r\n\r\n", b"123"]


def pick(made: random.Random, values: list[bytes]) -> bytes:
    """Return the first value, which is usual, in five of six cases."""
    return values[0] if made.random() < 5 / 6 else made.choice(values)


def line(made: random.Random) -> bytes:
    target = made.choice(PATHS) + pick(made, QUERIES)
    words = pick(made, METHODS), target, pick(made, VERSIONS)
    return b" ".join(words) + pick(made, ENDS)


def block(made: random.Random) -> bytes:
    fields = [
        made.choice(NAMES) + pick(made, COLONS) + made.choice(VALUES) + pick(made, ENDS)
        for _ in range(made.randrange(4))
    ]
    return b"Host: here\r\n" + b"".join(fields) + b"\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class Reader:
    """Reads requests as the server does, with the parser or from the known heads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.heads = KnownHeads()

    def connection(self, data: bytes) -> Connection | None:
        """Return a connection that has received this, if it has a complete request."""
        made = Connection(self.sock, PEER, ParserConfig())
        made.server = ("192.0.2.8", 80)
        made.received += data
        if made.is_end_unknown() or not made.has_complete_request(MAX_BODY_BYTES):
            return None
        return made

    def parse(self, connection: Connection, *, learn: bool) -> dict[str, Any] | None:
        try:
            response, environ = _parse(connection, BufferedSocket(connection.sock))
        except (ParseException, StopIteration, OSError):
            return None
        if learn:
            self.heads.learn(connection.given, response.req, environ)
        return with_rest(environ, connection, is_parsed=True)

    def take(self, connection: Connection) -> dict[str, Any] | None:
        known = self.heads.take(connection)
        return known and with_rest(known.environ, connection, is_parsed=False)


def with_rest(
    environ: dict[str, Any], connection: Connection, *, is_parsed: bool
) -> dict[str, Any]:
    """Add the body, and what is left of the received bytes, to a request's environment."""
    body = environ["wsgi.input"].read()
    if is_parsed:
        with suppress(OSError):
            connection.parser.finish_body()
        connection.take_from_parser()
    found = {name: each for name, each in environ.items() if name not in OBJECTS}
    return found | {"body": body, "rest": bytes(connection.received)}


def compare(reader: Reader, made: random.Random) -> bool:
    """Let the parser and the known heads read one request; return whether its head was known."""
    data = line(made) + (headers := block(made)) + (body := made.choice(BODIES))
    usual = data.partition(b" ")[0] + b" / HTTP/1.1\r\n" + headers + body
    for _ in range(2):
        if (first := reader.connection(usual)) is not None:
            reader.parse(first, learn=True)
    quick, strict = reader.connection(data), reader.connection(data)
    if quick is None or strict is None:
        return False
    taken = reader.take(quick)
    assert taken is None or taken == reader.parse(strict, learn=False), data
    return taken is not None


def count_known(pair: tuple[socket.socket, socket.socket], count: int) -> int:
    reader, made = Reader(pair[0]), random.Random(1)
    return sum(compare(reader, made) for _ in range(count))


def test_known_heads_mean_what_the_parser_makes_of_them(pair: Any) -> None:
    assert count_known(pair, 4000) > 100


@pytest.mark.long
def test_known_heads_mean_what_the_parser_makes_of_100_000_heads(pair: Any) -> None:
    assert count_known(pair, 100_000) > 2500
