"""Connections whose every byte a test decides, to each of the servers that we have."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.processes import PATIENCE


class Answer(NamedTuple):
    """An answer: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """A connection, which a test closes at its end."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(
                self.socket, server_hostname=address.hostname, suppress_ragged_eofs=False
            )
        self.read = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> Answer | None:
        """The next answer; None where the connection was closed instead."""
        try:
            line = self.read.readline()
            headers = {}
            while (field := self.read.readline()) not in (b"\r\n", b""):
                name, _, value = field.decode().partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", 0))
            return Answer(int(line.split()[1]), headers, self.read.read(length)) if line else None
        except ConnectionResetError:
            return None

    def must_answer(self) -> Answer:
        """The next answer."""
        found = self.answer()
        assert found is not None
        return found

    def rest(self) -> bytes:
        """All bytes until the server closes the connection, or breaks it off."""
        found = b""
        with suppress(ConnectionResetError):
            while part := self.read.read1():
                found += part
        return found

    def answers(self) -> list[Answer]:
        """All that come until the server closes the connection."""
        found = []
        while (each := self.answer()) is not None:
            found.append(each)
        return found

    def close(self) -> None:
        self.read.close()
        self.socket.close()


@contextmanager
def connected(url: str, context: ssl.SSLContext | None = None) -> Iterator[Raw]:
    made = Raw(url, context)
    try:
        yield made
    finally:
        made.close()


def told(url: str, data: bytes) -> list[Answer]:
    """Everything that is answered to these bytes, behind which nothing more is sent."""
    with connected(url) as raw:
        raw.send(data)
        raw.socket.shutdown(socket.SHUT_WR)
        return raw.answers()
