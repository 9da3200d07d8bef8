"""A client's socket as gunicorn's parser and response see it."""

import errno
import socket

from sessionary.http_server.limits import monotonic

_REST_SECONDS = 0.5


class BufferedSocket:
    """For a request that is answered on the loop's thread: what is sent is buffered."""

    def __init__(self, sock: socket.socket) -> None:
        self.sent: list[bytes] = []
        self.recv = sock.recv  # does not block: it raises BlockingIOError

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def shorten_deadline(self) -> None:
        """Do nothing: it never blocks."""


class BlockingSocket:
    """For a request that is answered on a thread of its own: it blocks, with a deadline."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self.sent: list[bytes] = []  # nothing is left to send
        self._seconds = seconds
        self._due = monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """Return no bytes after the deadline, as if the client had closed."""
        left = self._due - monotonic()
        if left <= 0:
            return b""
        self._sock.settimeout(left)
        try:
            return self._sock.recv(size)
        except TimeoutError:
            return b""

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._seconds)
        try:
            self._sock.sendall(data)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the client does not read") from None

    send = sendall

    def shorten_deadline(self) -> None:
        """Leave little time for the rest of a request that has been answered."""
        self._due = min(self._due, monotonic() + _REST_SECONDS)
