"""A client that sends exact bytes, for requests that no HTTP library would send."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.processes import TIMEOUT_SECONDS

HEALTH = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"
# A call with a body: its head, the same with a length and the body, and before chunks.
HEAD = (
    b"POST /session/start HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer anyone\r\n"
    b"Content-Type: application/json\r\n"
)
START = b'{"session_timeout_minutes": 7}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(START) + START
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Response(NamedTuple):
    """A response; the names of the headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawConnection:
    """A connection to a server, with or without TLS. The caller closes it."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(
                self.socket, server_hostname=address.hostname, suppress_ragged_eofs=False
            )
        self.read = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_response(self) -> Response | None:
        """Read the next response; None if the server closed the connection."""
        try:
            line = self.read.readline()
            headers = {}
            while (field := self.read.readline()) not in (b"\r\n", b""):
                name, _, value = field.decode().partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", 0))
            return Response(int(line.split()[1]), headers, self.read.read(length)) if line else None
        except ConnectionResetError:
            return None

    def expect_response(self) -> Response:
        """Read the next response; fail if the server closed the connection."""
        response = self.read_response()
        assert response is not None
        return response

    def read_to_end(self) -> bytes:
        """Read all bytes until the server closes or resets the connection."""
        found = b""
        with suppress(ConnectionResetError):
            while part := self.read.read1():
                found += part
        return found

    def read_responses(self) -> list[Response]:
        """Read responses until the server closes the connection."""
        return list(iter(self.read_response, None))

    def close(self) -> None:
        self.read.close()
        self.socket.close()


@contextmanager
def connect(url: str, context: ssl.SSLContext | None = None) -> Iterator[RawConnection]:
    with closing(RawConnection(url, context)) as connection:
        yield connection


def send_and_read(url: str, data: bytes) -> list[Response]:
    """Send bytes, close the sending side, and read all responses."""
    with connect(url) as raw:
        raw.send(data)
        raw.socket.shutdown(socket.SHUT_WR)
        return raw.read_responses()
